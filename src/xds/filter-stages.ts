/** The stages of the HTTP filters that a request passes, in their order, each with the reason for its place. A filter names its stage. */
export const filterStages = {
  hostCheck: "before anything that answers or spends",
  compression: "sees a response last, after every filter below had its say",
  protocol: "bridges and counts gRPC for all filters below",
  preflight: "answers preflights before later filters ask who the client is",
  request: "answers bodies that are too long, and takes down what clients wrote before headers are set",
  localRateLimit: "costs nothing, so that a flood reaches no other protection",
  cookies: "acts on responses alone",
  address: "costs nothing, so that no server is asked about a client that may not come in",
  password: "Envoy knows the hashes, so that no server is asked about a request without one",
  token: "Envoy verifies it alone, so that no server is asked about a request without one",
  authorization: "asks a server about requests that the stages before let through",
  globalRateLimit: "counts requests that are authorized",
  passed: "notes that a request has come through all protections",
  router: "last, as Envoy demands",
} as const;

export type FilterStage = keyof typeof filterStages;

const order = Object.keys(filterStages);

/** Compares filters by their place. */
export const byStage = (a: { readonly stage: FilterStage }, b: { readonly stage: FilterStage }): number =>
  order.indexOf(a.stage) - order.indexOf(b.stage);
