import type { Conversion } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { SourcePart } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";

/** The ConfigMap of ingress-nginx: options for all hosts, and defaults of annotations. */
export interface NginxConfig {
  readonly object?: SourceObject;
  /** The option that applies where an Ingress lacks the annotation. */
  defaultOf(annotation: string): Field | undefined;
  /** The ranges whose requests are refused on all hosts, in addition to those of annotations. */
  readonly blocked: readonly string[];
  /** Whether addresses are those that trusted proxies report. */
  readonly isForwarded: boolean;
  /** The status of redirects to HTTPS. */
  readonly redirectStatus: 301 | 302 | 307 | 308;
  /** The value of Strict-Transport-Security; undefined if the header is not sent. */
  readonly hsts: string | undefined;
  readonly requestHeaders: readonly (readonly [name: string, value: string])[];
  readonly responseHeaders: readonly (readonly [name: string, value: string])[];
  /** Headers of backends that clients do not get. */
  readonly hidden: readonly string[];
}

/** The options that are defaults of the annotations with the same name. */
const defaults: ReadonlySet<string> = new Set([
  "denylist-source-range",
  "enable-modsecurity",
  "force-ssl-redirect",
  "load-balance",
  "proxy-body-size",
  "proxy-next-upstream",
  "proxy-next-upstream-tries",
  "proxy-read-timeout",
  "proxy-send-timeout",
  "ssl-redirect",
  "whitelist-source-range",
]);

const setting = (name: string): Row => lost(`is the setting ${name} of Isoline`, "warning", `set ${name}`);
const snippet = restricts(
  "is nginx configuration of all hosts, which may restrict access",
  "write by hand what it does, and remove it from the source",
);
const firewall = restricts("is a web application firewall, which Envoy does not have");
const refuses = restricts("refuses requests by a header on all hosts, which is not converted");
const log = lost("is an option of logs", "info", "set accessLog");

const rows: Readonly<Record<string, Row>> = {
  ...Object.fromEntries([...defaults].map((name) => [name, carried])),
  "add-headers": carried,
  "allow-snippet-annotations": changed("snippets are converted or close their routes, whatever it is"),
  "annotations-risk-level": ignored,
  "block-cidrs": carried,
  "block-referers": refuses,
  "block-user-agents": refuses,
  "compute-full-forwarded-for": ignored,
  "custom-http-errors": lost("answers of the backend with these codes are sent on as they are"),
  "enable-brotli": setting("compression"),
  "enable-opentelemetry": setting("tracing"),
  "enable-owasp-modsecurity-crs": ignored,
  "enable-real-ip": setting("network.numTrustedHops"),
  "error-log-level": ignored,
  "forwarded-for-header": setting("network.numTrustedHops"),
  "global-auth-url": restricts(
    "asks a URL about each request of all hosts, and HTTPProxy has no fixed path for that",
    "serve the Ingresses as they are (setting ingressNginx), or use the setting globalExtAuth",
  ),
  "global-auth-response-headers": ignored,
  "global-auth-signin": ignored,
  "hide-headers": carried,
  hsts: carried,
  "hsts-include-subdomains": carried,
  "hsts-max-age": carried,
  "hsts-preload": carried,
  "http-redirect-code": carried,
  "http-snippet": snippet,
  "keep-alive": setting("timeouts.connectionIdleTimeout"),
  "keep-alive-requests": setting("listener.maxRequestsPerConnection"),
  "limit-req-status-code": lost("limits answer 429", "info"),
  "location-snippet": snippet,
  "log-format-escape-json": log,
  "log-format-upstream": log,
  "main-snippet": lost("is nginx configuration of processes, which is not read"),
  "modsecurity-snippet": firewall,
  "no-auth-locations": ignored,
  "proxy-buffer-size": ignored,
  "proxy-buffering": ignored,
  "proxy-buffers-number": ignored,
  "proxy-connect-timeout": setting("timeouts.connectTimeout"),
  "proxy-real-ip-cidr": setting("network.numTrustedHops"),
  "proxy-request-buffering": ignored,
  "proxy-set-headers": carried,
  "retry-non-idempotent": lost("requests of all methods are tried again after a failed connection", "info"),
  "server-snippet": snippet,
  "server-tokens": setting("serverHeaderTransformation"),
  "service-upstream": changed(
    "is an annotation of Services",
    "warning",
    "annotate the Services with isoline.dev/endpoints: service",
  ),
  "ssl-ciphers": setting("tls.cipherSuites"),
  "ssl-protocols": setting("tls.minimumProtocolVersion"),
  "use-forwarded-headers": carried,
  "use-gzip": setting("compression"),
  "use-http2": setting("defaultHttpVersions"),
  "use-proxy-protocol": setting("useProxyProtocol"),
  "worker-processes": ignored,
};

