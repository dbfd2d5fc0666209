/** The name of no cluster: Envoy closes a connection that is for it, and refuses a request that it is asked about. */
export const closedCluster = "isoline.closed";
