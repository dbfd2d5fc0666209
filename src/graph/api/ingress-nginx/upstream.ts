import type { ErrorCode } from "../../../schema/finding-codes.js";
import { type ClusterOverrides, readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { isInline, readCaBundle, readKeyPair, secretName } from "../../certificates/secret.js";
import { secretUnit } from "../../core/keys.js";
import type { Mirror } from "../../core/nodes.js";
import type { RoutePolicies } from "../../policies/index.js";
import type { HashKey, HashPolicy } from "../../policies/load-balancing.js";
import { type AnnotatedIngress, type NginxHostContext, type Notes, type } from "./annotated-ingress.js";
import { readServiceUrl } from "./auth-url.js";
import type { BackendFields, NginxLocation } from "./locations.js";

/** The cluster of a backend. Undefined, with a finding, if it can't be used: its path answers 503. */
export function readBackend(
  backend: BackendFields,
  { of, field }: { readonly of: AnnotatedIngress; readonly field: string },
  options: ClusterOverrides,
  { reader, report }: NginxHostContext,
): Cluster | undefined {
  const { ref, meta } = of.ingress;
  const { service } = backend;
  if (!service) {
    report.error(ref, type, "BackendNotSupported", "only backends of kind Service are supported", field);
    return undefined;
  }
  const port = service.port?.number ?? service.port?.name ?? 0;
  const { cluster, error } = readCluster(reader, meta.namespace, service.name, port, options);
  if (!cluster) {
    const message = `unresolved service reference: ${error}`;
    report.error(ref, type, "ServiceUnresolvedReference", message, field);
    return undefined;
  }
  return cluster;
}

const protocols: Readonly<Record<string, Cluster["protocol"] | "none">> = {
  HTTP: "none",
  HTTPS: "tls",
  GRPC: "h2c",
  GRPCS: "h2",
};

/** Reads the options of the clusters for the Services of a location. */
export function readClusterOptions(
  { of: { values, ingress } }: NginxLocation,
  secure: boolean,
  { config: { options }, reader }: NginxHostContext,
  notes: Notes,
): ClusterOverrides {
  const asked = values["backend-protocol"] ?? "HTTP";
  const protocol = asked === "AUTO_HTTP" ? (secure ? "tls" : "none") : protocols[asked];
  if (protocol === undefined)
    notes.refuse(
      "backend-protocol",
      `backend-protocol ${JSON.stringify(asked.slice(0, 40))} is none that Envoy speaks`,
    );
  const isTls = protocol === "tls" || protocol === "h2";
  const connect =
    positive(values["proxy-connect-timeout"]) ?? positive(options["proxy-connect-timeout"]) ?? 5;
  const loadBalancing = readHash(values, notes)
    ? "ring-hash"
    : balancing(values["load-balance"] ?? options["load-balance"]);
  const secret = values["proxy-ssl-secret"];
  return {
    loadBalancing,
    connectTimeoutMs: connect * 1000,
    ...(protocol && protocol !== "none" ? { protocol } : {}),
    ...(isTls && secret ? readUpstreamTls(secret, ingress.meta.namespace) : {}),
  };

  function readUpstreamTls(text: string, namespace: string): ClusterOverrides {
    const target = secretName(text, namespace);
    const name = `${target.namespace}/${target.name}`;
    const refuse = (problem: string, reason?: ErrorCode): ClusterOverrides => {
      notes.refuse("proxy-ssl-secret", `proxy-ssl-secret ${problem}`, reason);
      return {};
    };
    if (target.namespace !== namespace) return refuse("is of another namespace");
    const { pair } = readKeyPair(reader, target);
    const { ca, error } = readCaBundle(reader, target);
    const serverName = values["proxy-ssl-name"];
    const verifies = values["proxy-ssl-verify"] === "on";
    if (!reader.get("Secret", target.namespace, target.name))
      return refuse(`Secret ${name} not found`, "NginxReferenceUnresolved");
    if (!pair && !ca) return refuse(`${name} has neither a key pair nor a CA certificate: ${error}`);
    if (verifies && !(ca && serverName))
      return refuse("with proxy-ssl-verify needs ca.crt and proxy-ssl-name");
    if (pair && !isInline(pair, reader)) reader.need(secretUnit(name));
    return {
      ...(pair ? { clientCertificate: { secret: name, ...(isInline(pair, reader) ? { pair } : {}) } } : {}),
      ...(verifies && ca && serverName ? { validation: { ca, subjectNames: [serverName] } } : {}),
      ...(serverName && values["proxy-ssl-server-name"] === "on" ? { sni: serverName } : {}),
    };
  }
}

const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;

const balancing = (name: string | undefined): NonNullable<ClusterOverrides["loadBalancing"]> =>
  name === "ewma" ? "least-request" : "round-robin";

/** Reads how long a request may be idle; the whole response has no time limit. */
export function readTimeouts(
  { values }: AnnotatedIngress,
  { options }: NginxHostContext["config"],
): RoutePolicies["timeout"] {
  const read = positive(values["proxy-read-timeout"]) ?? positive(options["proxy-read-timeout"]) ?? 60;
  const send = positive(values["proxy-send-timeout"]) ?? positive(options["proxy-send-timeout"]) ?? 60;
  return { response: 0, idle: Math.max(read, send) * 1000 };
}

const safeMethods = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"];
/** Envoy's retry conditions for each condition of nginx. */
const conditions: Readonly<Record<string, readonly string[]>> = {
  error: ["connect-failure", "refused-stream", "reset"],
  timeout: ["connect-failure"],
  invalid_header: ["reset"],
  non_idempotent: [],
};
const maxTries = 10;

/** Reads `proxy-next-upstream` and `proxy-next-upstream-tries`. */
export function readRetries(
  { values }: AnnotatedIngress,
  { options }: NginxHostContext["config"],
): RoutePolicies["retry"] {
  const cases = (values["proxy-next-upstream"] ?? options["proxy-next-upstream"] ?? "error timeout").split(
    /\s+/,
  );
  const tries = values["proxy-next-upstream-tries"] ?? options["proxy-next-upstream-tries"] ?? 3;
  if (cases.includes("off") || tries === 1) return undefined;
  const statusCodes = cases.flatMap((one) => /^http_(\d{3})$/.exec(one)?.[1] ?? []).map(Number);
  const found = new Set(cases.flatMap((one) => conditions[one] ?? []));
  if (statusCodes.length > 0) found.add("retriable-status-codes");
  if (found.size === 0) return undefined;
  const anyMethod = cases.includes("non_idempotent") || options["retry-non-idempotent"] === true;
  return {
    retryOn: [...found].join(","),
    count: (tries <= 0 ? maxTries : Math.min(tries, maxTries)) - 1,
    statusCodes,
    otherHosts: true,
    ...(anyMethod ? {} : { methods: safeMethods }),
  };
}

/** Reads `upstream-hash-by`, or the session cookie of `affinity`. */
export function readHash(values: AnnotatedIngress["values"], notes?: Notes): HashPolicy | undefined {
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
  return values.affinity === "cookie"
    ? [{ kind: "cookie", name: values["session-cookie-name"] ?? "INGRESSCOOKIE" }]
    : undefined;
}

function hashKey(variable: string): HashKey | undefined {
  const [, kind, name = ""] = /^(http|arg|cookie)_(.+)$/.exec(variable) ?? [];
  if (kind === "http" && name !== "host")
    return { kind: "header", name: name.replaceAll("_", "-"), terminal: false };
  if (kind === "arg") return { kind: "query", name, terminal: false };
  if (kind === "cookie") return { kind: "cookie", name, passive: true };
  if (["remote_addr", "binary_remote_addr"].includes(variable)) return { kind: "source-ip", terminal: false };
  if (["host", "http_host"].includes(variable))
    return { kind: "header", name: ":authority", terminal: false };
  return variable === "request_uri" ? { kind: "header", name: ":path", terminal: false } : undefined;
}

/** The hash policy of a route. Its session cookie depends on the path and on TLS. */
export function routeHash({ path, of: { values } }: NginxLocation, secure: boolean): HashPolicy | undefined {
  const hash = readHash(values);
  if (values.affinity !== "cookie" || !hash) return hash;
  const age = values["session-cookie-max-age"] ?? values["session-cookie-expires"];
  const { "session-cookie-domain": domain, "session-cookie-samesite": sameSite } = values;
  const attributes = [
    ...(domain ? [{ name: "Domain", value: domain }] : []),
    ...(secure || values["session-cookie-secure"] ? [{ name: "Secure", value: "" }] : []),
    ...(sameSite ? [{ name: "SameSite", value: sameSite }] : []),
  ];
  return hash.map((key) => ({
    ...key,
    // A cookie path must be a literal path, not a regular expression.
    path: values["session-cookie-path"] ?? (/^[-._~/A-Za-z0-9]+$/.test(path) ? path : "/"),
    seconds: age === undefined || age < 0 ? 0 : age,
    ...(attributes.length > 0 ? { attributes } : {}),
  }));
}

/** `mirror-target`: copies all requests to a Service of the Kubernetes cluster. */
export function readMirrors(
  location: NginxLocation,
  context: NginxHostContext,
  notes: Notes,
): readonly Mirror[] {
  const target = location.of.values["mirror-target"];
  if (!target) return [];
  const found = readServiceUrl(target.replace(/\$request_uri$/, ""), location, context);
  if ("cluster" in found) return [{ cluster: found.cluster, percent: 100 }];
  notes.ignore("mirror-target", `mirror-target ${found.problem}; nothing is copied`);
  return [];
}
