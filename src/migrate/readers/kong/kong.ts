import type { HeaderMatch, PathMatch } from "../../../graph/matches/match-types.js";
import { type Conversion, partOf } from "../../conversion.js";
import { exact, header, matchOf, method, prefix as textPrefix, regex, segments } from "../../matches.js";
import { type Backend, type Filters, type LoadBalancing, noFilters, type Part, type Rewrite, type Route } from "../../model.js";
import type { Peer } from "../../peers.js";
import type { SourceObject } from "../../source.js";
import {
  addSites,
  Annotations,
  defaultBackendOf,
  type IngressPath,
  ingressPaths,
  isOfPeer,
  ruleHosts,
} from "../ingress-rules.js";
import { applyPlugins, globalPlugins, group, type Plugged, pluginsNamed } from "./plugins.js";
import { ingressTable, kongIngressTable, prefix, serviceTable, tcpTable, upstreamPolicyTable } from "./table.js";

/** The Kong Ingress Controller. */
export const kong: Peer = {
  name: "kong",
  groups: ["konghq.com"],
  kinds: ["KongPlugin", "KongClusterPlugin", "KongIngress", "KongConsumer", "KongConsumerGroup", "KongUpstreamPolicy", "KongVault", "KongLicense"].map(
    (kind) => `${kind}.${group}`,
  ),
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
      else conversion.remark("error", partOf(object), "there is no UDP here; left out");
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

/** Options of an Ingress or a Service: an annotation, else the field of the KongIngress that it names. */
class Options {
  readonly annotations: Annotations;
  readonly kongIngress: SourceObject | undefined;

  constructor(
    readonly object: SourceObject,
    conversion: Conversion,
  ) {
    this.annotations = new Annotations(object, prefix);
    const name = this.annotations.text("override");
    this.kongIngress = name === undefined ? undefined : conversion.find(group, "KongIngress", object.namespace, name);
    if (this.kongIngress) conversion.take(this.kongIngress, kongIngressTable);
    else if (name !== undefined)
      conversion.remark("error", { object, path: this.annotations.pathOf("override") }, `KongIngress ${name} is not among the input: its options are not known`, {
        todo: "give it, too",
      });
  }

  text(name: string, field: readonly string[]): string | undefined {
    const own = this.annotations.text(name);
    const value = this.kongIngress?.root.at(...field).use();
    if (own !== undefined) return own;
    if (Array.isArray(value)) return value.map(String).join(",");
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
  }

  list(name: string, field: readonly string[]): string[] {
    return (this.text(name, field) ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  }
}

function readIngress(object: SourceObject, withTls: ReadonlySet<string>, conversion: Conversion): void {
  const options = new Options(object, conversion);
  const paths = ingressPaths(object);
  const fallback = defaultBackendOf(object);
  const all: IngressPath[] = [...paths];
  if (fallback)
    for (const host of new Set(ruleHosts(object).length > 0 ? ruleHosts(object) : ["*"]))
      if (!paths.some((one) => one.host === host && one.path === "/" && one.type === "Prefix"))
        all.push({ object, host, path: "/", type: "Prefix", backend: fallback, field: object.root.at("spec", "defaultBackend") });
  for (const path of all) conversion.routes.push(...routesOf(path, options, withTls, conversion));
}

function routesOf(path: IngressPath, options: Options, withTls: ReadonlySet<string>, conversion: Conversion): Route[] {
  const { object, backend, field } = path;
  const aliases = options.list("host-aliases", []).map((host) => host.toLowerCase());
  const hosts = [path.host, ...aliases.filter((host) => host !== path.host)];
  const part = partOf(object, field);
  const service = backend && conversion.find("", "Service", backend.namespace, backend.name);
  if (service) conversion.take(service, serviceTable);
  const ofService = service ? new Options(service, conversion) : undefined;
  const target = { hosts, conversion };
  const own = pluginsNamed(options.list("plugins", []), { namespace: object.namespace, part }, target);
  const further = ofService
    ? pluginsNamed(ofService.list("plugins", []), { namespace: ofService.object.namespace, part: partOf(ofService.object) }, target)
    : { objects: [], closed: false };
  const plugged = applyPlugins([own.objects, further.objects, globalPlugins(conversion)], target);
  const match = pathOf(path, options);
  const rewritten = rewriteOf(match, options, ofService, { part, hosts, conversion });
  const hasTls = withTls.has(path.host);
  if (hasTls) shareSite(path.host, aliases, conversion);
  const parts: Part[] = [
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
    ...(isOpen || ((plugged.redirect || plugged.response503) && !plugged.closed && !own.closed) ? {} : { closed: true }),
  };
  return conditionsOf(object, options).map((headers): Route => {
    const made = matchOf(match, headers);
    return { ...base, match: made, precedence: precedenceOf(made, path.host, options) };
  });
}

function shareSite(host: string, aliases: readonly string[], { sites }: Conversion): void {
  const site = sites.find((one) => one.host === host);
  for (const alias of aliases) if (site && !sites.some((one) => one.host === alias)) sites.push({ ...site, host: alias });
}

function pathOf({ path, type }: IngressPath, options: Options): PathMatch {
  const mark = options.annotations.text("regex-prefix") ?? "/~";
  options.annotations.text("path-handling");
  if (path.startsWith(mark)) {
    const pattern = path.slice(mark.length);
    return regex(pattern.endsWith("$") ? pattern.slice(0, -1) : `${pattern}.*`);
  }
  if (type === "Exact") return exact(path);
  return type === "Prefix" ? segments(path) : textPrefix(path);
}

/** One list of headers for each combination of method and values. */
function conditionsOf(object: SourceObject, options: Options): HeaderMatch[][] {
  const methods = options.list("methods", ["route", "methods"]);
  let all: HeaderMatch[][] = methods.length > 0 ? methods.map((one) => [method(one)]) : [[]];
  for (const [name, field] of object.root.at("metadata", "annotations").entries()) {
    const [, headerName] = /^konghq\.com\/headers\.(.+)$/.exec(name) ?? [];
    if (headerName === undefined) continue;
    const values = (field.text() ?? "").split(",").map((one) => one.trim());
    const of = (value: string): HeaderMatch =>
      value.startsWith("~*") ? header(headerName, "regex", `(?i)${value.slice(2)}`) : header(headerName, "exact", value, { ignoreCase: true });
    all = all.flatMap((headers) => values.map((value) => [...headers, of(value)]));
  }
  return all;
}

/** More fields first, hosts before wildcards, regular expressions before prefixes, their priority, the longer path. */
function precedenceOf({ path, headers }: Route["match"], host: string, options: Options): number {
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
  readonly part: Part;
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

interface Rewritten {
  readonly rewrite?: Rewrite;
  readonly prefix?: string;
  readonly closed?: boolean;
}

/** `strip-path` takes the path off, and the Service's `path` is put before what is left. */
function rewriteOf(match: PathMatch, options: Options, service: Options | undefined, { part, hosts, conversion }: Noting): Rewritten {
  const isStripped = options.text("strip-path", ["route", "strip_path"]) === "true";
  const before = (service?.text("path", ["proxy", "path"]) ?? "").replace(/\/$/, "");
  const whole = options.annotations.text("rewrite");
  const close = (message: string): Rewritten => {
    conversion.remark("error", part, `${message}; answered 503`, { hosts, closes: true, todo: "let the backend take the whole path" });
    return { closed: true };
  };
  if (whole !== undefined)
    return whole.includes("$") ? close("rewrites paths by groups of a regular expression") : { rewrite: { kind: "full", value: whole } };
  if (!isStripped && before === "") return {};
  if (match.kind === "regex") return close("paths that a regular expression matches can't be rewritten in part");
  const stripped = isStripped ? { prefix: match.value } : {};
  if (match.kind === "exact")
    return { ...stripped, rewrite: { kind: "full", value: `${before}${isStripped ? "/" : match.value}` } };
  return { ...stripped, rewrite: { kind: "prefix", value: `${before}${isStripped ? "" : match.value}` || "/" } };
}

function listeningOf(options: Options, hasTls: boolean): Pick<Route, "http" | "https"> {
  const protocols = options.list("protocols", ["route", "protocols"]);
  const forced = options.object.root.at("metadata", "annotations", "ingress.kubernetes.io/force-ssl-redirect").text() === "true";
  const isSecure = protocols.length > 0 && !protocols.some((one) => one === "http" || one === "grpc");
  const isPlain = protocols.length > 0 && !protocols.some((one) => one === "https" || one === "grpcs");
  // Without a certificate of its own a host would be served without TLS.
  if (isSecure && !hasTls) return { http: "none", https: true };
  if (hasTls && (isSecure || forced)) return { http: 301, https: true };
  return { http: "serve", https: hasTls && !isPlain };
}

const protocols: Readonly<Record<string, NonNullable<Backend["protocol"]>>> = { https: "tls", grpc: "h2c", grpcs: "h2", tls: "tls" };

function protocolOf(service: Options | undefined): Pick<Backend, "protocol"> {
  const named = service?.text("protocol", ["proxy", "protocol"]) ?? "";
  const protocol = Object.hasOwn(protocols, named) ? protocols[named] : undefined;
  return protocol ? { protocol } : {};
}

function actionOf({ redirect, response503 }: Plugged, backend: Backend | undefined): Route["action"] {
  if (response503) return { kind: "respond", ...response503 };
  if (redirect) return { kind: "redirect", redirect };
  return backend ? { kind: "forward", backends: [backend] } : { kind: "respond", status: 503, body: "" };
}

function filtersOf(plugged: Plugged, { rewrite, prefix: stripped }: Rewritten, options: Options, service: Options | undefined, noting: Noting): Filters {
  const { part, hosts, conversion } = noting;
  const number = (name: string, field: string, usual: number): number => Number(service?.text(name, ["proxy", field]) ?? usual);
  const idle = Math.max(number("read-timeout", "read_timeout", 60_000), number("write-timeout", "write_timeout", 60_000));
  const retries = number("retries", "retries", 5);
  const host = service?.text("host-header", ["upstream", "host_header"]);
  const balancing = service && balancingOf(service, conversion);
  if (options.text("preserve-host", ["route", "preserve_host"]) === "false" && host === undefined)
    conversion.remark("warning", part, "the backend gets the host of the request, and not that of the Service", { hosts, todo: "set the annotation host-header of the Service" });
  return {
    ...noFilters("infinity"),
    idle: `${idle}ms`,
    requestHeaders: {
      ...plugged.request,
      set: [...plugged.request.set, ...(stripped === undefined ? [] : [["X-Forwarded-Prefix", stripped] as const])],
    },
    responseHeaders: plugged.response,
    ...(retries > 0 ? { retry: { count: retries, on: ["connect-failure", "refused-stream"] } } : {}),
    ...(rewrite ? { rewrite } : {}),
    ...(host === undefined ? {} : { host }),
    ...(plugged.cors ? { cors: plugged.cors } : {}),
    ...(balancing?.balancing ? { balancing: balancing.balancing } : {}),
    ...(balancing?.path === undefined ? {} : { healthCheck: { path: balancing.path, ...(balancing.interval ? { intervalSeconds: balancing.interval } : {}) } }),
  };
}

function balancingOf(service: Options, conversion: Conversion): { balancing?: LoadBalancing; path?: string; interval?: number } {
  const name = service.annotations.text("upstream-policy");
  const policy = name === undefined ? undefined : conversion.find(group, "KongUpstreamPolicy", service.object.namespace, name);
  const upstream = service.kongIngress?.root.at("upstream");
  if (name !== undefined && !policy)
    conversion.remark("warning", { object: service.object, path: service.annotations.pathOf("upstream-policy") }, `KongUpstreamPolicy ${name} is not among the input`, { todo: "give it, too" });
  if (policy) conversion.take(policy, upstreamPolicyTable);
  const spec = policy?.root.at("spec");
  const headerName = spec?.at("hashOn", "header").text() ?? upstream?.at("hash_on_header").text();
  const queryName = spec?.at("hashOn", "queryArg").text();
  const cookie = spec?.at("hashOn", "cookie").text() ?? upstream?.at("hash_on_cookie").text();
  const input = spec?.at("hashOn", "input").text() ?? upstream?.at("hash_on").text();
  const algorithm = spec?.at("algorithm").text() ?? upstream?.at("algorithm").text();
  const path = spec?.at("healthchecks", "active", "httpPath").text();
  const interval = spec?.at("healthchecks", "active", "healthy", "interval").number();
  const check = { ...(path === undefined ? {} : { path }), ...(interval ? { interval } : {}) };
  if (headerName) return { ...check, balancing: { strategy: "RequestHash", hash: [{ header: headerName }] } };
  if (queryName) return { ...check, balancing: { strategy: "RequestHash", hash: [{ query: queryName }] } };
  if (cookie) return { ...check, balancing: { strategy: "Cookie" } };
  if (input === "ip") return { ...check, balancing: { strategy: "RequestHash", hash: [{ source: true }] } };
  return algorithm === "least-connections" ? { ...check, balancing: { strategy: "WeightedLeastRequest" } } : check;
}

function readTcp(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, tcpTable);
  const annotations = new Annotations(object, prefix);
  const passes = annotations.list("protocols").includes("tls_passthrough");
  const secrets = object.root.at("spec", "tls").items().map((field) => ({
    name: field.at("secretName").text(),
    hosts: field.at("hosts").texts(),
  }));
  const isRestricted = annotations.text("plugins") !== undefined;
  for (const field of object.root.at("spec", "rules").items()) {
    const part = partOf(object, field);
    const host = field.at("host").text()?.toLowerCase();
    const port = field.at("port").number() ?? 0;
    const name = field.at("backend", "serviceName").text();
    const to = field.at("backend", "servicePort").port();
    const number = name === undefined || to === undefined ? undefined : conversion.portNumber({ namespace: object.namespace, name, port: to });
    const secret = secrets.find(({ hosts }) => host !== undefined && hosts.includes(host))?.name;
    const left = (message: string): void => conversion.remark("error", part, `${message}; left out`, { hosts: host ? [host] : [] });
    if (name === undefined || number === undefined) left("has no Service with a port that is known");
    else if (isRestricted) left("its plugins keep connections out, and can't be converted");
    else {
      const tcp = [{ namespace: object.namespace, name, port: number }];
      if (host === undefined) conversion.tcpPorts.push({ part, port, backends: tcp });
      else if (passes) conversion.sites.push({ part, host, tls: { kind: "passthrough" }, tcp });
      else if (secret) conversion.sites.push({ part, host, tls: { kind: "terminate", secret: { namespace: object.namespace, name: secret } }, tcp });
      else left("its host has no certificate in spec.tls");
    }
  }
}
