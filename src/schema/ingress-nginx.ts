import { z } from "zod";
import { headerValueProblem } from "./header-names.js";

/**
 * The effect of an annotation or option. `exact`: clients and backends see the same as with ingress-nginx. `near`: the
 * main effect, with a difference that docs/ingress-nginx.md describes. `closed`: it restricts access, Envoy has no
 * equivalent, and requests are refused. `none`: it has no effect, and a finding reports it. `harmless`: Envoy does not
 * need it.
 */
export type NginxEffect = "exact" | "near" | "closed" | "none" | "harmless";

interface Entry<S extends z.ZodType> {
  /** What it applies to: locations of its Ingress, the whole host, the Services of its Ingress, or a canary. */
  readonly scope: "location" | "host" | "upstream" | "canary";
  readonly effect: NginxEffect;
  /** Parses the text of the value. */
  readonly value: S;
  /** The result of an invalid value: the default applies, or the paths of the Ingress answer 503. */
  readonly invalid: "default" | "refuse";
  /** Why it has no effect, or how requests are refused. */
  readonly why?: string;
}

const entry =
  (scope: Entry<z.ZodType>["scope"]) =>
  <S extends z.ZodType>(
    effect: NginxEffect,
    value: S,
    rest: Partial<Pick<Entry<S>, "invalid" | "why">> = {},
  ): Entry<S> => ({ scope, effect, value, invalid: "default", ...rest });

const location = entry("location");
const host = entry("host");
const upstream = entry("upstream");
const canary = entry("canary");
const refuse = { invalid: "refuse" } as const;

const truths = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const lies = new Set(["0", "f", "F", "FALSE", "false", "False"]);
/** The same values as Go's strconv.ParseBool. */
const bool = z
  .string()
  .refine((text) => truths.has(text) || lies.has(text), { error: 'must be "true" or "false"' })
  .transform((text) => truths.has(text));
/** A number as for Go's strconv.Atoi, with at most nine digits. */
const int = z
  .string()
  .regex(/^[+-]?\d{1,9}$/, { error: "must be a whole number" })
  .transform(Number);
const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) => z.enum(values);
const any = z.string();
const matching = (pattern: RegExp, error: string) => z.string().regex(pattern, { error });
const list = any.transform((text) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== ""),
);
/** Statuses of ingress-nginx's `custom-http-errors`. */
export const statusCodes = list
  .refine((codes) => codes.every((code) => /^[3-5]\d\d$/.test(code)), {
    error: "must be statuses from 300 to 599, with commas between",
  })
  .transform((codes) => [...new Set(codes.map(Number))].sort((a, b) => a - b));
