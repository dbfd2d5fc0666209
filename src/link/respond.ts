import { memoized } from "../schema/memoized.js";
import { type Dialect, dialectKey, inDialect } from "../xds/dialect.js";
import type { Piece } from "../xds/routes-hole.js";
import { Body, maxBodyBytes } from "./body.js";
import type { EnvoyRegistry, Poller } from "./envoy-registry.js";
import { type Selection, type Served, selectVersion } from "./served.js";
import type { XdsType } from "./snapshot.js";
import { isNewer, parseVersion } from "./version.js";

/** The relevant fields of a DiscoveryRequest, and its sender. */
export interface Poll extends Poller {
  readonly type: XdsType;
  /** The version that Envoy has; empty at first. */
  readonly version: string;
  /** The requested names; empty for clusters and listeners, which are requested as a whole. */
  readonly names: readonly string[];
}

export type DiscoveryAnswer =
  /** `notBefore` (ms): the earliest time for this answer, because Envoy rejected this content before. */
  | { readonly kind: "content"; readonly selection: Selection; readonly notBefore?: number }
  /**
   * Envoy has the newest content: wait for a change, and answer 304 at the end. `until` (ms): decide again at this
   * time.
   */
  | { readonly kind: "unchanged"; readonly until?: number }
  /** There is no content: wait for it, and answer 503 at the end. */
  | { readonly kind: "unavailable"; readonly reason: string };

const unchanged: DiscoveryAnswer = { kind: "unchanged" };
const unavailable = (reason: string): DiscoveryAnswer => ({ kind: "unavailable", reason });

/** A rejected version is delivered again after this time, because a lost answer looks like a rejection. */
const redeliverMs = 60_000;
/**
 * The delay of a rejected version for an Envoy without content: it can't get 304, and must not get the same answer
 * ten times a second.
 */
const startAgainMs = 15_000;

/** Whether requests of a type select resources by name; other types are requested as a whole. */
export const isByName = (type: XdsType): boolean =>
  type !== "clusters" && type !== "listeners" && type !== "scoped-routes";

/**
 * Decides on the answer to a poll. It never returns an empty answer for clusters or listeners, 304 for an Envoy without
 * content, older content than Envoy has, or the same rejected version in quick succession.
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

/** An answer that must not be sent; the message has the reason. */
export class EncodeError extends Error {}

interface Bodies {
  /** The version of the cached bodies. */
  version: string;
  /** By `dialectKey`. */
  readonly byDialect: Map<string, Body | EncodeError>;
}

const bodiesIn = memoized((_: Selection["resources"]): Bodies => ({ version: "", byDialect: new Map() }));

/** The cached bodies of the current version; those of earlier versions of the same resources are dropped. */
function bodiesOf({ resources, version }: Selection): Bodies["byDialect"] {
  const known = bodiesIn(resources);
  if (known.version !== version) known.byDialect.clear();
  known.version = version;
  return known.byDialect;
}

/**
 * The DiscoveryResponse of a selection: the same bytes for every Envoy with the same dialect. Only this function writes
 * the body of an answer with status 200.
 *
 * @throws EncodeError without a version, without resources, and for a body larger than Envoy accepts.
 */
export function encodeResponse(type: XdsType, selection: Selection, dialect: Dialect): Body {
  const bodies = bodiesOf(selection);
  const key = dialectKey(dialect);
  const body = bodies.get(key) ?? encode(type, selection, dialect);
  bodies.set(key, body);
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
    for (const piece of piecesOf(type, resources, version)) yield inDialect(piece, dialect);
  });
  if (body.size <= maxBodyBytes) return body;
  return new EncodeError(
    `the ${type} have ${body.size} bytes, more than the limit of an answer, ${maxBodyBytes}`,
  );
}

function* piecesOf(type: XdsType, resources: Selection["resources"], version: string): Iterable<Piece> {
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
