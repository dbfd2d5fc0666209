import type { Finding } from "../../src/schema/meta.js";
import {
  certificateFile,
  httpProxy,
  ingressRoute,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "./backend.js";
import { gatewayRoute } from "./gateway.js";
import { compileWithGateway, inNamespace } from "./gateway-threat.js";

/**
 * Objects in the namespaces `shop` and `evil` that claim hosts. Each namespace has a backend `a` and a certificate
 * `secure`.
 */
export const to: readonly Manifest[] = [{ name: "a", port: 80 }];
export const secure: Manifest = { secretName: "secure" };
export const backend: Manifest = { service: { name: "a", port: { number: 80 } } };

/** The objects of both namespaces. */
export const background: readonly Manifest[] = [
  ...["shop", "evil"].flatMap((namespace) => [service(namespace, "a"), tlsSecret(namespace, "secure")]),
  secret("shop", "ca", { "ca.crt": certificateFile("ca.crt") }),
];

export interface Claimed {
  /** JSON of the virtual hosts and of the filter chains of a host. */
  readonly host: (name: string) => string;
  readonly chain: (name: string) => string;
  /** `<severity> <Kind>/<namespace> <reason>` of each finding about claims, sorted. */
  readonly told: readonly string[];
  readonly findings: readonly Finding[];
}

/** Compiles claims, with a Gateway if one is among the manifests. */
export function claim(manifests: readonly Manifest[], settings: Manifest = {}): Claimed {
  const { host, chain, findings } = compileWithGateway([...background, ...manifests], settings);
  const own = findings.filter(
    ({ unlessBetween, reason }) => !unlessBetween && reason !== "CertificateNameMismatch",
  );
  const told = own.map(
    ({ severity, about, reason }) => `${severity} ${about.split("/", 2).join("/")} ${reason}`,
  );
  return { host, chain, told: [...new Set(told)].sort(), findings: own };
}

const ofAge = (created: string, object: Manifest): Manifest => ({
  ...object,
  metadata: { ...(object.metadata as Manifest), creationTimestamp: created },
});
/** Older and younger than objects without a time. */
export const old = (object: Manifest): Manifest => ofAge("2020-01-01T00:00:00Z", object);
export const young = (object: Manifest): Manifest => ofAge("2030-01-01T00:00:00Z", object);

interface IngressFields {
  readonly host?: string;
  readonly paths?: readonly string[];
  readonly tls?: readonly string[];
}

/** An Ingress with prefixes of one host (default `/`), or without rules. */
export const ingress = (namespace: string, { host, paths = ["/"], tls }: IngressFields): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace, name: "ingress" },
  spec: {
    ...(tls ? { tls: [{ hosts: tls, secretName: "secure" }] } : {}),
    rules:
      host === undefined
        ? []
        : [{ host, http: { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) } }],
  },
});

/** A route of the Gateway API for all requests or connections. */
export const routeOf = (kind: string, hostnames: readonly string[], namespace = "evil"): Manifest =>
  inNamespace(
    namespace,
    gatewayRoute(kind, "route", {
      ...(kind === "TCPRoute" ? {} : { hostnames }),
      rules: [{ backendRefs: to }],
    }),
  );

/** An HTTPProxy or IngressRoute that routes a host to one backend, unless `spec` is given. */
export function rootOf(
  kind: "HTTPProxy" | "IngressRoute",
  namespace: string,
  fqdn: string,
  spec?: Manifest,
  tls?: Manifest,
): Manifest {
  const virtualhost = { fqdn, ...(tls ? { tls } : {}) };
  return kind === "HTTPProxy"
    ? httpProxy(namespace, "root", { virtualhost, ...(spec ?? { routes: [{ services: to }] }) })
    : ingressRoute(namespace, "root", {
        virtualhost,
        ...(spec ?? { routes: [{ match: "/", services: to }] }),
      });
}
