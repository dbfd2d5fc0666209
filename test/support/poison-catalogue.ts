import type { Poison } from "./poison.js";
import { clusters, endpoints } from "./poison-backends.js";
import { certificates } from "./poison-certificates.js";
import { actions, hosts } from "./poison-hosts.js";
import { matches, policies } from "./poison-routes.js";

/** Every poison that is known: what an API server takes, and Envoy refuses or should never be given. */
export const poisons: readonly Poison[] = [
  ...matches,
  ...policies,
  ...actions,
  ...hosts,
  ...clusters,
  ...endpoints,
  ...certificates,
];
