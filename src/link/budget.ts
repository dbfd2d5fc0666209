import { hostUnit } from "../graph/core/keys.js";
import { memoized } from "../schema/memoized.js";
import type { Finding, Ref } from "../schema/meta.js";
import { settingsRef } from "../schema/settings.js";
import type { Resource, Store } from "../store/store.js";
import { type Piece, textOf } from "../xds/routes-hole.js";
import { maxBodyBytes } from "./body.js";
import { bytesOf, type Item, itemsToLeaveOut } from "./fit.js";
import type { Linked } from "./resource-set.js";

/** The bytes for the resources of one answer; the rest is for its other fields. */
const budget = maxBodyBytes - 1024 * 1024;
/** The bytes that an answer adds to each resource for its type. */
const frameBytes = 128;

type Claimants = Pick<Store, "claimants">;

const sizeOf = memoized(({ json }: Resource) => bytesOf(json));

/** The object that owns a host. */
function ownerOf(store: Claimants, host: string): Ref | undefined {
  const claimants = store.claimants(hostUnit(host)).filter((ref) => ref !== settingsRef);
  return claimants.find((ref) => ref.startsWith("HTTPProxy/")) ?? claimants[0];
}

const namespaceOf = (ref: Ref | undefined): string => ref?.split("/")[1] ?? "";

const tooLarge = (about: Ref, what: string, bytes: number, answer: string): Finding => ({
  about,
  severity: "error",
  type: "VirtualHostError",
  reason: "TooLarge",
  message: `${what} has ${bytes} bytes of configuration and is left out: the limit for ${answer} is ${maxBodyBytes} bytes, and this namespace has the largest share`,
});

/** Whether fragments certainly fit into one answer: a UTF-16 unit has at most three bytes in UTF-8. */
export function hasRoom(fragments: readonly Resource[]): boolean {
  let length = 0;
  for (const { json } of fragments) length += json.length;
  return length * 3 <= budget;
}

/**
 * The virtual hosts of one route table. When the table is too large, some hosts answer 503 for all requests.
 */
export function fitHosts(
  store: Claimants,
  table: string,
  hosts: readonly Resource[],
  findings: Finding[],
): readonly Resource[] {
  if (hasRoom(hosts)) return hosts;
  let total = 0;
  for (const host of hosts) total += sizeOf(host) + 1;
  if (total <= budget) return hosts;
  // The replacement of a host also takes space.
  let least = 0;
  const items = hosts.map((host) => {
    const rest = bytesOf(unavailable(host).json) + 1;
    least += rest;
    const owner = namespaceOf(ownerOf(store, host.name));
    return { name: host.name, owner, bytes: Math.max(0, sizeOf(host) + 1 - rest) };
  });
  const advice = table.includes("/") ? "" : ", or with routeShards: 16 a part of one,";
  const out = report(
    store,
    `a route table (${table})${advice}`,
    itemsToLeaveOut(items, budget - least),
    findings,
  );
  return out.size === 0 ? hosts : hosts.map((host) => (out.has(host.name) ? unavailable(host) : host));
}

const unavailable = (host: Resource): Resource => ({
  ...host,
  json: JSON.stringify({
    name: host.name,
    domains: [host.name],
    routes: [{ match: { prefix: "/" }, direct_response: { status: 503 } }],
  }),
});

/** The filter chains of a listener that fit. A chain that several hosts share counts for its first host. */
export function fitChains(
  store: Claimants,
  chains: ReadonlyMap<string, readonly Piece[]>,
  findings: Finding[],
): ReadonlyMap<string, readonly Piece[]> {
  let length = 0;
  for (const chain of chains.values()) for (const piece of chain) length += textOf(piece).length;
  if (length * 3 <= budget) return chains;
  const items = [...chains].map(([name, chain]) => {
    const owner = namespaceOf(ownerOf(store, name));
    return { name, owner, bytes: bytesOfPieces(chain) + 1 };
  });
  if (items.reduce((sum, { bytes }) => sum + bytes, 0) <= budget) return chains;
  const out = report(store, "a listener", itemsToLeaveOut(items, budget), findings);
  return new Map([...chains].filter(([name]) => !out.has(name)));
}

const bytesOfPieces = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, piece) => sum + bytesOf(textOf(piece)), 0);

function report(
  store: Claimants,
  answer: string,
  out: readonly Item[],
  findings: Finding[],
): ReadonlySet<string> {
  for (const { name, bytes } of out) {
    const about = ownerOf(store, name);
    if (about) findings.push(tooLarge(about, `host ${name}`, bytes, answer));
  }
  return new Set(out.map(({ name }) => name));
}

const clusterBytes = memoized(({ pieces }: Linked) => frameBytes + bytesOfPieces(pieces));

/** The clusters that fit into one answer. Routes to the other clusters answer 503. */
export function fitClusters(
  clusters: ReadonlyMap<string, Linked>,
  findings: Finding[],
): ReadonlyMap<string, Linked> {
  let length = 0;
  for (const { pieces } of clusters.values())
    for (const piece of pieces) length += textOf(piece).length + frameBytes;
  if (length * 3 <= budget) return clusters;
  let total = 0;
  for (const cluster of clusters.values()) total += clusterBytes(cluster);
  if (total <= budget) return clusters;
  const items = [...clusters].map(([name, cluster]) => ({
    name,
    owner: name.split("/")[0] ?? "",
    bytes: clusterBytes(cluster),
  }));
  const out = itemsToLeaveOut(items, budget);
  for (const { name, bytes } of out) {
    const [namespace = "", service = ""] = name.split("/");
    findings.push(tooLarge(`Service/${namespace}/${service}`, `cluster ${name}`, bytes, "clusters"));
  }
  const names = new Set(out.map(({ name }) => name));
  return names.size === 0 ? clusters : new Map([...clusters].filter(([name]) => !names.has(name)));
}
