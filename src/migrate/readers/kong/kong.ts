import type { HeaderMatch, PathMatch } from "../../../graph/matches/match-types.js";
import { plainSubstitution } from "../../../graph/policies/path-rewrite.js";
import { type Conversion, partOf } from "../../conversion.js";
import { exact, header, matchOf, method, regex, segments, prefix as textPrefix } from "../../matches.js";
import {
  noFilters,
  type RouteFilters,
  type SourceBackend,
  type SourcePart,
  type SourceRewrite,
  type SourceRoute,
} from "../../model.js";
import { collectionsOf, type Peer } from "../../peer.js";

import type { SourceObject } from "../../source.js";
import { ignored } from "../../table.js";
import {
  addSites,
  defaultBackendOf,
  type IngressPath,
  ingressPaths,
  isOfPeer,
  ruleHosts,
} from "../ingress-rules.js";
import { balancingOf, KongOptions } from "./options.js";
import { applyPlugins, globalPlugins, group, type Plugged, pluginsNamed } from "./plugins.js";
import { ingressTable, prefix, serviceTable } from "./table.js";
import { readTcp } from "./tcp.js";

/** The Kong Ingress Controller. */
export const kong: Peer = {
  name: "kong",
  groups: ["konghq.com"],
  kinds: [
    "KongPlugin",
    "KongClusterPlugin",
    "KongIngress",
    "KongConsumer",
    "KongConsumerGroup",
    "KongUpstreamPolicy",
    "KongVault",
    "KongLicense",
  ].map((kind) => `${kind}.${group}`),
  collections: [
    ...collectionsOf(group, ["v1"], ["KongPlugin", "KongIngress"]),
    ...collectionsOf(group, ["v1beta1"], ["TCPIngress", "UDPIngress", "KongUpstreamPolicy"]),
    ...collectionsOf(group, ["v1"], ["KongClusterPlugin"], false),
  ],
  takes: (object, { from, classes }) =>
    (object.group === group && (object.kind === "TCPIngress" || object.kind === "UDPIngress")) ||
    isOfPeer(object, { peer: "kong", prefixes: [prefix], from, classes }),
  read(objects, conversion) {
    const withTls = new Set<string>();
    for (const object of objects) {
      if (object.kind === "Ingress") {
        conversion.take(object, ingressTable);
        addSites(object, conversion, withTls);
      }
    }
    for (const object of objects) {
      if (object.kind === "Ingress") readIngress(object, withTls, conversion);
      else if (object.kind === "TCPIngress") readTcp(object, conversion);
      else {
        conversion.take(object, { fields: { spec: ignored } });
        conversion.remark("error", partOf(object), "there is no UDP here; left out");
      }
    }
  },
  beside: [
    {
      kinds: ["KongClusterPlugin"],
      message: "KongClusterPlugins with the label global hold for all routes, and none are among the input",
      todo: "give them, too, and the Services, whose annotations count",
    },
  ],
};

function readIngress(object: SourceObject, withTls: ReadonlySet<string>, conversion: Conversion): void {
  const options = new KongOptions(object, conversion, ["route"]);
  const paths = ingressPaths(object);
  const fallback = defaultBackendOf(object);
  const all: IngressPath[] = [...paths];
  if (fallback)
    for (const host of new Set(ruleHosts(object).length > 0 ? ruleHosts(object) : ["*"]))
      if (!paths.some((one) => one.host === host && one.path === "/" && one.type === "Prefix"))
        all.push({
          object,
          host,
          path: "/",
          type: "Prefix",
          backend: fallback,
          field: object.root.at("spec", "defaultBackend"),
        });
  for (const path of all) conversion.routes.push(...routesOf(path, options, withTls, conversion));
}

