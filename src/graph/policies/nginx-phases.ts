import type { Cluster } from "../backends/cluster.js";
import type { Policy } from "./policy.js";

/**
 * The behaviour of ingress-nginx for requests and responses of a path that no field of Envoy's configuration provides.
 */
export interface NginxPhases {
  /** The maximum `Content-Length` of a request, in bytes; a larger request gets status 413. */
  readonly bodyLimit?: number;
  /**
   * A body without `Content-Length` is read completely before it is sent on, and has the limit, too. `raised`: the
   * limit exceeds the buffer of a connection.
   */
  readonly wholeBodies?: { readonly raised: boolean };
  /** The client's `X-Forwarded-For` and `X-Forwarded-Host` are sent to backends under other names. */
  readonly originalForwarded?: true;
  /** The realm of the password prompt. */
  readonly realm?: string;
  /** A service authorizes requests. It gets their URL and method. */
  readonly asks?: true;
  /**
   * Response headers of the service for the backend, in lower case. A client's own headers of these names are removed
   * before the service gets the request.
   */
  readonly askedHeaders?: readonly string[];
  /** The page for clients that the service refuses with 401. */
  readonly signIn?: {
    readonly parts: readonly ({ readonly text: string } | { readonly variable: string })[];
    /** Precedes the escaped URL of the request. Absent: the URL is not appended. */
    readonly append?: string;
  };
  /** Changes the `Location` of the route's own redirect. */
  readonly location?: {
    /** Without the final slash of path or query. */
    readonly stripSlash?: true;
    /** Without the port. */
    readonly stripPort?: true;
    /** Without scheme and host. */
    readonly relative?: true;
  };
  /** Changes responses of backends. */
  readonly answers?: NginxAnswers;
  /** Some responses are replaced by those of another backend. */
  readonly errorPages?: NginxErrorPages;
}

export interface NginxErrorPages {
  readonly codes: readonly number[];
  /** Only responses that are not of a backend. */
  readonly ownOnly?: true;
  /** The backend of the pages. It also gets requests that no endpoint can take, with their path. */
  readonly cluster: Cluster;
  /** The request headers for the backend of the pages. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

/** Replaces the text `from`, where a value begins with it or, for the domain of a cookie, equals it. */
export interface NginxReplacement {
  readonly from: string;
  readonly to: string;
}

export interface NginxAnswers {
  /** Headers that are added to responses with the status of a success or a redirect. */
  readonly successHeaders?: readonly { readonly name: string; readonly value: string }[];
  /** For `Location` and `Refresh`. */
  readonly redirect?: NginxReplacement;
  readonly cookieDomain?: NginxReplacement;
  readonly cookiePath?: NginxReplacement;
  /** The cookie of the session that Envoy makes gets `Expires`. */
  readonly expires?: { readonly cookie: string; readonly seconds: number };
}

export const nginxPhases: Policy<{ route: NginxPhases }> = {
  protects: false,
  fields: {},
  read: { route: () => undefined },
};
