import type { Conversion } from "../../conversion.js";
import type {
  Cors,
  HeaderChanges,
  Retry,
  RouteFilters,
  SourceBackend,
  SourceBalancing,
} from "../../model.js";
import { noFilters } from "../../model.js";
import type { IngressAnnotations } from "../ingress-rules.js";
import type { Location, NginxHost } from "./location.js";
import { readSnippet } from "./snippets.js";

interface Forwarding {
  readonly filters: RouteFilters;
  /** The backend with the protocol that the annotations define. */
  backendOf(backend: SourceBackend): SourceBackend;
}

interface Context {
  readonly location: Location;
  readonly annotations: IngressAnnotations;
  note(severity: "info" | "warning" | "error", name: string, message: string, todo?: string): void;
}

/** The filters of a path that forwards requests, including the defaults of ingress-nginx. */
export function filtersOf(location: Location, host: NginxHost, conversion: Conversion): Forwarding {
  const { annotations } = location;
  const context: Context = {
    location,
    annotations,
    note: (severity, name, message, todo) =>
      conversion.remark(severity, annotations.partOf(name), message, {
        hosts: [host.host],
        ...(todo ? { todo } : {}),
      }),
  };
  const read = annotations.number("proxy-read-timeout") ?? 60;
  const send = annotations.number("proxy-send-timeout") ?? 60;
  const balancing = balancingOf(context);
  const retry = retryOf(context);
  const cors = corsOf(context);
  const vhost = annotations.text("upstream-vhost");
  if (vhost?.includes("$"))
    context.note("error", "upstream-vhost", "has variables of nginx: the host of requests stays as it is");
  const mirrors = mirrorsOf(context);
  bodySize(context);
  const filters: RouteFilters = {
    ...noFilters("infinity"),
    idle: `${Math.max(read, send)}s`,
    ...headersOf(context, host, conversion),
    ...(retry ? { retry } : {}),
    ...(cors ? { cors } : {}),
    ...(balancing ? { balancing } : {}),
    ...(vhost && !vhost.includes("$") ? { host: vhost } : {}),
    mirrors,
  };
  const protocol = protocolOf(context);
  const validation = validationOf(context);
  return {
    filters,
    backendOf: (backend) => ({
      ...backend,
      ...(protocol ? { protocol } : {}),
      ...(validation && protocol ? { validation } : {}),
    }),
  };
}

const protocols: Readonly<Record<string, "tls" | "h2c" | "h2" | undefined>> = {
  HTTP: undefined,
  HTTPS: "tls",
  GRPC: "h2c",
  GRPCS: "h2",
};

function protocolOf({ annotations, note }: Context): SourceBackend["protocol"] {
  const text = annotations.text("backend-protocol");
  const protocol = text?.toUpperCase() ?? "HTTP";
  if (!Object.hasOwn(protocols, protocol))
    note("error", "backend-protocol", `${text} is no protocol of backends here; HTTP is spoken`);
  return protocols[protocol];
}

/** Without `proxy-ssl-secret`, the other annotations have no effect. */
function validationOf({ annotations, location, note }: Context): SourceBackend["validation"] {
  const secret = annotations.text("proxy-ssl-secret");
  const verify = annotations.text("proxy-ssl-verify") === "on";
  const name = annotations.text("proxy-ssl-name");
  annotations.text("proxy-ssl-server-name");
  if (secret === undefined) return undefined;
  note(
    "warning",
    "proxy-ssl-secret",
    "a client certificate for backends is a setting, for all of them",
    "set tls.envoyClientCertificate",
  );
  const [namespace, own] = secret.includes("/") ? secret.split("/", 2) : [location.object.namespace, secret];
  if (!verify || own === undefined) return undefined;
  if (name === undefined || namespace !== location.object.namespace) {
    note(
      "error",
      "proxy-ssl-verify",
      "backends are not verified: that needs proxy-ssl-name, and a Secret of the same namespace",
    );
    return undefined;
  }
  return { caSecret: own, subjectName: name };
}

function retryOf({ annotations, note }: Context): Retry | undefined {
  const text = annotations.text("proxy-next-upstream") ?? "error timeout";
  const tries = annotations.number("proxy-next-upstream-tries") ?? 3;
  const words = text.split(/\s+/);
  if (words.includes("off") || tries === 1) return undefined;
  const codes = words.flatMap((word) => /^http_(\d{3})$/.exec(word)?.[1] ?? []).map(Number);
  if (tries === 0) note("info", "proxy-next-upstream-tries", "as many tries as wanted are ten");
  return {
    count: tries === 0 ? 10 : tries - 1,
    on: ["connect-failure", "refused-stream", ...(codes.length > 0 ? ["retriable-status-codes"] : [])],
    ...(codes.length > 0 ? { statusCodes: codes } : {}),
  };
}

function balancingOf({ annotations, note }: Context): SourceBalancing | undefined {
  if (annotations.text("affinity") === "cookie") {
    note(
      "warning",
      "affinity",
      "the cookie is X-Contour-Session-Affinity for the path /; sessions are dealt anew",
    );
    return { strategy: "Cookie" };
  }
  const hash = annotations.text("upstream-hash-by");
  if (hash !== undefined) {
    const header = /^\$http_(\w+)$/.exec(hash)?.[1];
    const argument = /^\$arg_(\w+)$/.exec(hash)?.[1];
    if (hash === "$remote_addr" || hash === "$binary_remote_addr")
      return { strategy: "RequestHash", hash: [{ source: true }] };
    if (header) return { strategy: "RequestHash", hash: [{ header: header.replaceAll("_", "-") }] };
    if (argument) return { strategy: "RequestHash", hash: [{ query: argument }] };
    note("warning", "upstream-hash-by", `requests are not sent by ${hash}, which HTTPProxy can't look at`);
  }
  return annotations.text("load-balance") === "ewma" ? { strategy: "WeightedLeastRequest" } : undefined;
}