function routesOf(
  path: IngressPath,
  options: KongOptions,
  withTls: ReadonlySet<string>,
  conversion: Conversion,
): SourceRoute[] {
  const { object, backend, field } = path;
  const aliases = options.list("host-aliases", []).map((host) => host.toLowerCase());
  const hosts = [path.host, ...aliases.filter((host) => host !== path.host)];
  const part = partOf(object, field);
  const service = backend && conversion.find("", "Service", backend.namespace, backend.name);
  if (service) conversion.take(service, serviceTable);
  const ofService = service ? new KongOptions(service, conversion, ["proxy", "upstream"]) : undefined;
  const target = { hosts, conversion };
  const own = pluginsNamed(options.list("plugins", []), { namespace: object.namespace, part }, target);
  const further = ofService
    ? pluginsNamed(
        ofService.list("plugins", []),
        { namespace: ofService.object.namespace, part: partOf(ofService.object) },
        target,
      )
    : { objects: [], closed: false };
  const plugged = applyPlugins([own.objects, further.objects, globalPlugins(conversion)], target);
  const match = pathOf(path, options);
  const rewritten = rewriteOf(match, options, ofService, { part, hosts, conversion });
  const hasTls = withTls.has(path.host);
  if (hasTls) shareSite(path.host, aliases, conversion);
  const parts: SourcePart[] = [
    part,
    ...plugged.parts,
    ...[options, ofService].flatMap((one) => (one?.kongIngress ? [partOf(one.kongIngress)] : [])),
    ...(service ? [partOf(service)] : []),
  ];
  const isOpen = backend && !plugged.closed && !own.closed && !further.closed && !rewritten.closed;
  if (!backend && !plugged.redirect && !plugged.response503)
    conversion.remark("error", part, "has no Service as its backend; answered 503", { hosts, closes: true });
  const to = backend && { ...backend, ...protocolOf(ofService) };
  const base = {
    parts,
    hosts,
    action: actionOf(plugged, to),
    filters: filtersOf(plugged, rewritten, options, ofService, { part, hosts, conversion }),
    access: plugged.redirect ? [] : plugged.access,
    ...listeningOf(options, hasTls),
    ...(isOpen || ((plugged.redirect || plugged.response503) && !plugged.closed && !own.closed)
      ? {}
      : { closed: true }),
  };
  return conditionsOf(object, options).map((headers): SourceRoute => {
    const made = matchOf(match, headers);
    return { ...base, match: made, precedence: precedenceOf(made, path.host, options) };
  });
}

function shareSite(host: string, aliases: readonly string[], { sites }: Conversion): void {
  const site = sites.find((one) => one.host === host);
  for (const alias of aliases)
    if (site && !sites.some((one) => one.host === alias)) sites.push({ ...site, host: alias });
}

function pathOf({ path, type }: IngressPath, options: KongOptions): PathMatch {
  const mark = options.annotations.text("regex-prefix") ?? "/~";
  options.annotations.text("path-handling");
  if (path.startsWith(mark)) {
    const pattern = path.slice(mark.length);
    return regex(pattern.endsWith("$") ? pattern.slice(0, -1) : `${pattern}.*`);
  }
  if (type === "Exact") return exact(path);
  return type === "Prefix" ? segments(path) : textPrefix(path);
}

/** One list of headers for each combination of a method and header values. */
function conditionsOf(object: SourceObject, options: KongOptions): HeaderMatch[][] {
  const methods = options.list("methods", ["route", "methods"]);
  let all: HeaderMatch[][] = methods.length > 0 ? methods.map((one) => [method(one)]) : [[]];
  for (const [name, field] of object.root.at("metadata", "annotations").entries()) {
    const [, headerName] = /^konghq\.com\/headers\.(.+)$/.exec(name) ?? [];
    if (headerName === undefined) continue;
    const values = (field.text() ?? "").split(",").map((one) => one.trim());
    const of = (value: string): HeaderMatch =>
      value.startsWith("~*")
        ? header(headerName, "regex", `(?i)${value.slice(2)}`)
        : header(headerName, "exact", value, { ignoreCase: true });
    all = all.flatMap((headers) => values.map((value) => [...headers, of(value)]));
  }
  return all;
}

/**
 * The order of routes: more fields first; exact hosts before wildcards; regular expressions before prefixes, by their
 * priority; longer paths first.
 */
function precedenceOf({ path, headers }: SourceRoute["match"], host: string, options: KongOptions): number {
  const priority = Number(options.text("regex-priority", ["route", "regex_priority"]) ?? 0);
  const isPattern = path.kind === "regex";
  const fields = (host === "*" ? 0 : 1) + (headers.length > 0 ? 1 : 0);
  return -(
    fields * 1e9 +
    (host.startsWith("*.") ? 0 : 5e8) +
    headers.length * 1e7 +
    (path.kind === "exact" ? 3e6 : isPattern ? 2e6 + priority * 1e4 : 0) +
    path.value.length
  );
}

