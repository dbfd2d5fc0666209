/**
 * The stages of the HTTP filters in the order in which requests pass them, each with the reason for its position.
 * Every filter has a stage.
 */
export const filterStages = {
  hostCheck: "comes before all filters that respond or count",
  compression: "processes a response last, after every filter below has changed it",
  protocol: "bridges and counts gRPC for all filters below",
  preflight: "responds to preflights before later filters authenticate the client",
  request: "refuses bodies that are too long, and keeps what clients sent before headers are set",
  localRateLimit: "is cheap, and keeps a flood of requests from the other protections",
  cookies: "changes responses only",
  address: "is cheap, and refuses clients before a server is called for them",
  password: "Envoy has the hashes itself, and refuses requests before a server is called for them",
  token: "Envoy verifies it itself, and refuses requests before a server is called for them",
  authorization: "calls a server for the requests that passed the earlier stages",
  globalRateLimit: "counts requests that are authorized",
  session: "selects an endpoint for requests that nothing refused",
  passed: "marks the requests that passed all protections",
  router: "comes last, as Envoy requires",
} as const;

export type FilterStage = keyof typeof filterStages;

const order = Object.keys(filterStages);

/** Compares filters by their stages. */
export const byStage = (a: { readonly stage: FilterStage }, b: { readonly stage: FilterStage }): number =>
  order.indexOf(a.stage) - order.indexOf(b.stage);
