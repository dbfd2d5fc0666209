import type { RoutePolicies } from "../../policies/index.js";
import type { HashKey, HashPolicy } from "../../policies/load-balancing.js";
import type { AnnotatedIngress, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

type Values = AnnotatedIngress["values"];

/** Whether sessions stay at their endpoint as long as it exists. */
export const isPersistent = (values: Values): boolean =>
  values.affinity === "cookie" && values["affinity-mode"] === "persistent";

/** Reads `upstream-hash-by`, or the session cookie of `affinity`. */
export function readHash(values: Values, notes?: Notes): HashPolicy | undefined {
  const text = values["upstream-hash-by"];
  if (text && values.affinity !== "cookie") {
    const keys = [...text.matchAll(/\$\{?([a-z_0-9]+)\}?/gi)].map(([, name = ""]) =>
      hashKey(name.toLowerCase()),
    );
    const found = keys.flatMap((key) => key ?? []);
    if (found.length === keys.length && found.length > 0) return found;
    return notes?.ignore(
      "upstream-hash-by",
      `upstream-hash-by: Envoy can't hash ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return values.affinity === "cookie" && !isPersistent(values)
    ? [{ kind: "cookie", name: values["session-cookie-name"] ?? "INGRESSCOOKIE" }]
    : undefined;
}

const noQuery = { pattern: "\\?.*$", substitution: "" };

function hashKey(variable: string): HashKey | undefined {
  const [, kind, name = ""] = /^(http|arg|cookie)_(.+)$/.exec(variable) ?? [];
  if (kind === "http" && name !== "host")
    return { kind: "header", name: name.replaceAll("_", "-"), terminal: false };
  if (kind === "arg") return { kind: "query", name, terminal: false };
  if (kind === "cookie") return { kind: "cookie", name, passive: true };
  switch (variable) {
    case "remote_addr":
    case "binary_remote_addr":
      return { kind: "source-ip", terminal: false };
    case "http_host":
      return { kind: "header", name: ":authority", terminal: false };
    case "host":
      return {
        kind: "header",
        name: ":authority",
        terminal: false,
        rewrite: { pattern: ":\\d+$", substitution: "" },
      };
    case "request_uri":
      return { kind: "header", name: ":path", terminal: false };
    case "uri":
    case "document_uri":
      return { kind: "header", name: ":path", terminal: false, rewrite: noQuery };
    case "request_method":
      return { kind: "header", name: ":method", terminal: false };
    // Equal for all requests that are hashed together.
    case "scheme":
    case "server_name":
    case "server_port":
      return constant;
    default:
      return undefined;
  }
}

/** The same hash for each request: requests without a value have one endpoint, as in ingress-nginx. */
const constant: HashKey = {
  kind: "header",
  name: ":authority",
  terminal: false,
  rewrite: { pattern: "^.*$", substitution: "0" },
};

/** The session cookie or the hash of a route. The cookie depends on the path and on TLS. */
export function readSession(
  { path, of: { values } }: NginxLocation,
  secure: boolean,
): Pick<RoutePolicies, "hash" | "sessionCookie"> {
  const hash = readHash(values);
  if (values.affinity !== "cookie") return hash ? { hash: [...hash, constant] } : {};
  const age = values["session-cookie-max-age"];
  const { "session-cookie-domain": domain, "session-cookie-samesite": sameSite } = values;
  const attributes = [
    ...(domain ? [{ name: "Domain", value: domain }] : []),
    ...(secure || values["session-cookie-secure"] ? [{ name: "Secure", value: "" }] : []),
    ...(sameSite ? [{ name: "SameSite", value: sameSite }] : []),
  ];
  const cookie = {
    name: values["session-cookie-name"] ?? "INGRESSCOOKIE",
    // A cookie path must be a literal path, not a regular expression.
    path: values["session-cookie-path"] ?? (/^[-._~/A-Za-z0-9]+$/.test(path) ? path : "/"),
    seconds: age === undefined || age < 0 ? 0 : age,
    ...(attributes.length > 0 ? { attributes } : {}),
  };
  if (isPersistent(values)) return { sessionCookie: cookie };
  return { hash: [{ kind: "cookie", ...cookie }] };
}
