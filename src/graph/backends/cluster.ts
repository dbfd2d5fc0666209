import type { EndpointMode } from "../../store/store.js";
import type { KeyPair } from "../certificates/secret.js";
import type { CircuitBreakers } from "../policies/circuit-breakers.js";
import type { HealthCheck } from "../policies/health-check.js";
import type { LoadBalancing } from "../policies/load-balancing.js";
import type { SlowStart } from "../policies/slow-start.js";
import type { Reachable } from "./address.js";

export interface UpstreamValidation {
  /** PEM, or the path of a file on Envoy's machine. */
  readonly ca: string | { readonly file: string };
  readonly subjectNames: readonly string[];
  /** URIs that will do, too. */
  readonly subjectUris?: readonly string[];
}

/** The configuration of a cluster for one Service port. Equal values are one Envoy cluster. */
export interface Cluster {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** `<namespace>/<service>/<port name>[/<name of the health port>]`; undefined for an ExternalName service. */
  readonly endpoints?: string;
  /** The port of the Service for health checks, if it is not `port`. */
  readonly healthPort?: number;
  readonly mode?: EndpointMode;
  readonly externalName?: Reachable;
  readonly protocol?: "tls" | "h2" | "h2c";
  /** The backend gets the PROXY protocol before all other bytes. */
  readonly proxyProtocol?: true;
  /** The server name of TLS (`serverName`); undefined for `externalName`. */
  readonly sni?: string;
  readonly validation?: UpstreamValidation;
  readonly loadBalancing: LoadBalancing;
  readonly healthCheck?: HealthCheck;
  readonly idleConnectionMs?: number;
  readonly connectTimeoutMs?: number;
  readonly circuitBreakers?: CircuitBreakers;
  readonly slowStart?: SlowStart;
  /** Endpoints are in localities with weights. */
  readonly weightedLocalities?: true;
  /** The certificate that Envoy presents to the backend. */
  readonly clientCertificate?: CertificateRef;
}

/** `<namespace>/<name>` of a TLS Secret, and the pair itself if it is not sent by SDS. */
export interface CertificateRef {
  readonly secret: string;
  readonly pair?: KeyPair;
}
