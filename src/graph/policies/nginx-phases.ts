import type { Policy } from "./policy.js";

/**
 * The behaviour of ingress-nginx for requests and responses of a path that no field of Envoy's configuration provides.
 */
export interface NginxPhases {
  /** The maximum `Content-Length` of a request, in bytes; a larger request gets status 413. */
  readonly bodyLimit?: number;
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
}

export const nginxPhases: Policy<{ route: NginxPhases }> = {
  protects: false,
  fields: {},
  read: { route: () => undefined },
};
