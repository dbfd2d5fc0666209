import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import {
  type Cors,
  type HeaderChanges,
  noFilters,
  type RouteFilters,
  type SourceBackend,
  type SourceBalancing,
  type SourcePart,
  type SourceRewrite,
} from "../../model.js";
import { substitutionOf } from "../../rewrites.js";
import type { SourceObject } from "../../source.js";
import { upstreamGroupTable, upstreamTable } from "./table.js";

const upstreams = "gloo.solo.io";

interface Context {
  readonly owner: SourceObject;
  readonly part: SourcePart;
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

interface Target {
  readonly backends: SourceBackend[];
  readonly parts: SourcePart[];
  closed: boolean;
}

/** The Services of a `routeAction`. */
export function backendsOf(field: Field, context: Context): Target {
  const target: Target = { backends: [], parts: [], closed: false };
  const single = field.at("single");
  if (single.seen()) addDestination(single, undefined, target, context);
  for (const one of field.at("multi", "destinations").items()) addWeighted(one, target, context);
  const group = field.at("upstreamGroup");
  if (!group.seen()) return target;
  const name = group.at("name").text() ?? "";
  const namespace = group.at("namespace").text() ?? context.owner.namespace;
  const found = context.conversion.find(upstreams, "UpstreamGroup", namespace, name);
  if (!found) return close(target, context, `UpstreamGroup ${namespace}/${name} is not among the input`);
  context.conversion.take(found, upstreamGroupTable);
  target.parts.push(partOf(found));
  for (const one of found.root.at("spec", "destinations").items())
    addWeighted(one, target, { ...context, owner: found });
  return target;
}

function addWeighted(field: Field, target: Target, context: Context): void {
  field.use();
  addDestination(field.at("destination"), field.at("weight").number() ?? 1, target, context);
}

function close(target: Target, { part, hosts, conversion }: Context, message: string): Target {
  target.closed = true;
  conversion.remark("error", part, `${message}; answered 503`, { hosts, closes: true });
  return target;
}

function addDestination(field: Field, weight: number | undefined, target: Target, context: Context): void {
  const backend = kubeService(field, context) ?? upstreamService(field, target, context);
  if (field.at("destinationSpec").given || field.at("subset").given)
    close(target, context, "functions and subsets of an Upstream can't be said");
  if (backend) target.backends.push({ ...backend, ...(weight === undefined ? {} : { weight }) });
}

function kubeService(field: Field, { owner }: Context): SourceBackend | undefined {
  const name = field.at("kube", "ref", "name").text();
  const port = field.at("kube", "port").number();
  if (name === undefined || port === undefined) return undefined;
  return { namespace: field.at("kube", "ref", "namespace").text() ?? owner.namespace, name, port };
}

function upstreamService(field: Field, target: Target, context: Context): SourceBackend | undefined {
  const { owner, conversion, part, hosts } = context;
  const name = field.at("upstream", "name").text();
  const namespace = field.at("upstream", "namespace").text() ?? owner.namespace;
  if (name === undefined) {
    close(target, context, "the destination is no Service");
    return undefined;
  }
  const upstream = conversion.find(upstreams, "Upstream", namespace, name);
  if (!upstream) {
    // Gloo names the Upstreams that it discovers after their Services.
    const [, own, service, port] = /^([a-z0-9]+(?:-[a-z0-9]+)*?)-([a-z0-9-]+)-(\d+)$/.exec(name) ?? [];
    const known = conversion
      .ofKind("", "Service")
      .find((one) => name.startsWith(`${one.namespace}-${one.name}-`));
    if (known) return { namespace: known.namespace, name: known.name, port: Number(port) };
    const message =
      own && service
        ? `Upstream ${name} is not among the input, nor a Service that it could be of`
        : `Upstream ${namespace}/${name} is not among the input`;
    close(target, context, message);
    return undefined;
  }
  conversion.take(upstream, upstreamTable);
  target.parts.push(partOf(upstream));
  const spec = upstream.root.at("spec");
  for (const kind of ["static", "consul", "aws", "azure", "gcp"]) spec.at(kind).use();
  const service = spec.at("kube", "serviceName").text();
  const port = spec.at("kube", "servicePort").number();
  spec.at("kube", "selector").use();
  const isHttp2 = spec.at("useHttp2").flag() ?? false;
  const ssl = spec.at("sslConfig");
  const isTls = ssl.seen();
  if (isTls)
    conversion.remark("warning", part, "the backend's certificate is not verified", {
      hosts,
      todo: "write services[].validation with the authority and a name",
    });
  if (service === undefined || port === undefined) {
    close(target, context, `Upstream ${name} is no Service of the cluster`);
    return undefined;
  }
  const protocol = isTls ? (isHttp2 ? "h2" : "tls") : isHttp2 ? "h2c" : undefined;
  return {
    namespace: spec.at("kube", "serviceNamespace").text() ?? namespace,
    name: service,
    port,
    ...(protocol ? { protocol } : {}),
  };
}

function rewriteOf(own: Field): SourceRewrite | undefined {
  const prefix = own.at("prefixRewrite").text();
  const regex = own.at("regexRewrite");
  return prefix === undefined
    ? substitutionOf(regex.at("pattern", "regex"), regex.at("substitution"))
    : { kind: "prefix", value: prefix || "/" };
}

/** The options of a route. Options of its virtual host are the defaults. */
export function optionsOf(own: Field, host: Field, context: Context): RouteFilters {
  const at = (...keys: readonly string[]): Field =>
    own.at(...keys).given ? own.at(...keys) : host.at(...keys);
  const timeout = at("timeout").text() ?? "15s";
  const idle = at("idleTimeout").text();
  const retryOn = at("retries", "retryOn").text();
  const perTry = at("retries", "perTryTimeout").text();
  const rewrite = rewriteOf(own);
  const hostname = own.at("hostRewrite").text();
  const cors = corsOf(at("cors"));
  const balancing = hashOf(own.at("lbHash"));
  const upgrades = at("upgrades");
  const isUpgraded = upgrades.seen();
  for (const field of [own, host])
    for (const name of ["timeout", "idleTimeout", "retries", "cors", "upgrades"]) field.at(name).use();
  return {
    ...noFilters(/^0+s?$/.test(timeout) ? "infinity" : timeout),
    ...(idle === undefined ? {} : { idle }),
    ...(retryOn
      ? {
          retry: {
            count: at("retries", "numRetries").number() ?? 1,
            on: retryOn.split(",").map((one) => one.trim()),
            ...(perTry === undefined ? {} : { perTry }),
          },
        }
      : {}),
    ...(rewrite ? { rewrite } : {}),
    ...(hostname === undefined ? {} : { host: hostname }),
    ...(cors ? { cors } : {}),
    ...(balancing ? { balancing } : {}),
    requestHeaders: headersOf(own, host, "request"),
    responseHeaders: headersOf(own, host, "response"),
    mirrors: mirrorOf(own.at("shadowing"), context),
    websockets: isUpgraded,
  };
}

function headersOf(own: Field, host: Field, of: "request" | "response"): HeaderChanges {
  const set: [string, string][] = [];
  const add: [string, string][] = [];
  const remove: string[] = [];
  for (const field of [own, host]) {
    for (const one of field.at("headerManipulation", `${of}HeadersToAdd`).items()) {
      one.use();
      const pair: [string, string] = [
        one.at("header", "key").text() ?? "",
        one.at("header", "value").text() ?? "",
      ];
      (one.at("append").flag() === false ? set : add).push(pair);
    }
    remove.push(...field.at("headerManipulation", `${of}HeadersToRemove`).texts());
  }
  return { set, add, remove };
}

function corsOf(field: Field): Cors | undefined {
  const allowOrigin = [...field.at("allowOrigin").texts(), ...field.at("allowOriginRegex").texts()];
  const methods = field.at("allowMethods").texts();
  const maxAge = field.at("maxAge").text();
  if (allowOrigin.length === 0) return undefined;
  return {
    allowOrigin,
    allowMethods: methods.length > 0 ? methods : ["GET"],
    allowHeaders: field.at("allowHeaders").texts(),
    exposeHeaders: field.at("exposeHeaders").texts(),
    allowCredentials: field.at("allowCredentials").flag() ?? false,
    ...(maxAge === undefined ? {} : { maxAge: /^\d+$/.test(maxAge) ? `${maxAge}s` : maxAge }),
  };
}

function hashOf(field: Field): SourceBalancing | undefined {
  const hash = field
    .at("hashPolicies")
    .items()
    .flatMap((one): NonNullable<SourceBalancing["hash"]>[number][] => {
      one.use();
      const name = one.at("header").text();
      if (name) return [{ header: name }];
      return one.at("sourceIp").flag() ? [{ source: true }] : [];
    });
  if (field.given && hash.length === 0) return { strategy: "Cookie" };
  return hash.length > 0 ? { strategy: "RequestHash", hash } : undefined;
}

function mirrorOf(field: Field, context: Context): RouteFilters["mirrors"] {
  if (!field.given) return [];
  const target: Target = { backends: [], parts: [], closed: false };
  const percent = field.at("percentage").number() ?? 100;
  const backend = upstreamService(field, target, context);
  return backend ? [{ backend, percent: Math.round(percent) }] : [];
}