const table: KindTable = {
  fields: {
    data: lost("is no option that the conversion has a counterpart for"),
    ...Object.fromEntries(Object.entries(rows).map(([name, row]) => [`data.${name}`, row])),
  },
};

const usualNames: ReadonlySet<string> = new Set([
  "ingress-nginx-controller",
  "nginx-configuration",
  "nginx-ingress-controller",
  "nginx-load-balancer-microk8s-conf",
]);

/** Whether an object may be the ConfigMap of ingress-nginx, by its name or by the labels of the Helm chart. */
const isUsual = ({ name, labels }: SourceObject): boolean =>
  usualNames.has(name) ||
  (labels["app.kubernetes.io/name"] === "ingress-nginx" && name.endsWith("-controller"));

/** The ConfigMaps that `--config-map` names, or that look like those of ingress-nginx. */
export function configMaps(
  objects: readonly SourceObject[],
  configMap: { readonly namespace: string; readonly name: string } | undefined,
): SourceObject[] {
  return objects.filter(
    (object) =>
      object.kind === "ConfigMap" &&
      object.group === "" &&
      (configMap
        ? object.name === configMap.name && object.namespace === configMap.namespace
        : isUsual(object)),
  );
}

/** Reads the ConfigMap among the input; without one, the defaults of ingress-nginx. */
export function readNginxConfig(conversion: Conversion): NginxConfig {
  const [object, other] = configMaps(conversion.ofKind("", "ConfigMap"), conversion.options.configMap);
  if (object && other)
    conversion.remark(
      "error",
      { object: other, path: "" },
      `may be the ConfigMap of ingress-nginx, and so may ${object.ref}, which is read`,
      { todo: "name one with --config-map" },
    );
  if (object) conversion.take(object, table);
  const data = object?.root.at("data");
  const text = (name: string): string | undefined => data?.at(name).text()?.trim() || undefined;
  for (const name of defaults) text(name);
  const code = Number(text("http-redirect-code") ?? 308);
  return {
    ...(object ? { object } : {}),
    defaultOf: (annotation) => (defaults.has(annotation) ? data?.at(annotation) : undefined),
    blocked: listOf(text("block-cidrs")),
    isForwarded: text("use-forwarded-headers") === "true",
    redirectStatus: code === 301 || code === 302 || code === 307 ? code : 308,
    hsts: hstsOf(text),
    requestHeaders: headersOf(text("proxy-set-headers"), "proxy-set-headers", object, conversion),
    responseHeaders: headersOf(text("add-headers"), "add-headers", object, conversion),
    hidden: listOf(text("hide-headers")),
  };
}

const listOf = (text = ""): string[] =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

function hstsOf(text: (name: string) => string | undefined): string | undefined {
  const age = text("hsts-max-age") ?? "31536000";
  const subdomains = text("hsts-include-subdomains") === "false" ? "" : "; includeSubDomains";
  const preload = text("hsts-preload") === "true" ? "; preload" : "";
  return text("hsts") === "false" ? undefined : `max-age=${age}${subdomains}${preload}`;
}

/** The headers of another ConfigMap, which an option names as `NAMESPACE/NAME`. */
function headersOf(
  named: string | undefined,
  option: string,
  object: SourceObject | undefined,
  conversion: Conversion,
): readonly (readonly [string, string])[] {
  if (named === undefined || !object) return [];
  const [namespace = "", name = ""] = named.split("/", 2);
  const map = conversion.find("", "ConfigMap", namespace, name);
  const part: SourcePart = { object, path: object.root.at("data", option).pathText };
  if (!map)
    conversion.remark("error", part, `ConfigMap ${named} is not among the input: its headers are not set`, {
      todo: "give it, too",
    });
  const all = map?.root.at("data").record() ?? [];
  const [variable] = all.find(([, value]) => value.includes("$")) ?? [];
  if (variable !== undefined)
    conversion.remark("error", part, `the header ${variable} has variables of nginx, and is not set`);
  return all.filter(([, value]) => !value.includes("$"));
}