const headerName = /^[A-Za-z0-9_-]+$/;
const headerList = list.refine((names) => names.every((name) => headerName.test(name)), {
  error: "must be names of headers, with commas between",
});
const units = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;
/** A size in nginx's units, as a number of bytes. */
const size = matching(/^\d{1,9}[kKmMgG]?$/, "must be a number with k, m or g at its end, or 0").transform(
  (text) => {
    const [, number = "", unit = ""] = /^(\d+)(\D?)$/.exec(text) ?? [];
    return Number(number) * (units[unit.toLowerCase() as keyof typeof units] ?? 1);
  },
);
/** The number of bytes of a size in nginx's units; undefined if it is not valid. */
export const readSize = (text: string): number | undefined => size.safeParse(text).data;
const url = matching(
  /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[-._~A-Za-z0-9/:?&=%+,;@!*()']*)?$/,
  "must be an http or https URL without variables",
).refine((text) => URL.canParse(text), { error: "must be an http or https URL" });
const headerValue = any.refine((text) => headerValueProblem(text) === undefined, {
  error: "must hold no control characters",
});
const name = matching(/^(?:[a-z0-9.-]+\/)?[a-z0-9][a-z0-9.-]*$/, "must be NAME or NAMESPACE/NAME");

const tuning = "Envoy needs no such buffer";
const lost = (why: string) => ({ why });
const forFastCgi = "it applies to backend-protocol FCGI only, which answers 503";

/**
 * All annotations of ingress-nginx, by name without the prefix. Any other name is not an annotation of ingress-nginx.
 */
export const nginxAnnotations = {
  affinity: upstream("exact", oneOf("cookie")),
  "affinity-canary-behavior": canary("near", oneOf("sticky", "legacy")),
  "affinity-mode": upstream("exact", oneOf("balanced", "persistent")),
  "allowlist-source-range": location("exact", any, refuse),
  "app-root": location("exact", matching(/^\/[-._~A-Za-z0-9/%]*$/, "must be an absolute path")),
  "auth-always-set-cookie": location("none", bool, lost("Envoy passes Set-Cookie of a refusal alone")),
  "auth-cache-duration": location("harmless", any, lost("the service is asked about each request")),
  "auth-cache-key": location("harmless", any, lost("the service is asked about each request")),
  "auth-keepalive": location("harmless", any),
  "auth-keepalive-requests": location("harmless", any),
  "auth-keepalive-share-vars": location("harmless", any),
  "auth-keepalive-timeout": location("harmless", any),
  "auth-method": location("near", matching(/^[A-Z]+$/, "must be a method"), refuse),
  "auth-proxy-set-headers": location("closed", name, refuse),
  "auth-realm": location(
    "exact",
    matching(/^[-._~/:A-Za-z0-9 ]*$/, "must be letters, digits, spaces and -._~/:"),
    refuse,
  ),
  "auth-request-redirect": location("near", headerValue),
  "auth-response-headers": location("exact", headerList, refuse),
  "auth-secret": location("exact", name, refuse),
  "auth-secret-type": location("exact", oneOf("auth-file", "auth-map"), refuse),
  "auth-signin": location(
    "exact",
    matching(/^(?:https?:\/)?\/[-._~A-Za-z0-9/:?&=%+,;@$]*$/, "must be a URL"),
  ),
  "auth-signin-redirect-param": location(
    "exact",
    matching(/^[-._~A-Za-z0-9]+$/, "must be the name of a parameter"),
  ),
  "auth-snippet": location("closed", any, refuse),
  "auth-tls-error-page": host("none", any, lost("Envoy ends the handshake, so that there is no page")),
  "auth-tls-match-cn": host("closed", any, refuse),
  "auth-tls-pass-certificate-to-upstream": host("exact", bool, refuse),
  "auth-tls-secret": host("near", name, refuse),
  "auth-tls-verify-client": host("near", any),
  "auth-tls-verify-depth": host("exact", int),
  "auth-type": location("exact", any, refuse),
  "auth-url": location("near", any, refuse),
  "backend-protocol": upstream(
    "exact",
    any.transform((text) => text.toUpperCase()),
    refuse,
  ),
  canary: canary("exact", bool),
  "canary-by-cookie": canary("exact", matching(/^[-_A-Za-z0-9]+$/, "must be the name of a cookie")),
  "canary-by-header": canary("exact", matching(headerName, "must be the name of a header")),
  "canary-by-header-pattern": canary("exact", any),
  "canary-by-header-value": canary("exact", headerValue),
  "canary-weight": canary("exact", int),
  "canary-weight-total": canary("exact", int),
  "client-body-buffer-size": location("harmless", any, lost(tuning)),
  "configuration-snippet": location("exact", any, refuse),
  "connection-proxy-header": location("harmless", any, lost("Envoy keeps connections to backends by itself")),
  "cors-allow-credentials": location("exact", bool),
  "cors-allow-headers": location("exact", headerList),
  "cors-allow-methods": location("exact", matching(/^[A-Za-z, ]*$/, "must be methods")),
  "cors-allow-origin": location("exact", list),
  "cors-expose-headers": location("exact", matching(/^[-_*A-Za-z0-9, ]*$/, "must be names of headers")),
  "cors-max-age": location("exact", int),
  "custom-headers": location("none", name, lost("headers of a ConfigMap are not read")),
  "custom-http-errors": location("near", statusCodes),
  "default-backend": location("near", name),
  "denylist-source-range": location("exact", any, refuse),
  "disable-proxy-intercept-errors": location("exact", bool),
  "enable-access-log": location("none", bool, lost("the access log is of all hosts (setting accessLog)")),
  "enable-cors": location("exact", bool),
  "enable-global-auth": location("exact", bool),
  "enable-modsecurity": location("closed", bool, refuse),
  "enable-opentelemetry": location("none", bool, lost("tracing is of all hosts (setting tracing)")),
  "enable-owasp-core-rules": location("closed", bool, refuse),
  "enable-rewrite-log": location("harmless", any),
  "fastcgi-index": upstream("harmless", any, lost(forFastCgi)),
  "fastcgi-params-configmap": upstream("harmless", any, lost(forFastCgi)),
  "force-ssl-redirect": location("exact", bool),
  "from-to-www-redirect": host("exact", bool),
  "http2-push-preload": location("harmless", any),
  "limit-allowlist": location("none", any, lost("all addresses are counted")),
  "limit-burst-multiplier": location("exact", int, refuse),
  "limit-connections": location("none", int, lost("Envoy counts no requests in progress per client")),
  "limit-rate": location("none", int, lost("Envoy slows no single answer down")),
  "limit-rate-after": location("none", int, lost("Envoy slows no single answer down")),
  "limit-rpm": location("near", int, refuse),
  "limit-rps": location("near", int, refuse),
  "limit-whitelist": location("none", any, lost("all addresses are counted")),
  "load-balance": upstream("near", oneOf("round_robin", "ewma")),
  "mirror-host": location("none", any, lost("Envoy gives copies the client's Host with -shadow")),
  "mirror-request-body": location("none", any, lost("Envoy copies bodies")),
  "mirror-target": location("near", any),
  "modsecurity-snippet": location("closed", any, refuse),
  "modsecurity-transaction-id": location("none", any, lost("there is no web application firewall")),
  "opentelemetry-operation-name": location("none", any, lost("tracing is of all hosts (setting tracing)")),
  "opentelemetry-trust-incoming-span": location(
    "none",
    any,
    lost("tracing is of all hosts (setting tracing)"),
  ),
  "permanent-redirect": location("exact", url, refuse),
  "permanent-redirect-code": location("near", int, refuse),
  "preserve-trailing-slash": location("exact", bool),
  "proxy-body-size": location("exact", size),
  "proxy-buffer-size": location("harmless", any, lost(tuning)),
  "proxy-buffering": location("harmless", any, lost(tuning)),
  "proxy-buffers-number": location("harmless", any, lost(tuning)),
  "proxy-busy-buffers-size": location("harmless", any, lost(tuning)),
  "proxy-connect-timeout": location("exact", int),
  "proxy-cookie-domain": location("exact", any),
  "proxy-cookie-path": location("exact", any),
  "proxy-http-version": location("exact", oneOf("1.0", "1.1")),
  "proxy-max-temp-file-size": location("harmless", any, lost(tuning)),
  "proxy-next-upstream": location("near", any),
  "proxy-next-upstream-timeout": location("near", int),
  "proxy-next-upstream-tries": location("exact", int),
  "proxy-read-timeout": location("exact", int),
  "proxy-redirect-from": location("exact", any),
  "proxy-redirect-to": location("exact", any),
  "proxy-request-buffering": location("exact", oneOf("on", "off")),
  "proxy-send-timeout": location("near", int),
  "proxy-ssl-ciphers": upstream("none", any, lost("ciphers are those of the setting cluster.upstreamTls")),
  "proxy-ssl-name": upstream("exact", any),
  "proxy-ssl-protocols": upstream("none", any, lost("versions are those of the setting cluster.upstreamTls")),
  "proxy-ssl-secret": upstream("exact", name, refuse),
  "proxy-ssl-server-name": upstream("exact", any),
  "proxy-ssl-verify": upstream("exact", any),
  "proxy-ssl-verify-depth": upstream("none", int, lost("the chain may have any length")),
  "relative-redirects": location("exact", bool),
  "rewrite-target": location(
    "exact",
    matching(/^[-._~a-zA-Z0-9/:$]*$/, "must be a path of letters, digits, -._~/: and $1 to $9"),
  ),
  satisfy: location("closed", any),
  "server-alias": host(
    "near",
    list.transform((names) => names.map((one) => one.toLowerCase())),
  ),
  "server-snippet": host("exact", any, refuse),
  "service-upstream": upstream("exact", bool),
  "session-cookie-change-on-failure": upstream("none", bool, lost("a session moves when its endpoint goes")),
  "session-cookie-conditional-samesite-none": upstream(
    "none",
    bool,
    lost("SameSite is the same for all browsers"),
  ),
  "session-cookie-domain": upstream("exact", matching(/^[-.A-Za-z0-9]+$/, "must be a domain")),
  "session-cookie-expires": upstream("exact", int),
  "session-cookie-max-age": upstream("exact", int),
  "session-cookie-name": upstream("exact", matching(/^[-_A-Za-z0-9]+$/, "must be the name of a cookie")),
  "session-cookie-path": upstream("exact", matching(/^[-._~/A-Za-z0-9]+$/, "must be a path")),
  "session-cookie-samesite": upstream("exact", oneOf("None", "Lax", "Strict")),
  "session-cookie-secure": upstream("exact", bool),
  "ssl-ciphers": host("none", any, lost("ciphers are those of the setting tls.cipherSuites")),
  "ssl-passthrough": host("exact", bool),
  "ssl-prefer-server-ciphers": host("none", any, lost("Envoy prefers its own order")),
  "ssl-redirect": location("exact", bool),
  "stream-snippet": host("none", any, lost("nothing of nginx's stream module is read")),
  "temporal-redirect": location("exact", url, refuse),
  "temporal-redirect-code": location("near", int, refuse),
  "upstream-hash-by": upstream("exact", any),
  "upstream-hash-by-subset": upstream("none", bool, lost("all endpoints are in one ring")),
  "upstream-hash-by-subset-size": upstream("none", int, lost("all endpoints are in one ring")),
  "upstream-vhost": upstream("exact", any),
  "use-port-in-redirects": location("exact", bool),
  "use-regex": location("exact", bool),
  "whitelist-source-range": location("exact", any, refuse),
  "x-forwarded-prefix": location("exact", headerValue),
} as const satisfies Readonly<Record<string, Entry<z.ZodType>>>;

export type NginxAnnotation = keyof typeof nginxAnnotations;

/** The valid values of an Ingress's annotations. */
export type NginxValues = {
  readonly [N in NginxAnnotation]?: z.output<(typeof nginxAnnotations)[N]["value"]>;
};

/** A problem with an annotation, or an annotation without effect. */
export interface NginxProblem {
  /** The full name, with the prefix. */
  readonly annotation: string;
  readonly kind: "unknown" | "no-effect" | "not-needed" | "default" | "refuse";
  readonly message: string;
}

export const nginxPrefix = "nginx.ingress.kubernetes.io/";

const isKnown = (name: string): name is NginxAnnotation => Object.hasOwn(nginxAnnotations, name);

/** ingress-nginx treats these as absent if they are empty, so that nothing is restricted. */
const openWhenEmpty: ReadonlySet<string> = new Set(["whitelist-source-range", "auth-url", "auth-type"]);

/** Lists of addresses and snippets may be longer than values that become a header or a path. */
const longer = /-source-range$|-snippet$/;

type Read = { readonly value: unknown } | { readonly kind: "default" | "refuse"; readonly message: string };

function readOne(key: NginxAnnotation, text: string): Read {
  const { value, invalid }: Entry<z.ZodType> = nginxAnnotations[key];
  if (text.trim() === "" && (invalid === "default" || openWhenEmpty.has(key)))
    return { kind: "default", message: "is empty, and has no effect" };
  if (text.trim() === "") return { kind: "refuse", message: "is empty" };
  if (text.length > (longer.test(key) ? 65_536 : 4096)) return { kind: invalid, message: "is too long" };
  const parsed = value.safeParse(text);
  if (parsed.success) return { value: parsed.data };
  const wrong = parsed.error.issues[0]?.message ?? "is not valid";
  return { kind: invalid, message: `${wrong}, found ${JSON.stringify(text.slice(0, 80))}` };
}

/** Reads all annotations with the prefix. Each has a value, a problem, or both. */
export function readNginxAnnotations(annotations: Readonly<Record<string, string>>): {
  readonly values: NginxValues;
  readonly problems: readonly NginxProblem[];
} {
  const values: Record<string, unknown> = {};
  const problems: NginxProblem[] = [];
  for (const [annotation, text] of Object.entries(annotations)) {
    if (!annotation.startsWith(nginxPrefix)) continue;
    const key = annotation.slice(nginxPrefix.length);
    const add = (kind: NginxProblem["kind"], message: string): void => {
      problems.push({ annotation, kind, message });
    };
    if (!isKnown(key)) {
      add("unknown", "is no annotation of ingress-nginx, and has no effect");
      continue;
    }
    const read = readOne(key, text);
    if ("kind" in read) {
      add(read.kind, read.message);
      continue;
    }
    values[key] = read.value;
    const { effect, why }: Entry<z.ZodType> = nginxAnnotations[key];
    // A boolean with its default value needs no warning.
    const isDefault = read.value === (key === "enable-access-log");
    if (effect === "none" && !isDefault) add("no-effect", `has no effect: ${why ?? ""}`);
    if (effect === "harmless")
      add("not-needed", `has no effect, and needs none: ${why ?? "it is about nginx itself"}`);
  }
  return { values: values as NginxValues, problems };
}
