import type { HttpConnectionManager } from "../gen/envoy.js";
import type { Normalization } from "./request.js";

/** The normalization of paths and hosts by a connection manager before routing. */
export const normalizationOf = (manager: HttpConnectionManager): Normalization => ({
  escapedSlashes: escapedSlashesOf(manager),
  normalizePath: manager.normalize_path ?? false,
  mergeSlashes: manager.merge_slashes ?? false,
  stripTrailingHostDot: manager.strip_trailing_host_dot ?? false,
});

function escapedSlashesOf({
  path_with_escaped_slashes_action: action,
}: HttpConnectionManager): Normalization["escapedSlashes"] {
  if (action === "REJECT_REQUEST") return "reject";
  return action === "UNESCAPE_AND_FORWARD" ? "unescape" : "keep";
}
