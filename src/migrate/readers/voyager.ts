import { type Conversion, partOf } from "../conversion.js";
import type { Field } from "../field.js";
import { matchOf, prefix as textPrefix } from "../matches.js";
import {
  type AccessRule,
  type Cors,
  noFilters,
  type RouteFilters,
  type SourceBackend,
  type SourceRoute,
} from "../model.js";
import { collectionsOf, type Peer } from "../peer.js";
import type { SourceObject } from "../source.js";
import { carried, changed, ignored, type KindTable, lost, restricts } from "../table.js";
import { IngressAnnotations } from "./ingress-rules.js";

const group = "voyager.appscode.com";
const prefix = "ingress.appscode.com/";
const password = restricts(
  "asks for a password, which HTTPProxy does not",
  "ask an ExtensionService (virtualhost.authorization)",
);
const haproxy = restricts("is configuration of HAProxy, which is not read", "write by hand what it does");

const rows = {
  "ssl-redirect": carried,
  "force-ssl-redirect": carried,
  "rewrite-target": carried,
  "ssl-passthrough": restricts("passes TLS through", "write tls.passthrough and tcpproxy"),
  hsts: carried,
  "hsts-max-age": carried,
  "hsts-include-subdomains": carried,
  "hsts-preload": carried,
  "enable-cors": carried,
  "cors-allow-headers": carried,
  "cors-allow-methods": carried,
  "cors-allow-origin": carried,
  "cors-allow-credentials": carried,
  "auth-type": password,
  "auth-secret": password,
  "auth-realm": ignored,
  "auth-tls-secret": restricts("asks for client certificates", "write tls.clientValidation"),
  "auth-tls-verify-client": ignored,
  "auth-tls-error-page": ignored,
  "whitelist-source-range": carried,
  "limit-rps": lost("limits each client; left out"),
  "limit-rpm": lost("limits each client; left out"),
  "limit-connection": lost("limits each client; left out"),
  affinity: changed("the cookie is X-Contour-Session-Affinity for the path /", "warning"),
  "session-cookie-name": ignored,
  "session-cookie-hash": ignored,
  "default-timeout": lost("50 s without bytes are the limit, as by default", "info"),
  "default-option": ignored,
  "frontend-rules": haproxy,
  type: ignored,
  replicas: ignored,
  "load-balancer-ip": ignored,
  "keep-source-ip": ignored,
  "accept-proxy": lost("is a setting", "warning", "set useProxyProtocol"),
  "annotations-service": ignored,
  "annotations-pod": ignored,
  "service-annotations": ignored,
  "use-node-port": ignored,
  stats: ignored,
  "stats-port": ignored,
} as const;

const backendRows = (at: string) => ({
  [`${at}.serviceName`]: carried,
  [`${at}.servicePort`]: carried,
  [`${at}.hostNames`]: lost("single pods of a Service can't be chosen", "error"),
  [`${at}.alpn`]: ignored,
  [`${at}.proto`]: ignored,
  [`${at}.name`]: ignored,
  [`${at}.loadBalanceOn`]: lost("requests are sent round robin"),
  [`${at}.backendRules`]: haproxy,
  [`${at}.rewriteRules`]: haproxy,
  [`${at}.headerRules`]: carried,
});

