/** What is used of the client library, alone, so that a bundle leaves out its API clients: 14 of 15 MB. */
export { KubeConfig } from "@kubernetes/client-node";
