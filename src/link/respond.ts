import type { Fleet } from "./fleet.js";
import { type Selection, type Served, selectVersion } from "./served.js";
import type { XdsType } from "./snapshot.js";
import { parseVersion } from "./version.js";

/** What a DiscoveryRequest asks, as far as it matters. */
export interface Request {
  readonly type: XdsType;
  readonly node: string;
  /** What Envoy has; empty at first. */
  readonly version: string;
  /** Empty for clusters and listeners: all. */
  readonly names: readonly string[];
}

export type Answer =
  | { readonly kind: "content"; readonly selection: Selection }
  /** Nothing new: wait for a change, and at the end of the wait answer 304. */
  | { readonly kind: "unchanged" }
  /** Nothing to answer with: wait for it, and at the end of the wait answer 503. */
  | { readonly kind: "unavailable"; readonly reason: string };

const unchanged: Answer = { kind: "unchanged" };
const redeliverMs = 20_000;

/**
 * Decides on the answer to a poll. Never an empty answer to clusters or listeners, never 304 to an Envoy that has
 * nothing, never older content than it has, and never the refused version again and again.
 */
export function respond(request: Request, served: Served | undefined, fleet: Fleet, now: number): Answer {
  if (!served) return { kind: "unavailable", reason: "nothing has been published yet" };
  const { type, names, node, version } = request;
  const byName = type !== "clusters" && type !== "listeners";
  if (byName && names.length === 0) return { kind: "unavailable", reason: "resource_names is empty" };
  const selection = selectVersion(served, byName ? names : []);
  if (!selection) return { kind: "unavailable", reason: "a resource of that name is not served" };
  if (selection.resources.size === 0) return { kind: "unavailable", reason: "there is nothing to serve" };
  if (version === "") return { kind: "content", selection };

  const refusal = fleet.refusal(node, type, names);
  if (refusal?.version === selection.version) {
    return now - refusal.at < redeliverMs ? unchanged : { kind: "content", selection };
  }
  const has = parseVersion(version);
  if (has?.hash === selection.hash) return refusal ? { kind: "content", selection } : unchanged;
  if (has && has.sequence > served.sequence) return unchanged;
  return { kind: "content", selection };
}

const typeUrls: Readonly<Record<XdsType, string>> = {
  clusters: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoints: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  listeners: "type.googleapis.com/envoy.config.listener.v3.Listener",
  routes: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  secrets: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
};

/** Envoy gives up on a body of 32 MiB and more. */
export const maxBodyBytes = 24 * 1024 * 1024;

const encoder = new TextEncoder();
const bodies = new WeakMap<Selection["resources"], { version: string; bytes: Uint8Array<ArrayBuffer> }>();

/**
 * The DiscoveryResponse of a selection as bytes; the same bytes for every Envoy. The only place that writes the body
 * of a 200. Throws on what must never be sent: no version, no resources, or more than Envoy reads.
 */
export function encodeResponse(type: XdsType, selection: Selection): Uint8Array<ArrayBuffer> {
  const { resources, version } = selection;
  const cached = bodies.get(resources);
  if (cached?.version === version) return cached.bytes;
  if (version === "" || resources.size === 0) throw new Error(`refusing to send an empty answer for ${type}`);
  const head = `{"@type":"${typeUrls[type]}",`;
  const parts: string[] = [];
  for (const json of resources.values()) parts.push(head + json.slice(1));
  const text = `{"version_info":"${version}","type_url":"${typeUrls[type]}","resources":[${parts.join(",")}]}`;
  const bytes = encoder.encode(text);
  if (bytes.length > maxBodyBytes) {
    throw new Error(
      `the ${type} are ${bytes.length} bytes, more than the ${maxBodyBytes} that Envoy can be sent`,
    );
  }
  bodies.set(resources, { version, bytes });
  return bytes;
}
