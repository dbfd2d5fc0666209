import type { Poison } from "./poison.js";
import { clusters, endpoints } from "./poison-backends.js";
import { certificates } from "./poison-certificates.js";
import { actions, hosts } from "./poison-hosts.js";
import { matches, policies } from "./poison-routes.js";

/** All known poisons: objects that an API server accepts, and that Envoy refuses or should never receive. */
export const poisons: readonly Poison[] = [
  ...matches,
  ...policies,
  ...actions,
  ...hosts,
  ...clusters,
  ...endpoints,
  ...certificates,
];
