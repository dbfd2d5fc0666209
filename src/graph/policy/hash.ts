/** What a ring-hash load balancer hashes; in order. */
export type HashPolicy = readonly HashKey[];

export type HashKey =
  | { readonly kind: "cookie"; readonly name: string }
  | { readonly kind: "header"; readonly name: string; readonly terminal: boolean }
  | { readonly kind: "query"; readonly name: string; readonly terminal: boolean }
  | { readonly kind: "source-ip"; readonly terminal: boolean };

/** The cookie of strategy `Cookie`; its name is Contour's, so that sessions survive a migration. */
export const sessionAffinity: HashPolicy = [{ kind: "cookie", name: "X-Contour-Session-Affinity" }];
