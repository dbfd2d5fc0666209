import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { SnippetEffect } from "../../../schema/nginx-snippet.js";
import { type ClusterOverrides, readCluster, type ServiceClusterOptions } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import { serverName } from "../../backends/server-name.js";
import { isInline, readCaBundle, readKeyPair, secretName } from "../../certificates/secret.js";
import { secretUnit } from "../../core/keys.js";
import type { Mirror } from "../../core/nodes.js";
import { type AnnotatedIngress, type NginxHostContext, type Notes, type } from "./annotated-ingress.js";
import { readServiceUrl } from "./auth-url.js";
import type { BackendFields, NginxLocation } from "./locations.js";
import { readHash } from "./sessions.js";
import { formatValue } from "./snippets.js";
import { positive } from "./times.js";

/** The cluster of a backend. Undefined, with a finding, if it can't be used: its path answers 503. */
export function readBackend(
  backend: BackendFields,
  { of, field }: { readonly of: AnnotatedIngress; readonly field: string },
  options: ServiceClusterOptions,
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

/** The server name of TLS with the backend, from `proxy_ssl_server_name` and `proxy_ssl_name` of a snippet. */
function snippetServerName(
  effects: readonly SnippetEffect[],
  host: string,
  notes: Notes,
): string | undefined {
  const isSent = effects.findLast((one) => one.kind === "server-name")?.on ?? false;
  const name = effects.findLast((one) => one.kind === "tls-name");
  if (!isSent || !name) return undefined;
  const sni = serverName(formatValue(name.value, { host, secure: true }));
  if (!sni) notes.ignore("configuration-snippet", "configuration-snippet: proxy_ssl_name is no DNS name");
  return sni;
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
  snippet: readonly SnippetEffect[],
  { config: { options }, reader, host, alias }: NginxHostContext,
  notes: Notes,
): ServiceClusterOptions {
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
  if (values["proxy-http-version"] === "1.0")
    notes.ignore("proxy-http-version", "proxy-http-version: Envoy speaks HTTP/1.1 to backends");
  const sni = snippetServerName(snippet, alias ?? host, notes);
  return {
    ...((values["service-upstream"] ?? options["service-upstream"]) ? { asService: true as const } : {}),
    loadBalancing,
    connectTimeoutMs: connect * 1000,
    ...(protocol && protocol !== "none" ? { protocol } : {}),
    ...(isTls && sni ? { sni } : {}),
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

const balancing = (name: string | undefined): NonNullable<ClusterOverrides["loadBalancing"]> =>
  name === "ewma" ? "least-request" : "round-robin";

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
