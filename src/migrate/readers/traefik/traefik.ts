import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import { exact, matchOf, segments, prefix as textPrefix } from "../../matches.js";
import { noFilters, type RouteFilters, type SourcePart, type SourceRoute } from "../../model.js";
import { collectionsOf, type Peer } from "../../peer.js";
import { annotationOf, type SourceObject } from "../../source.js";
import { ignored } from "../../table.js";
import { ingressPaths, isOfPeer, ruleHosts, tlsHosts } from "../ingress-rules.js";
import {
  type AppliedMiddlewares,
  applyMiddlewares,
  changesOf,
  type MiddlewareRef,
  refOf,
} from "./middlewares.js";
import { type Branch, readRule } from "./rule.js";
import { type Targets, targetsOf } from "./services.js";
import { annotationPrefix, ingressRouteTable, ingressTable, tcpTable } from "./table.js";
import { readTcpRoutes } from "./tcp.js";
import { addTls } from "./tls.js";

const groups = ["traefik.io", "traefik.containo.us"];
const sourceKinds = ["IngressRoute", "IngressRouteTCP"];

/** Traefik: its IngressRoutes, and Ingresses with its annotations. */
export const traefik: Peer = {
  name: "traefik",
  groups,
  kinds: groups.flatMap((group) =>
    [
      "Middleware",
      "MiddlewareTCP",
      "TraefikService",
      "TLSOption",
      "TLSStore",
      "ServersTransport",
      "ServersTransportTCP",
    ].map((kind) => `${kind}.${group}`),
  ),
  collections: groups.flatMap((group) =>
    collectionsOf(
      group,
      ["v1alpha1"],
      [
        ...sourceKinds,
        "IngressRouteUDP",
        "Middleware",
        "MiddlewareTCP",
        "TraefikService",
        "TLSOption",
        "TLSStore",
        "ServersTransport",
      ],
    ),
  ),
  takes: (object, { from, classes }) =>
    (groups.includes(object.group) &&
      (sourceKinds.includes(object.kind) || object.kind === "IngressRouteUDP")) ||
    isOfPeer(object, { peer: "traefik", prefixes: [annotationPrefix], from, classes }),
  read(objects, conversion) {
    for (const object of objects) {
      if (object.kind === "IngressRoute") readIngressRoute(object, conversion);
      else if (object.kind === "IngressRouteTCP") {
        conversion.take(object, tcpTable);
        readTcpRoutes(object, conversion);
      } else if (object.kind === "Ingress") readIngress(object, conversion);
      else {
        conversion.take(object, { fields: { spec: ignored } });
        conversion.remark("error", partOf(object), "there is no UDP here; left out");
      }
    }
  },
  beside: [
    {
      kinds: [],
      message:
        "Traefik's static configuration is not read: its entry points may have redirects, middlewares and trusted proxies of their own",
      todo: "look for entryPoints.*.http.redirections, .http.middlewares and .forwardedHeaders",
    },
  ],
};

interface Entry {
  readonly http: boolean;
  readonly https: boolean;
}

const plainNames = ["web", "http", "traefik"];
const secureNames = ["websecure", "https"];

/** The entry points of a router, by their usual names; undefined if a name is unknown. */
function entryOf(names: readonly string[], hasTls: boolean): Entry | undefined {
  if (names.some((name) => !plainNames.includes(name) && !secureNames.includes(name))) return undefined;
  // A router with TLS accepts no plain requests, regardless of its entry points.
  if (hasTls) return { http: false, https: true };
  if (names.length === 0) return { http: true, https: false };
  return {
    http: names.some((name) => plainNames.includes(name)),
    https: names.some((name) => secureNames.includes(name)),
  };
}

function readIngressRoute(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, ingressRouteTable);
  const isOldGroup = object.group === "traefik.containo.us";
  const tls = object.root.at("spec", "tls");
  const names = object.root.at("spec", "entryPoints").texts();
  for (const field of object.root.at("spec", "routes").items()) {
    const rule = field.at("match").text() ?? "";
    const isOld = (field.at("syntax").text() ?? (isOldGroup ? "v2" : "v3")) === "v2";
    const branches = readRule(rule, { isOld });
    const priority = field.at("priority").number() || rule.length;
    const part = partOf(object, field);
    if (typeof branches === "string") {
      field.use();
      conversion.remark("error", part, `the rule ${rule} ${branches}; left out`, { closes: true });
      continue;
    }
    const services = field.at("services").items();
    const middlewares = field
      .at("middlewares")
      .items()
      .map((one) => refOf(one, object));
    for (const group of groupedByRest(branches))
      addRoute({ object, part, branch: group, names, tls, middlewares, services, priority }, conversion);
  }
}

/** Merges branches that differ only in their hosts. */
function groupedByRest(branches: readonly Branch[]): Branch[] {
  const groups = new Map<string, Branch>();
  for (const branch of branches) {
    const { hosts, ...rest } = branch;
    const key = JSON.stringify(rest);
    const own = groups.get(key);
    groups.set(key, own ? { ...own, hosts: [...new Set([...own.hosts, ...hosts])] } : branch);
  }
  return [...groups.values()];
}

interface Router {
  readonly object: SourceObject;
  readonly part: SourcePart;
  readonly branch: Branch;
  readonly names: readonly string[];
  readonly tls: Field;
  readonly middlewares: readonly MiddlewareRef[];
  readonly services: readonly Field[];
  readonly priority: number;
}

