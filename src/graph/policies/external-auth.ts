import type { Cluster } from "../backends/cluster.js";
import type { Policy } from "./policy.js";

/** A Service that authorizes the requests of a rule of the Gateway API (HTTPExternalAuthFilter). */
export interface ExternalAuth {
  readonly cluster: Cluster;
  /** Without it: gRPC. */
  readonly http?: {
    /** Precedes the path of the request. */
    readonly pathPrefix: string;
    /** Headers of the response that are sent to the backend; empty: all of them. */
    readonly upstreamHeaders: readonly string[];
  };
  /**
   * Headers of the request that the Service gets. Empty: all of them with gRPC; with HTTP only those that it always
   * gets.
   */
  readonly requestHeaders: readonly string[];
  /** The Service gets the body of requests, of at most this many bytes. */
  readonly maxBody?: number;
}

export const externalAuth: Policy<{ route: ExternalAuth }, true> = {
  protects: true,
  fields: {},
  read: { route: () => undefined },
};
