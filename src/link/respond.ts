import { memoized } from "../schema/memoized.js";
import { type Dialect, dialectKey, inDialect } from "../xds/dialect.js";
import { Body, maxBodyBytes } from "./body.js";
import type { EnvoyRegistry, Poller } from "./envoy-registry.js";
import { type Selection, type Served, selectVersion } from "./served.js";
import type { XdsType } from "./snapshot.js";
import { isNewer, parseVersion } from "./version.js";

/** What a DiscoveryRequest asks, as far as it matters, and who asks. */
export interface Poll extends Poller {
  readonly type: XdsType;
  /** What Envoy has; empty at first. */
  readonly version: string;
  /** Empty for clusters and listeners: all. */
  readonly names: readonly string[];
}

export type DiscoveryAnswer =
  /** `notBefore` (ms): with this very content refused, better answered only then. */
  | { readonly kind: "content"; readonly selection: Selection; readonly notBefore?: number }
  /** Nothing new: wait for a change, and at the end of the wait answer 304. `until` (ms): ask again then. */
  | { readonly kind: "unchanged"; readonly until?: number }
  /** Nothing to answer with: wait for it, and at the end of the wait answer 503. */
  | { readonly kind: "unavailable"; readonly reason: string };

const unchanged: DiscoveryAnswer = { kind: "unchanged" };
const unavailable = (reason: string): DiscoveryAnswer => ({ kind: "unavailable", reason });

/** A refused version is given again after this, lest an answer that got lost on the way is taken for refused. */
const redeliverMs = 60_000;
/** An Envoy that has nothing must not get 304, and not the answer that it refused ten times a second. */
const startAgainMs = 15_000;

/** Whether requests of a type are for names; the others are for all that there is. */
export const isByName = (type: XdsType): boolean =>
  type !== "clusters" && type !== "listeners" && type !== "scoped-routes";

/**
 * Decides on the answer to a poll. Never an empty answer to clusters or listeners, never 304 to an Envoy that has
 * nothing, never older content than it has, and never the refused version again and again.
 */
export function respond(
  request: Poll,
  served: Served | undefined,
  fleet: EnvoyRegistry,
  now: number,
): DiscoveryAnswer {
  if (!served) return unavailable("nothing has been published yet");
  const { type, names, version } = request;
  if (isByName(type) && names.length === 0) return unavailable("resource_names is empty");
  const selection = selectVersion(served, isByName(type) ? names : []);
  if (!selection) return unavailable("a resource of that name is not served");
  if (selection.resources.size === 0) return unavailable("there is nothing to serve");
  const refusal = fleet.refusal(request, type, names);
  const refused = refusal?.version === selection.version ? refusal : undefined;
  if (version === "")
    return { kind: "content", selection, ...(refused ? { notBefore: refused.at + startAgainMs } : {}) };
  if (refused) {
    const until = refused.at + redeliverMs;
    return now < until ? { kind: "unchanged", until } : { kind: "content", selection };
  }
  const has = parseVersion(version);
  if (has?.hash === selection.resources.hash) return refusal ? { kind: "content", selection } : unchanged;
  if (has && isNewer(has, { sequence: served.sequence, hash: selection.resources.hash })) return unchanged;
  return { kind: "content", selection };
}

const typeUrls: Readonly<Record<XdsType, string>> = {
  clusters: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  endpoints: "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
  "scoped-routes": "type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration",
  listeners: "type.googleapis.com/envoy.config.listener.v3.Listener",
  routes: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  secrets: "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
};

/** An answer that must not be sent; the message says why. */
export class EncodeError extends Error {}

interface Bodies {
  /** The version of those that are kept. */
  version: string;
  /** By dialect. */
  readonly worded: Map<string, Body | EncodeError>;
}

const bodiesIn = memoized((_: Selection["resources"]): Bodies => ({ version: "", worded: new Map() }));

/** Only of the version that was asked for last: the same resources are served under others, one after the other. */
function bodiesOf({ resources, version }: Selection): Bodies["worded"] {
  const known = bodiesIn(resources);
  if (known.version !== version) known.worded.clear();
  known.version = version;
  return known.worded;
}

/**
 * The DiscoveryResponse of a selection, the same bytes for every Envoy of a dialect. The only place that writes the body of a 200.
 *
 * @throws EncodeError on what must never be sent: no version, no resources, or more than Envoy reads.
 */
export function encodeResponse(type: XdsType, selection: Selection, dialect: Dialect): Body {
  const worded = bodiesOf(selection);
  const key = dialectKey(dialect);
  const body = worded.get(key) ?? encode(type, selection, dialect);
  worded.set(key, body);
  if (body instanceof EncodeError) throw body;
  return body;
}

function encode(type: XdsType, { resources, version }: Selection, dialect: Dialect): Body | EncodeError {
  if (version === "" || resources.size === 0) {
    return new EncodeError(`refusing to send an empty answer for ${type}`);
  }
  for (const { pieces } of resources.values()) {
    if (pieces.length === 0) return new EncodeError(`refusing to send an empty resource of ${type}`);
  }
  const body = new Body(function* () {
    for (const text of textsOf(type, resources, version)) yield inDialect(text, dialect);
  });
  if (body.size <= maxBodyBytes) return body;
  return new EncodeError(
    `the ${type} are ${body.size} bytes, more than the ${maxBodyBytes} that Envoy can be sent`,
  );
}

function* textsOf(type: XdsType, resources: Selection["resources"], version: string): Iterable<string> {
  yield `{"version_info":${JSON.stringify(version)},"type_url":"${typeUrls[type]}","resources":[`;
  const head = `{"@type":"${typeUrls[type]}",`;
  let separator = "";
  for (const { pieces } of resources.values()) {
    yield separator + head;
    yield* pieces;
    separator = ",";
  }
  yield "]}";
}