function addRoute(
  { object, part, branch, names, tls, middlewares, services, priority }: Router,
  conversion: Conversion,
): void {
  const { hosts } = branch;
  const isTls = tls.seen();
  const entry = entryOf(names, isTls);
  const applied = applyMiddlewares(middlewares, { path: branch.path, hosts, conversion });
  const targets = targetsOf(services, object, { conversion, hosts });
  let closed = applied.closed || (targets.closed && !applied.redirect);
  if (branch.problem !== undefined) {
    closed = true;
    conversion.remark("error", part, `of its rule ${branch.problem}; answered 503`, { hosts, closes: true });
  }
  if (!entry) {
    closed = true;
    conversion.remark(
      "error",
      part,
      `the entry points ${names.join(", ")} are of the static configuration, which is not read; answered 503`,
      {
        hosts,
        closes: true,
        todo: "name web or websecure in the source",
      },
    );
  }
  const options = isTls ? addTls(object, tls, hosts, conversion) : { parts: [], closed: false };
  conversion.routes.push({
    parts: [part, ...applied.parts, ...targets.parts, ...options.parts],
    hosts,
    match: matchOf(branch.path, branch.headers, branch.queries),
    action: actionOf(applied, targets),
    filters: filtersOf(applied, targets),
    access: applied.redirect ? [] : applied.access,
    http: (entry ?? { http: !isTls }).http ? "serve" : "none",
    https: entry?.https ?? isTls,
    precedence: -priority,
    ...(closed || options.closed ? { closed: true } : {}),
  });
}

function actionOf(applied: AppliedMiddlewares, targets: Targets): SourceRoute["action"] {
  if (applied.redirect) return { kind: "redirect", redirect: applied.redirect };
  if (targets.backends.length > 0) return { kind: "forward", backends: targets.backends };
  return { kind: "respond", status: 503, body: "" };
}

/** Traefik has no timeout for responses. */
const filtersOf = (applied: AppliedMiddlewares, targets: Targets): RouteFilters => ({
  ...noFilters("infinity"),
  requestHeaders: changesOf(applied.request),
  responseHeaders: changesOf(applied.response),
  mirrors: targets.mirrors,
  ...(applied.rewrite ? { rewrite: applied.rewrite } : {}),
  ...(applied.host === undefined ? {} : { host: applied.host }),
  ...(applied.cors ? { cors: applied.cors } : {}),
  ...(targets.balancing ? { balancing: targets.balancing } : {}),
  ...(applied.retries
    ? { retry: { count: applied.retries, on: ["connect-failure", "refused-stream"] } }
    : {}),
});

function readIngress(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, ingressTable);
  const annotation = (name: string): string | undefined =>
    annotationOf(object, `${annotationPrefix}${name}`).text();
  const list = (name: string): string[] =>
    (annotation(name) ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  const names = list("router.entrypoints");
  const isTls = annotation("router.tls") === "true";
  const named = tlsHosts(object);
  const matcher = annotation("router.pathmatcher") ?? "PathPrefix";
  const own = Number(annotation("router.priority") ?? 0);
  const options = annotationOf(object, `${annotationPrefix}router.tls.options`);
  annotation("router.tls.certresolver");
  if (options.text() !== undefined)
    conversion.remark("error", partOf(object, options), "TLSOptions of an annotation are not converted", {
      hosts: ruleHosts(object),
    });
  for (const path of ingressPaths(object)) {
    const part = partOf(object, path.field);
    const secured = isTls || named.has(path.host);
    const entry = entryOf(names, secured) ?? { http: !secured, https: secured };
    const kind =
      matcher === "Path" || path.type === "Exact"
        ? exact(path.path)
        : path.type === "Prefix"
          ? segments(path.path)
          : textPrefix(path.path);
    const refs = list("router.middlewares").map((text) => annotationRef(text, object));
    const applied = applyMiddlewares(refs, { path: kind, hosts: [path.host], conversion });
    const backends = path.backend ? [path.backend] : [];
    const targets: Targets = { parts: [], backends, mirrors: [], closed: backends.length === 0 };
    const tls = secured
      ? addTls(object, tlsField(object, named, path.host), [path.host], conversion)
      : { parts: [], closed: false };
    conversion.routes.push({
      parts: [part, ...applied.parts, ...tls.parts],
      hosts: [path.host],
      match: matchOf(kind),
      action: actionOf(applied, targets),
      filters: filtersOf(applied, targets),
      access: applied.redirect ? [] : applied.access,
      http: entry.http ? "serve" : "none",
      https: entry.https,
      precedence: -(own || path.path.length),
      ...(applied.closed || tls.closed || options.given ? { closed: true } : {}),
    });
  }
}

const tlsField = (object: SourceObject, named: ReturnType<typeof tlsHosts>, host: string): Field =>
  named.get(host)?.field ?? object.root.at("spec", "tls", 0);

/** Parses `NAMESPACE-NAME@kubernetescrd`. The namespace may contain `-`, too. */
function annotationRef(text: string, object: SourceObject): MiddlewareRef {
  const part = partOf(object, annotationOf(object, `${annotationPrefix}router.middlewares`));
  const [name = "", provider] = text.split("@");
  if (provider !== "kubernetescrd")
    return { name: text.includes("@") ? text : `${text}@`, namespace: "", part };
  const own = `${object.namespace}-`;
  if (name.startsWith(own)) return { name: name.slice(own.length), namespace: object.namespace, part };
  const dash = name.indexOf("-");
  return { name: name.slice(dash + 1), namespace: name.slice(0, dash), part };
}