const table: KindTable = {
  fields: {
    ...backendRows("spec.backend"),
    "spec.tls[].secretName": carried,
    "spec.tls[].ref": carried,
    "spec.tls[].hosts": carried,
    "spec.rules[].host": carried,
    "spec.rules[].http.port": lost("ports are 80 and 443", "error"),
    "spec.rules[].http.nodePort": ignored,
    "spec.rules[].http.noTLS": carried,
    "spec.rules[].http.alpn": ignored,
    "spec.rules[].http.proto": ignored,
    "spec.rules[].http.address": ignored,
    "spec.rules[].http.paths[].path": carried,
    ...backendRows("spec.rules[].http.paths[].backend"),
    "spec.rules[].tcp": lost("TCP is not converted", "error", "write tcpproxy or a TCPRoute"),
    "spec.frontendRules": haproxy,
    "spec.configVolumes": ignored,
    "spec.loadBalancerSourceRanges": restricts(
      "lets addresses in at the load balancer",
      "keep it at the Service of Envoy",
    ),
    "spec.nodeSelector": ignored,
    "spec.tolerations": ignored,
    "spec.affinity": ignored,
    "spec.resources": ignored,
    "spec.externalIPs": ignored,
    "spec.imagePullSecrets": ignored,
  },
  annotations: Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${prefix}${name}`, row])),
  prefixes: [prefix],
};

/** Voyager: Ingresses of its own API group. */
export const voyager: Peer = {
  name: "voyager",
  groups: [group],
  kinds: [`Certificate.${group}`],
  collections: collectionsOf(group, ["v1", "v1beta1"], ["Ingress"]),
  takes: (object) => object.group === group && object.kind === "Ingress",
  read(objects, conversion) {
    for (const object of objects) readIngress(object, conversion);
  },
};

function readIngress(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, table);
  const annotations = new IngressAnnotations(object, prefix);
  const secure = new Set<string>();
  for (const field of object.root.at("spec", "tls").items()) {
    const name = field.at("secretName").text() ?? field.at("ref", "name").text();
    field.at("ref").use();
    for (const host of field
      .at("hosts")
      .texts()
      .map((one) => one.toLowerCase())) {
      if (!name) continue;
      secure.add(host);
      conversion.sites.push({
        part: partOf(object, field),
        host,
        tls: { kind: "terminate", secret: { namespace: object.namespace, name } },
      });
    }
  }
  for (const rule of object.root.at("spec", "rules").items()) {
    const host = rule.at("host").text()?.toLowerCase() || "*";
    const hasTls = secure.has(host) && !(rule.at("http", "noTLS").flag() ?? false);
    for (const field of rule.at("http", "paths").items())
      addRoute(object, field, { host, hasTls, annotations }, conversion);
  }
  const backend = object.root.at("spec", "backend");
  if (backend.given) addRoute(object, backend, { host: "*", hasTls: false, annotations }, conversion);
}

interface Terms {
  readonly host: string;
  readonly hasTls: boolean;
  readonly annotations: IngressAnnotations;
}

function addRoute(
  object: SourceObject,
  field: Field,
  { host, hasTls, annotations }: Terms,
  conversion: Conversion,
): void {
  const path = field.at("path").text() || "/";
  const at = field.at("backend").given ? field.at("backend") : field;
  const target = backendOf(object, at);
  const part = partOf(object, field);
  if (!target)
    conversion.remark("error", part, "has no Service as its backend; answered 503", {
      hosts: [host],
      closes: true,
    });
  const isRedirected =
    annotations.flag("ssl-redirect") !== false || annotations.flag("force-ssl-redirect") === true;
  const route: SourceRoute = {
    parts: [part],
    hosts: [host],
    match: matchOf(textPrefix(path)),
    action: target ? { kind: "forward", backends: [target] } : { kind: "respond", status: 503, body: "" },
    filters: filtersOf(at, annotations, hasTls),
    access: accessOf(annotations),
    http: hasTls && isRedirected ? 308 : "serve",
    https: hasTls,
    precedence: -path.length,
    ...(target ? {} : { closed: true }),
  };
  conversion.routes.push(route);
}

function backendOf(object: SourceObject, field: Field): SourceBackend | undefined {
  const text = field.at("serviceName").text();
  const port = field.at("servicePort").port();
  const [name, namespace = object.namespace] = text?.split(".") ?? [];
  if (!name || port === undefined) return undefined;
  return { namespace, name, port: typeof port === "string" && /^\d+$/.test(port) ? Number(port) : port };
}

function filtersOf(backend: Field, annotations: IngressAnnotations, hasTls: boolean): RouteFilters {
  const target = annotations.text("rewrite-target");
  const headers = backend
    .at("headerRules")
    .texts()
    .map((rule): [string, string] => {
      const space = rule.search(/\s/);
      return [rule.slice(0, space), rule.slice(space + 1).trim()];
    });
  const subdomains = annotations.flag("hsts-include-subdomains") ? "; includeSubDomains" : "";
  const preload = annotations.flag("hsts-preload") ? "; preload" : "";
  const isHsts = annotations.flag("hsts") !== false && hasTls;
  const age = annotations.text("hsts-max-age") ?? "15768000";
  const cors = corsOf(annotations);
  return {
    ...noFilters("infinity"),
    idle: "50s",
    requestHeaders: { set: headers, add: [], remove: [] },
    responseHeaders: {
      set: isHsts ? [["Strict-Transport-Security", `max-age=${age}${subdomains}${preload}`]] : [],
      add: [],
      remove: [],
    },
    ...(target ? { rewrite: { kind: "prefix", value: target } } : {}),
    ...(cors ? { cors } : {}),
    ...(annotations.text("affinity") === "cookie" ? { balancing: { strategy: "Cookie" } } : {}),
  };
}

function corsOf(annotations: IngressAnnotations): Cors | undefined {
  const [origins, methods, headers] = [
    annotations.list("cors-allow-origin"),
    annotations.list("cors-allow-methods"),
    annotations.list("cors-allow-headers"),
  ];
  const allowCredentials = annotations.flag("cors-allow-credentials") ?? true;
  if (annotations.flag("enable-cors") !== true) return undefined;
  return {
    allowOrigin: origins.length > 0 ? origins : ["*"],
    allowMethods: methods.length > 0 ? methods : ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"],
    allowHeaders: headers,
    exposeHeaders: [],
    allowCredentials: origins.length > 0 && !origins.includes("*") && allowCredentials,
  };
}

function accessOf(annotations: IngressAnnotations): AccessRule[] {
  const allow = annotations.list("whitelist-source-range");
  if (allow.length === 0) return [];
  const full = (one: string): string => (one.includes("/") ? one : `${one}/${one.includes(":") ? 128 : 32}`);
  const part = annotations.partOf("whitelist-source-range");
  return [{ part, kind: "addresses", allow: allow.map(full), deny: [], source: "Peer" }];
}
