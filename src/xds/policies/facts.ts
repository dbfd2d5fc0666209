/** One effect on a request, as text. */
export interface Fact {
  readonly what: string;
  readonly value: string;
}

/** The protections of a route, as values; an absent one does not apply. */
export interface Protections {
  /** The ExtensionService that authorizes requests, or the Service of a filter ExternalAuth, as `namespace/name`. */
  readonly authorization?: string;
  /** The name of the provider whose token is required. */
  readonly jwt?: string;
  /** The number of requests that each Envoy allows in this time. */
  readonly localRateLimit?: { readonly requests: number; readonly seconds: number };
  /** The ExtensionService that counts requests, as `namespace/name`. */
  readonly globalRateLimit?: string;
  readonly addresses?: AddressFilter;
  /** A user and a password are required. */
  readonly password?: true;
}

export interface AddressFilter {
  /** Whether addresses in the ranges are allowed or denied. */
  readonly action: "allow" | "deny";
  /** CIDR ranges such as `10.0.0.0/8`. */
  readonly ranges: readonly string[];
}
