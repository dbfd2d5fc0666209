import { addDigests, type Digest, digest, formatDigest, noDigest } from "../schema/digest.js";
import { isSame } from "../schema/same.js";
import type { Resource } from "../store/store.js";
import { partOf, shardCount, shardName, shardOf } from "../xds/route-shards.js";
import { unclosed } from "./fragment.js";
import { type Linked, linked } from "./resource-set.js";

/** A linked route table with its fragments; each host has its own digest. */
export interface Table {
  readonly resource: Linked;
  readonly head: Resource;
  readonly hosts: readonly Resource[];
  readonly digests: readonly Digest[];
}

/** Links a route table. After a change of one host, the digests of the others are reused. */
export function linkTable(head: Resource, hosts: readonly Resource[], before?: Table): Table {
  let same = isSame(before?.head, head) && before?.hosts.length === hosts.length;
  let sum = noDigest;
  let old = 0;
  const digests = hosts.map((host) => {
    while (before && (before.hosts[old]?.name ?? host.name) < host.name) old++;
    const known = isSame(before?.hosts[old], host) ? before?.digests[old] : undefined;
    if (!known) same = false;
    const found = known ?? digest(host.json);
    sum = addDigests(sum, found);
    return found;
  });
  if (before && same) return before;
  const frame = `{"name":${JSON.stringify(head.name)},${head.json.slice(1)}`;
  const pieces: [string, ...string[]] = [unclosed(frame), ',"virtual_hosts":['];
  for (const { json } of hosts) pieces.push(json, ",");
  if (hosts.length > 0) pieces.pop();
  pieces.push("]}");
  // Not a sum, too: a host that moves from one table to another would leave that of both as it was.
  const content = digest(head.name, frame, formatDigest(sum));
  return { resource: linked(head.name, pieces, content), head, hosts, digests };
}

/** A part of a route table before it is linked. */
interface Part {
  readonly head: Resource;
  readonly hosts: readonly Resource[];
}

/** Splits a table into parts by host. A wildcard host is in all parts, because it may match the hosts of any part. */
export function splitTable(head: Resource, hosts: readonly Resource[]): Part[] {
  const json = partOf(head.json);
  const parts = Array.from({ length: shardCount }, (_, shard) => {
    const name = shardName(head.name, shard);
    return { head: { ...head, name, json }, hosts: [] as Resource[] };
  });
  for (const host of hosts) {
    if (host.name.includes("*")) for (const part of parts) part.hosts.push(host);
    else parts[shardOf(host.name)]?.hosts.push(host);
  }
  return parts;
}
