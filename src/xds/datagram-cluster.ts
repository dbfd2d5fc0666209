/** The name of the cluster of a UDP listener: Envoy's UDP proxy sends to one cluster, which has the endpoints of all backends. */
export const datagramCluster = (listener: string): string => `udp/${listener}`;
