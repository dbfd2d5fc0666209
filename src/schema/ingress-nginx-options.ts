import { z } from "zod";
import { type NginxEffect, statusCodes } from "./ingress-nginx.js";
import { reasonFor, unreadRestrictions } from "./ingress-nginx-other-options.js";

interface Option<S extends z.ZodType> {
  readonly effect: NginxEffect;
  readonly value: S;
  /** The setting of Isoline in place of the option, or why the option has no effect. */
  readonly why?: string;
}

const option = <S extends z.ZodType>(effect: NginxEffect, value: S, why?: string): Option<S> => ({
  effect,
  value,
  ...(why === undefined ? {} : { why }),
});

const bool = z.enum(["true", "false"]).transform((text) => text === "true");
const int = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
const any = z.string();
const list = any.transform((text) =>
  text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== ""),
);
const set = (key: string): string => `see the setting ${key}`;
const none = (why: string): Option<typeof any> => option("none", any, why);
const harmless = option("harmless", any);
const closed = (why: string): Option<typeof any> => option("closed", any, why);

/** The known options of ingress-nginx's ConfigMap by name. Other options have no effect, and a finding reports them. */
export const nginxOptions = {
  "add-headers": none(set("policy.responseHeaders")),
  "allow-backend-server-header": none(set("serverHeaderTransformation")),
  "allow-snippet-annotations": option("exact", bool),
  "allow-cross-namespace-resources": option("exact", bool),
  "annotations-risk-level": harmless,
  "block-cidrs": option("exact", list),
  "block-referers": closed("refuses by Referer"),
  "block-user-agents": closed("refuses by User-Agent"),
  "compute-full-forwarded-for": option("exact", bool),
  "custom-http-errors": option("near", statusCodes),
  "denylist-source-range": option("exact", any),
  "enable-brotli": none(set("compression")),
  "enable-modsecurity": option("closed", bool, "asks for a web application firewall"),
  "enable-opentelemetry": none(set("tracing")),
  "enable-owasp-modsecurity-crs": option("closed", bool, "asks for a web application firewall"),
  "enable-real-ip": none(set("xffNumTrustedHops")),
  "error-log-level": harmless,
  "force-ssl-redirect": option("exact", bool),
  "forwarded-for-header": none(set("xffNumTrustedHops")),
  "global-auth-url": option("near", any),
  "global-auth-signin": option("exact", any),
  "global-auth-signin-redirect-param": option("exact", any),
  "global-auth-response-headers": option("exact", any),
  "hide-headers": option("exact", list),
  hsts: option("exact", bool),
  "hsts-include-subdomains": option("exact", bool),
  "hsts-max-age": option("exact", int),
  "hsts-preload": option("exact", bool),
  "http-redirect-code": option("exact", z.enum(["301", "302", "307", "308"]).transform(Number)),
  "http-snippet": closed("is nginx's own configuration"),
  "keep-alive": none(set("timeouts.connectionIdleTimeout")),
  "keep-alive-requests": none(set("listener.maxRequestsPerConnection")),
  "limit-req-status-code": option("exact", int),
  "load-balance": option("near", any),
  "location-snippet": option("exact", any),
  "log-format-upstream": none(set("accessLog")),
  "main-snippet": none("is nginx's own configuration"),
  "modsecurity-snippet": closed("asks for a web application firewall"),
  "no-auth-locations": option("exact", list),
  "no-tls-redirect-locations": option("exact", list),
  "proxy-add-original-uri-header": option("exact", bool),
  "proxy-body-size": option("exact", any),
  "proxy-buffer-size": harmless,
  "proxy-buffering": harmless,
  "proxy-buffers-number": harmless,
  "proxy-connect-timeout": option("exact", int),
  "proxy-cookie-domain": option("exact", any),
  "proxy-cookie-path": option("exact", any),
  "proxy-next-upstream": option("near", any),
  "preserve-trailing-slash": option("exact", bool),
  "proxy-next-upstream-timeout": option("near", int),
  "proxy-next-upstream-tries": option("exact", int),
  "proxy-read-timeout": option("exact", int),
  "proxy-real-ip-cidr": none(set("xffNumTrustedHops")),
  "proxy-redirect-from": option("exact", any),
  "proxy-redirect-to": option("exact", any),
  "proxy-request-buffering": option("exact", z.enum(["on", "off"])),
  "proxy-send-timeout": option("near", int),
  "proxy-set-headers": none(set("policy.requestHeaders")),
  "relative-redirects": option("exact", bool),
  "retry-non-idempotent": option("exact", bool),
  "server-snippet": closed("is nginx's own configuration"),
  "server-tokens": none(set("serverHeaderTransformation")),
  "service-upstream": option("exact", bool),
  "ssl-ciphers": none(set("tls.cipherSuites")),
  "ssl-protocols": none(set("tls.minimumProtocolVersion")),
  "ssl-redirect": option("exact", bool),
  "use-forwarded-headers": option("near", bool),
  "use-gzip": none(set("compression")),
  "use-http2": none(set("httpVersions")),
  "use-port-in-redirects": option("exact", bool),
  "use-proxy-protocol": none(set("useProxyProtocol")),
  "whitelist-source-range": option("exact", any),
  "worker-processes": harmless,
} as const satisfies Readonly<Record<string, Option<z.ZodType>>>;