interface Noting {
  readonly part: SourcePart;
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

interface Rewritten {
  readonly rewrite?: SourceRewrite;
  readonly prefix?: string;
  readonly closed?: boolean;
}

/** `$1` in the annotation `rewrite` is a group of the path, which is then a regular expression. */
function captureRewrite(whole: string, match: PathMatch): SourceRewrite | undefined {
  if (!whole.includes("$")) return { kind: "full", value: whole };
  if (match.kind !== "regex") return undefined;
  const replacement = plainSubstitution(whole).replace(/\$(\d)/g, "\\$1");
  return replacement.includes("$")
    ? undefined
    : { kind: "regex", regex: `^(?:${match.value})$`, replacement };
}

/** `strip-path` removes the matched path. The `path` of the Service is put before the rest. */
function rewriteOf(
  match: PathMatch,
  options: KongOptions,
  service: KongOptions | undefined,
  { part, hosts, conversion }: Noting,
): Rewritten {
  const isStripped = options.text("strip-path", ["route", "strip_path"]) === "true";
  const before = (service?.text("path", ["proxy", "path"]) ?? "").replace(/\/$/, "");
  const whole = options.annotations.text("rewrite");
  const close = (message: string): Rewritten => {
    conversion.remark("error", part, `${message}; answered 503`, {
      hosts,
      closes: true,
      todo: "let the backend take the whole path",
    });
    return { closed: true };
  };
  if (whole !== undefined) {
    const rewrite = captureRewrite(whole, match);
    return rewrite ? { rewrite } : close("rewrites paths by groups that this path does not have");
  }
  if (!isStripped && before === "") return {};
  if (match.kind === "regex")
    return close("paths that a regular expression matches can't be rewritten in part");
  const stripped = isStripped ? { prefix: match.value } : {};
  if (match.kind === "exact")
    return { ...stripped, rewrite: { kind: "full", value: `${before}${isStripped ? "/" : match.value}` } };
  return {
    ...stripped,
    rewrite: { kind: "prefix", value: `${before}${isStripped ? "" : match.value}` || "/" },
  };
}

function listeningOf(options: KongOptions, hasTls: boolean): Pick<SourceRoute, "http" | "https"> {
  const protocols = options.list("protocols", ["route", "protocols"]);
  const forced =
    options.object.root.at("metadata", "annotations", "ingress.kubernetes.io/force-ssl-redirect").text() ===
    "true";
  const isSecure = protocols.length > 0 && !protocols.some((one) => one === "http" || one === "grpc");
  const isPlain = protocols.length > 0 && !protocols.some((one) => one === "https" || one === "grpcs");
  // A host without its own certificate would otherwise be served without TLS.
  if (isSecure && !hasTls) return { http: "none", https: true };
  if (hasTls && (isSecure || forced)) return { http: 301, https: true };
  return { http: "serve", https: hasTls && !isPlain };
}

const protocols: Readonly<Record<string, NonNullable<SourceBackend["protocol"]>>> = {
  https: "tls",
  grpc: "h2c",
  grpcs: "h2",
  tls: "tls",
};

function protocolOf(service: KongOptions | undefined): Pick<SourceBackend, "protocol"> {
  const named = service?.text("protocol", ["proxy", "protocol"]) ?? "";
  const protocol = Object.hasOwn(protocols, named) ? protocols[named] : undefined;
  return protocol ? { protocol } : {};
}

function actionOf(
  { redirect, response503 }: Plugged,
  backend: SourceBackend | undefined,
): SourceRoute["action"] {
  if (response503) return { kind: "respond", ...response503 };
  if (redirect) return { kind: "redirect", redirect };
  return backend ? { kind: "forward", backends: [backend] } : { kind: "respond", status: 503, body: "" };
}

function filtersOf(
  plugged: Plugged,
  { rewrite, prefix: stripped }: Rewritten,
  options: KongOptions,
  service: KongOptions | undefined,
  noting: Noting,
): RouteFilters {
  const { part, hosts, conversion } = noting;
  const number = (name: string, field: string, usual: number): number =>
    Number(service?.text(name, ["proxy", field]) ?? usual);
  const idle = Math.max(
    number("read-timeout", "read_timeout", 60_000),
    number("write-timeout", "write_timeout", 60_000),
  );
  const retries = number("retries", "retries", 5);
  const host = service?.text("host-header", ["upstream", "host_header"]);
  const balancing = service && balancingOf(service, conversion);
  if (options.text("preserve-host", ["route", "preserve_host"]) === "false" && host === undefined)
    conversion.remark(
      "warning",
      part,
      "the backend gets the host of the request, and not that of the Service",
      { hosts, todo: "set the annotation host-header of the Service" },
    );
  return {
    ...noFilters("infinity"),
    idle: `${idle}ms`,
    requestHeaders: {
      ...plugged.request,
      set: [
        ...plugged.request.set,
        ...(stripped === undefined ? [] : [["X-Forwarded-Prefix", stripped] as const]),
      ],
    },
    responseHeaders: plugged.response,
    ...(retries > 0 ? { retry: { count: retries, on: ["connect-failure", "refused-stream"] } } : {}),
    ...(rewrite ? { rewrite } : {}),
    ...(host === undefined ? {} : { host }),
    ...(plugged.cors ? { cors: plugged.cors } : {}),
    ...(balancing?.balancing ? { balancing: balancing.balancing } : {}),
    ...(balancing?.path === undefined
      ? {}
      : {
          healthCheck: {
            path: balancing.path,
            ...(balancing.interval ? { intervalSeconds: balancing.interval } : {}),
          },
        }),
  };
}