function bodySize({ annotations, note }: Context): void {
  const text = annotations.text("proxy-body-size");
  const [, digits, unit = ""] = /^(\d+)([kmgKMG]?)$/.exec(text ?? "") ?? [];
  const scale = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit.toLowerCase()] ?? 1;
  const bytes = digits === undefined ? undefined : Number(digits) * scale;
  if (text === undefined || bytes === undefined) return;
  if (bytes === 0 || bytes > 1024 ** 2) note("info", "proxy-body-size", "Envoy takes bodies of any length");
  else
    note(
      "warning",
      "proxy-body-size",
      `bodies over ${text} are let through: Envoy takes any length`,
      "refuse them in the backend",
    );
}

function headersOf(
  { annotations, location, note }: Context,
  { hasTls, config }: NginxHost,
  conversion: Conversion,
): { requestHeaders: HeaderChanges; responseHeaders: HeaderChanges } {
  const snippets = ["configuration-snippet", "server-snippet"].map((name) =>
    readSnippet(annotations.text(name) ?? ""),
  );
  const request = [...config.requestHeaders, ...snippets.flatMap((one) => one.requestHeaders.set)];
  const response = [...config.responseHeaders, ...snippets.flatMap((one) => one.responseHeaders.set)];
  const forwarded = annotations.text("x-forwarded-prefix");
  const target = annotations.text("rewrite-target");
  if (forwarded !== undefined && target !== undefined && target !== location.path)
    request.push(["X-Forwarded-Prefix", forwarded]);
  const { hsts } = config;
  if (hasTls && hsts && !response.some(([name]) => name.toLowerCase() === "strict-transport-security"))
    response.push(["Strict-Transport-Security", hsts]);
  const custom = annotations.text("custom-headers");
  if (custom !== undefined) {
    const [namespace = "", name = ""] = custom.includes("/")
      ? custom.split("/", 2)
      : [location.object.namespace, custom];
    const map = conversion.find("", "ConfigMap", namespace, name);
    if (map) response.push(...map.root.at("data").record());
    else
      note(
        "error",
        "custom-headers",
        `ConfigMap ${namespace}/${name} is not among the input: its headers are not set`,
      );
  }
  return {
    requestHeaders: { set: request, add: [], remove: snippets.flatMap((one) => one.requestHeaders.remove) },
    responseHeaders: {
      set: response,
      add: snippets.flatMap((one) => one.responseHeaders.add),
      remove: [...config.hidden, ...snippets.flatMap((one) => one.responseHeaders.remove)],
    },
  };
}

const defaultHeaders =
  "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization";

function corsOf({ annotations, note }: Context): Cors | undefined {
  const names = [
    "allow-origin",
    "allow-methods",
    "allow-headers",
    "allow-credentials",
    "expose-headers",
    "max-age",
  ];
  const given = names.filter((name) => annotations.text(`cors-${name}`) !== undefined);
  if (annotations.flag("enable-cors") !== true) {
    for (const name of given)
      note("info", `cors-${name}`, "has no effect without enable-cors, in ingress-nginx neither");
    return undefined;
  }
  const list = (name: string, usual: string): string[] => {
    const own = annotations.list(name);
    return own.length > 0 ? own : usual.split(",").map((one) => one.trim());
  };
  const origins = list("cors-allow-origin", "*");
  note(
    "info",
    "enable-cors",
    "a preflight is answered 200 and not 204, and other OPTIONS requests get to the backend",
  );
  const isAny = origins.includes("*");
  return {
    // A `*` in an origin matches one label.
    allowOrigin: isAny ? ["*"] : origins.map((one) => originPattern(one)),
    allowMethods: list("cors-allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"),
    allowHeaders: list("cors-allow-headers", defaultHeaders),
    exposeHeaders: annotations.list("cors-expose-headers"),
    maxAge: `${annotations.number("cors-max-age") ?? 1728000}s`,
    // Browsers refuse `*` together with credentials.
    allowCredentials: !isAny && annotations.flag("cors-allow-credentials") !== false,
  };
}

const originPattern = (origin: string): string => {
  const [, scheme, rest] = /^(https?:\/\/)\*\.(.+)$/.exec(origin) ?? [];
  return scheme && rest ? `${scheme}[A-Za-z0-9-]+\\.${rest.replaceAll(".", "\\.")}` : origin;
};

function mirrorsOf({ annotations, note }: Context): RouteFilters["mirrors"] {
  const target = annotations.text("mirror-target");
  if (target === undefined) return [];
  const [, name, namespace, port] =
    /^http:\/\/([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?(?::(\d+))?\/?(?:\$request_uri)?$/.exec(
      target,
    ) ?? [];
  if (!name || !namespace) {
    note("warning", "mirror-target", `no copies go to ${target}: only Services of the cluster are backends`);
    return [];
  }
  return [{ backend: { namespace, name, port: Number(port ?? 80) }, percent: 100 }];
}