export type NginxOption = keyof typeof nginxOptions;

export type NginxOptions = {
  readonly [N in NginxOption]?: z.output<(typeof nginxOptions)[N]["value"]>;
};

/** A problem with an option, or an option without effect. `closed`: requests are refused. */
export interface OptionProblem {
  readonly option: string;
  readonly kind: "no-effect" | "closed";
  readonly message: string;
}

const isKnown = (name: string): name is NginxOption => Object.hasOwn(nginxOptions, name);
export const isNginxOption = (name: string): boolean => isKnown(name);

/** Options that restrict access. An invalid value refuses all requests. */
const restricting: ReadonlySet<string> = new Set([
  "block-cidrs",
  "denylist-source-range",
  "whitelist-source-range",
  "global-auth-url",
]);

/** Reads the `data` of the ConfigMap. */
export function readNginxOptions(data: Readonly<Record<string, string>>): {
  readonly options: NginxOptions;
  readonly problems: readonly OptionProblem[];
} {
  const options: Record<string, unknown> = {};
  const problems: OptionProblem[] = [];
  for (const [key, text] of Object.entries(data)) {
    if (text.trim() === "" || key === "ca.crt") continue;
    const read = isKnown(key) ? readOne(key, text.trim()) : readOther(key);
    if ("kind" in read) problems.push({ option: key, ...read });
    else options[key] = read.value;
  }
  return { options: options as NginxOptions, problems };
}

type Read = { readonly value: unknown } | Omit<OptionProblem, "option">;

const noEffect = (why: string): Read => ({ kind: "no-effect", message: `has no effect: ${why}` });

const readOther = (key: string): Read =>
  unreadRestrictions.has(key)
    ? { kind: "closed", message: "is nginx's own configuration, which Envoy has no counterpart for" }
    : noEffect(reasonFor(key));

function readOne(key: NginxOption, text: string): Read {
  const { value, effect, why = reasonFor(key) }: Option<z.ZodType> = nginxOptions[key];
  const parsed = value.safeParse(text);
  if (!parsed.success)
    return restricting.has(key) || effect === "closed"
      ? { kind: "closed", message: "is not valid" }
      : { kind: "no-effect", message: "is not valid; the default is used" };
  if (effect === "none" || effect === "harmless") return noEffect(why);
  if (effect === "closed" && parsed.data !== false)
    return { kind: "closed", message: `${why}, which Envoy has no counterpart for` };
  return { value: parsed.data };
}
