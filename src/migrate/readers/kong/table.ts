import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";
import { classAnnotation, ingressFields } from "../ingress-rules.js";

export const prefix = "konghq.com/";

const annotations = (rows: Readonly<Record<string, Row>>): Readonly<Record<string, Row>> =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${prefix}${name}`, row]));

const secure = lost(
  "backends are verified by services[].validation",
  "warning",
  "write validation with the authority and a name",
);

export const ingressTable: KindTable = {
  fields: ingressFields,
  annotations: {
    ...annotations({
      "strip-path": carried,
      "preserve-host": carried,
      protocols: carried,
      "https-redirect-status-code": changed("HTTP redirects to HTTPS with 301"),
      methods: carried,
      snis: restricts("takes requests by the server name of TLS, which can't be said"),
      "host-aliases": carried,
      plugins: carried,
      override: carried,
      rewrite: carried,
      "request-buffering": lost("Envoy streams bodies", "info"),
      "response-buffering": lost("Envoy streams bodies", "info"),
      tags: ignored,
      "path-handling": carried,
      "regex-priority": carried,
      "regex-prefix": carried,
    }),
    [classAnnotation]: ignored,
    "ingress.kubernetes.io/force-ssl-redirect": carried,
  },
  prefixes: [prefix],
  // One annotation for each header name.
  known: /^konghq\.com\/headers\./,
};

export const serviceTable: KindTable = {
  fields: { spec: ignored },
  annotations: annotations({
    path: carried,
    protocol: carried,
    "host-header": carried,
    "preserve-host": ignored,
    "connect-timeout": lost(
      "Isoline has one timeout for connecting, the setting timeouts.connectTimeout",
      "info",
    ),
    "read-timeout": carried,
    "write-timeout": carried,
    retries: carried,
    plugins: carried,
    override: carried,
    "upstream-policy": carried,
    "tls-verify": secure,
    "tls-verify-depth": ignored,
    "ca-certificates-secret": secure,
    "ca-certificates-configmap": secure,
    "client-cert": lost(
      "a client certificate for backends is a setting, for all of them",
      "warning",
      "set tls.envoyClientCertificate",
    ),
    tags: ignored,
  }),
  prefixes: [prefix],
};

export const kongIngressTable: KindTable = {
  fields: {
    "route.methods": carried,
    "route.protocols": carried,
    "route.strip_path": carried,
    "route.preserve_host": carried,
    "route.https_redirect_status_code": changed("HTTP redirects to HTTPS with 301"),
    "route.regex_priority": carried,
    "route.headers": restricts("is no longer read by Kong's controller; write annotations headers.NAME"),
    "route.snis": restricts("takes requests by the server name of TLS, which can't be said"),
    "route.path_handling": ignored,
    "route.request_buffering": ignored,
    "route.response_buffering": ignored,
    "proxy.protocol": carried,
    "proxy.path": carried,
    "proxy.retries": carried,
    "proxy.connect_timeout": lost(
      "Isoline has one timeout for connecting, the setting timeouts.connectTimeout",
      "info",
    ),
    "proxy.read_timeout": carried,
    "proxy.write_timeout": carried,
    "upstream.algorithm": carried,
    "upstream.hash_on": carried,
    "upstream.hash_on_header": carried,
    "upstream.hash_on_cookie": carried,
    "upstream.host_header": carried,
    "upstream.slots": ignored,
    "upstream.healthchecks": lost(
      "endpoints are not asked for their health",
      "warning",
      "write healthCheckPolicy",
    ),
    "upstream.hash_fallback": lost("there is no second choice for the hash", "info"),
    "upstream.hash_fallback_header": ignored,
    "upstream.hash_on_cookie_path": changed("the path of the cookie is /"),
  },
};

export const upstreamPolicyTable: KindTable = {
  fields: {
    "spec.algorithm": carried,
    "spec.slots": ignored,
    "spec.hashOn.header": carried,
    "spec.hashOn.cookie": carried,
    "spec.hashOn.cookiePath": changed("the path of the cookie is /"),
    "spec.hashOn.queryArg": carried,
    "spec.hashOn.input": carried,
    "spec.hashOn.uriCapture": lost("requests are not sent by a part of the path"),
    "spec.hashOnFallback": lost("there is no second choice for the hash", "info"),
    "spec.healthchecks.active.httpPath": carried,
    "spec.healthchecks.active.healthy.interval": carried,
    "spec.healthchecks": lost("of health checks the path and the interval are kept", "info"),
    "spec.stickySessions": lost("the cookie is not written by Envoy in this way"),
  },
};

export const tcpTable: KindTable = {
  fields: {
    "spec.rules[].host": carried,
    "spec.rules[].port": carried,
    "spec.rules[].backend.serviceName": carried,
    "spec.rules[].backend.servicePort": carried,
    "spec.tls[].hosts": carried,
    "spec.tls[].secretName": carried,
  },
  annotations: {
    [classAnnotation]: ignored,
    [`${prefix}protocols`]: carried,
    [`${prefix}plugins`]: restricts("plugins of TCP keep connections out"),
    [`${prefix}tags`]: ignored,
  },
  prefixes: [prefix],
};

const common: Readonly<Record<string, Row>> = {
  plugin: carried,
  disabled: carried,
  run_on: ignored,
  protocols: ignored,
  instance_name: ignored,
  ordering: lost("filters run in the order of Envoy", "info"),
  consumerRef: lost("is for a consumer alone, and holds for all requests", "error"),
  configFrom: restricts("is in a Secret, which is not read"),
  configPatches: restricts("is in a Secret, which is not read"),
};

const of = (rows: Readonly<Record<string, Row>>): KindTable => ({
  fields: { ...common, ...rows },
  prefixes: [],
});
const without = (row: Row): KindTable => of({ config: row });
const refused = without(
  restricts("keeps requests out, and can't be converted", "ask an ExtensionService, or write jwtProviders"),
);
const harmless = without(lost("is a setting, or there for all requests", "info"));
const limiting = without(
  lost(
    "limits each client, which no local limit of HTTPProxy does; left out",
    "warning",
    "use rateLimitPolicy.global with remoteAddress and a rate limit service",
  ),
);

const transformer = of({
  "config.add.headers": carried,
  "config.append.headers": carried,
  "config.replace.headers": carried,
  "config.remove.headers": carried,
  "config.rename": restricts("names of headers can't be changed"),
  "config.http_method": restricts("the method can't be changed"),
  "config.replace.uri": restricts("the path can't be written by a template"),
  config: lost("changes more than headers, which is not converted", "error"),
});

const byPlugin: Readonly<Record<string, KindTable>> = {
  "request-transformer": transformer,
  "response-transformer": transformer,
  cors: of({
    "config.origins": carried,
    "config.methods": carried,
    "config.headers": carried,
    "config.exposed_headers": carried,
    "config.credentials": carried,
    "config.max_age": carried,
    "config.private_network": ignored,
    "config.preflight_continue": lost("preflights are answered by Envoy", "info"),
  }),
  "ip-restriction": of({
    "config.allow": carried,
    "config.deny": carried,
    "config.whitelist": carried,
    "config.blacklist": carried,
    "config.status": lost("what is refused is answered 403", "info"),
    "config.message": lost("what is refused is answered by Envoy", "info"),
  }),
  "request-termination": of({
    "config.status_code": carried,
    "config.message": carried,
    "config.body": carried,
    "config.content_type": lost("the answer is text", "info"),
    "config.trigger": restricts("answers some requests alone"),
    "config.echo": ignored,
  }),
  redirect: of({
    "config.location": carried,
    "config.status_code": carried,
    "config.keep_incoming_path": carried,
  }),
  "rate-limiting": limiting,
  "rate-limiting-advanced": limiting,
  "response-ratelimiting": limiting,
  "request-size-limiting": without(
    lost("bodies of any length are let through", "warning", "refuse long bodies in the backend"),
  ),
  "proxy-cache": without(lost("answers are not cached", "warning")),
  "correlation-id": without(changed("Envoy's header is x-request-id", "info")),
};

const harmlessPlugins = [
  "datadog",
  "file-log",
  "http-log",
  "loggly",
  "opentelemetry",
  "prometheus",
  "statsd",
  "syslog",
  "tcp-log",
  "udp-log",
  "zipkin",
];

/** The table of a plugin. An unknown plugin counts as a restriction, because its effect is unknown. */
export const pluginTable = (name: string): KindTable =>
  (Object.hasOwn(byPlugin, name) ? byPlugin[name] : undefined) ??
  (harmlessPlugins.includes(name) ? harmless : refused);

/** Whether a plugin is unknown, and so counts as a restriction even without configuration. */
export const isRefused = (name: string): boolean =>
  !Object.hasOwn(byPlugin, name) && !harmlessPlugins.includes(name);
