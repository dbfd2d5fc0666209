import type { Policy } from "./policy.js";

/** What ingress-nginx does to the requests and answers of a path, and no field of Envoy's configuration does. */
export interface NginxPhases {
  /** The greatest `Content-Length` of a request, in bytes; a greater one is answered 413. */
  readonly bodyLimit?: number;
  /** Backends get the client's own `X-Forwarded-For` and `X-Forwarded-Host` under other names. */
  readonly originalForwarded?: true;
  /** Of the password that is asked for. */
  readonly realm?: string;
  /** A service is asked about requests, and told their URL and method. */
  readonly asks?: true;
  /** Headers that the service answers for the backend, lower case. A client's own go to neither. */
  readonly askedHeaders?: readonly string[];
  /** Where clients go whom the service refuses with 401. */
  readonly signIn?: {
    readonly parts: readonly ({ readonly text: string } | { readonly variable: string })[];
    /** Comes before the escaped URL of the request, which is left out without it. */
    readonly append?: string;
  };
}

export const nginxPhases: Policy<{ route: NginxPhases }> = {
  protects: false,
  fields: {},
  read: { route: () => undefined },
};
