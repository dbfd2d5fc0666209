import type { ObjectByKind } from "../graph/core/reader.js";
import { backendFields } from "../graph/policies/index.js";
import type { Finding } from "../schema/meta.js";
import { type Lint, lint } from "./lint.js";

type HTTPProxy = ObjectByKind<"HTTPProxy">;
type Route = NonNullable<HTTPProxy["spec"]["routes"]>[number];
type VirtualHost = NonNullable<HTTPProxy["spec"]["virtualhost"]>;

/** Warnings about fields of an HTTPProxy without effect, independent of other objects. */
export function lintHttpProxy({ ref, spec }: HTTPProxy): Finding[] {
  const found = [
    ...(spec.virtualhost ? [...hostLints(spec.virtualhost, spec), ...corsLints(spec.virtualhost)] : []),
    ...(spec.routes ?? []).flatMap((route, i) => routeLints(route, `spec.routes[${i}]`)),
  ];
  return found.map((one) => lint(ref, one));
}

const ignored = (path: string, message: string): Lint => ({ reason: "IgnoredField", message, path });

function routeLints(route: Route, path: string): Lint[] {
  const answer = route.requestRedirectPolicy
    ? "requestRedirectPolicy"
    : route.directResponsePolicy && "directResponsePolicy";
  if (!answer) return [];
  const reason = `has no effect beside ${answer}: Envoy itself answers the request`;
  const lints = backendFields
    .filter((field) => route[field])
    .map((field) => ignored(`${path}.${field}`, reason));
  if (route.rateLimitPolicy?.global?.descriptors?.length)
    lints.push(ignored(`${path}.rateLimitPolicy.global`, `${reason}; a local rate limit has one`));
  return lints;
}

function hostLints({ tls }: VirtualHost, { routes, tcpproxy }: HTTPProxy["spec"]): Lint[] {
  const lints: Lint[] = [];
  if (tls?.enableFallbackCertificate && tcpproxy)
    lints.push(
      ignored(
        "spec.virtualhost.tls.enableFallbackCertificate",
        "has no effect beside tcpproxy: clients without SNI get only HTTP routes",
      ),
    );
  if (tls?.passthrough && routes?.length && !tcpproxy)
    lints.push(
      ignored(
        "spec.virtualhost.tls.passthrough",
        "has no effect without tcpproxy: routes do not apply to passed through connections",
      ),
    );
  return lints;
}

/**
 * The form of an origin in a browser's request: scheme, host and port, in lower case and without a path (RFC 6454
 * §6.2).
 */
const browserOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/;
const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//;
const defaultPort = /^(?:http:\/\/[^/]*:80|https:\/\/[^/]*:443)$/;

function corsLints({ corsPolicy }: VirtualHost): Lint[] {
  if (!corsPolicy) return [];
  const path = "spec.virtualhost.corsPolicy";
  const lints = corsPolicy.allowOrigin.flatMap((origin, i): Lint[] => {
    const problem = originProblem(origin);
    return problem
      ? [{ reason: "OriginNeverMatches", message: problem, path: `${path}.allowOrigin[${i}]` }]
      : [];
  });
  if (corsPolicy.allowCredentials && corsPolicy.allowOrigin.includes("*"))
    lints.push({
      reason: "CredentialsForEveryOrigin",
      message:
        "with the origin *, every site can send requests with the credentials of its visitors and read the responses; list the origins",
      path: `${path}.allowCredentials`,
    });
  return lints;
}

/** The reason why no browser sends an origin; undefined for a possible origin, `*` and a regular expression. */
function originProblem(origin: string): string | undefined {
  const text = JSON.stringify(origin);
  if (origin === "*" || origin === "null") return undefined;
  if (/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$/.test(origin))
    return `${text} has no scheme; browsers send "https://${origin}"`;
  if (!scheme.test(origin) || /[\\^$|()[\]{}+?]/.test(origin.replace(scheme, ""))) return undefined;
  if (/\*/.test(origin))
    return `${text} is not a pattern, and its * is compared literally; write a regular expression such as "https://.*\\\\.example\\\\.com"`;
  if (!browserOrigin.test(origin))
    return `${text} has a path or a final slash, which no browser sends; end it after the host`;
  if (origin !== origin.toLowerCase())
    return `${text} has upper-case letters; browsers send ${JSON.stringify(origin.toLowerCase())}`;
  if (defaultPort.test(origin)) return `${text} names the default port, which browsers leave out`;
  return undefined;
}
