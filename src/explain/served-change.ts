import type { Cluster, ClusterLoadAssignment, Listener, Secret, VirtualHost } from "../gen/envoy.js";
import { jsonOf, type Linked, type ResourceSet } from "../link/resource-set.js";
import { type Snapshot, type XdsType, xdsTypes } from "../link/snapshot.js";
import type { Table } from "../link/table.js";
import { isSame } from "../schema/same.js";
import { plural } from "../schema/words.js";
import type { Resource } from "../store/store.js";
import { textOf } from "../xds/routes-hole.js";
import type { EnvoyConfig } from "./config.js";
import { aligned, diff } from "./diff.js";
import { hideValues } from "./hidden-values.js";
import { reviewOf } from "./review.js";
import { type Section, sectionsOf } from "./review-lines.js";

type Sides = Pick<Snapshot, "sets" | "tables">;

/** The differences between two snapshots, as text. */
export interface ServedChange {
  /** The types whose resources differ. */
  readonly types: readonly XdsType[];
  /** Names of the first hosts whose routes differ. */
  readonly hosts: readonly string[];
  readonly hostCount: number;
  /** The differences by host and kind, without values that may be secrets. */
  readonly sections: readonly WordSection[];
  /** The number of omitted lines. */
  readonly more: number;
  /** Whether only endpoints differ: no route, listener, certificate or cluster. */
  readonly onlyEndpoints: boolean;
}

interface WordSection {
  readonly title: string;
  readonly lines: readonly {
    readonly sign: "+" | "-" | "~" | "";
    readonly depth: number;
    readonly text: string;
  }[];
}

/**
 * Above these limits (resources, characters of them) a change has only their numbers: a description takes time and
 * memory.
 */
const maxResources = 400;
const maxCharacters = 2_000_000;
const maxHosts = 50;
const maxLines = 60;
const maxText = 240;

interface Pair<T> {
  readonly before: Map<string, T>;
  readonly after: Map<string, T>;
}

const newPair = <T>(): Pair<T> => ({ before: new Map(), after: new Map() });
const namesIn = <T>({ before, after }: Pair<T>): Set<string> => new Set([...before.keys(), ...after.keys()]);

/**
 * Finds the differences between two lists in the order of their names, in one pass. Most elements are the same object
 * on both sides; to look up each of ten thousand names would take longer than the rest of an edit.
 */
function addDifferences<T>(
  a: Iterator<readonly [string, T]>,
  b: Iterator<readonly [string, T]>,
  found: Pair<T>,
  { isAlike, keyOf = (name) => name }: { isAlike(x: T, y: T): boolean; keyOf?(name: string): string },
): void {
  let [before, after] = [a.next(), b.next()];
  while (!before.done || !after.done) {
    const [old, x] = before.done ? [undefined, undefined] : before.value;
    const [fresh, y] = after.done ? [undefined, undefined] : after.value;
    const isBefore = old !== undefined && (fresh === undefined || old <= fresh);
    const isAfter = fresh !== undefined && (old === undefined || fresh <= old);
    const isSameHere = isBefore && isAfter && (x === y || isAlike(x as T, y as T));
    if (isBefore && !isSameHere) found.before.set(keyOf(old), x as T);
    if (isAfter && !isSameHere) found.after.set(keyOf(fresh), y as T);
    if (isBefore) before = a.next();
    if (isAfter) after = b.next();
  }
}

/** The resources of two sets that differ. */
function changedResources(a: ResourceSet, b: ResourceSet): Pair<Linked> {
  const found = newPair<Linked>();
  if (!a.isSame(b))
    addDifferences(a.entries(), b.entries(), found, { isAlike: (x, y) => isSame(x.digest, y.digest) });
  return found;
}

type Tables = ReadonlyMap<string, Table>;

function* hostsOf(table: Table | undefined): Generator<readonly [string, Resource]> {
  for (const host of table?.hosts ?? []) yield [host.name, host];
}

/** The virtual hosts that differ. A key is `table\nhost`, with the name of the whole route table. */
function changedHosts(a: Tables, b: Tables): Pair<Resource> {
  const found = newPair<Resource>();
  for (const part of new Set([...a.keys(), ...b.keys()])) {
    const [before, after] = [a.get(part), b.get(part)];
    if (before === after) continue;
    const table = part.replace(/\/[01]+$/, "");
    addDifferences(hostsOf(before), hostsOf(after), found, {
      isAlike: (x, y) => x.json === y.json,
      keyOf: (name) => `${table}\n${name}`,
    });
  }
  // After a table is split or joined again, the same hosts are in other parts.
  for (const [key, { json }] of found.before)
    if (found.after.get(key)?.json === json) {
      found.before.delete(key);
      found.after.delete(key);
    }
  return found;
}

const sizeOf = (resources: ReadonlyMap<string, Linked>): number =>
  [...resources.values()].reduce(
    (sum, { pieces }) => sum + pieces.reduce((length, piece) => length + textOf(piece).length, 0),
    0,
  );

const parsed = <T>(resources: ReadonlyMap<string, Linked>): Map<string, T> =>
  new Map(
    [...resources].flatMap(([name, resource]) => {
      const json = jsonOf(resource);
      return json === undefined ? [] : [[name, JSON.parse(json) as T]];
    }),
  );

function parsedTables(hosts: ReadonlyMap<string, Resource>): EnvoyConfig["tables"] {
  const tables = new Map<string, { name: string; virtual_hosts: VirtualHost[] }>();
  for (const [key, { json }] of hosts) {
    const [name = ""] = key.split("\n");
    const table = tables.get(name) ?? { name, virtual_hosts: [] };
    tables.set(name, table);
    table.virtual_hosts.push(JSON.parse(json) as VirtualHost);
  }
  return tables;
}

/**
 * Clusters of these names, without other content. Endpoints have the names of their clusters, and are compared only if
 * the cluster is on both sides.
 */
const clustersOf = (names: ReadonlySet<string>, { sets }: Sides): Map<string, Cluster> =>
  new Map([...names].flatMap((name) => (sets.clusters.has(name) ? [[name, { name }]] : [])));

/**
 * Finds and describes the differences between two snapshots without reading the equal parts. `salt` hides the values
 * that routes compare requests with: equal values have equal text under one salt.
 */
export function servedChange(before: Sides, after: Sides, salt: string): ServedChange {
  const of = (type: XdsType): Pair<Linked> => changedResources(before.sets[type], after.sets[type]);
  const [listeners, clusters, endpoints, secrets] = [
    of("listeners"),
    of("clusters"),
    of("endpoints"),
    of("secrets"),
  ];
  const hosts = changedHosts(before.tables, after.tables);
  const names = [...new Set([...namesIn(hosts)].map((key) => key.split("\n")[1] ?? ""))];
  const found = {
    types: xdsTypes.filter((type) => !before.sets[type].isSame(after.sets[type])),
    hosts: names.slice(0, maxHosts),
    hostCount: names.length,
  };
  const pairs = [listeners, clusters, endpoints, secrets];
  const resources = pairs.reduce((sum, pair) => sum + namesIn(pair).size, 0) + namesIn(hosts).size;
  const size = [...pairs.flatMap((pair) => [pair.before, pair.after])].reduce(
    (sum, one) => sum + sizeOf(one),
    0,
  );
  if (resources > maxResources || size > maxCharacters) {
    const counts = [
      [names.length, "host"],
      [namesIn(listeners).size, "listener"],
      [namesIn(clusters).size, "cluster"],
      [namesIn(endpoints).size, "list of endpoints"],
      [namesIn(secrets).size, "certificate"],
    ] as const;
    return { ...found, ...numbersAlone(counts), onlyEndpoints: false };
  }
  const hide = hideValues(salt);
  const configOf = (side: "before" | "after"): EnvoyConfig =>
    hide({
      listeners: parsed<Listener>(listeners[side]),
      tables: parsedTables(hosts[side]),
      clusters: new Map([
        ...clustersOf(namesIn(endpoints), side === "before" ? before : after),
        ...parsed<Cluster>(clusters[side]),
      ]),
      endpoints: parsed<ClusterLoadAssignment>(endpoints[side]),
      secrets: parsed<Secret>(secrets[side]),
    });
  const [a, b] = aligned(configOf("before"), configOf("after"));
  const changes = diff(a, b);
  return {
    ...found,
    ...inWords(sectionsOf(reviewOf(changes, b))),
    onlyEndpoints: changes.length > 0 && changes.every(({ kind }) => kind === "endpoints"),
  };
}

function numbersAlone(
  counts: readonly (readonly [number, string])[],
): Pick<ServedChange, "sections" | "more"> {
  const lines = counts.flatMap(([count, noun]) =>
    count === 0 ? [] : [{ sign: "~", depth: 0, text: plural(count, noun) } as const],
  );
  return { sections: [{ title: "too many changes to describe each", lines }], more: 0 };
}

function inWords(sections: readonly Section[]): Pick<ServedChange, "sections" | "more"> {
  let left = maxLines;
  let more = 0;
  const shown: WordSection[] = [];
  for (const { title, lines } of sections) {
    const kept = lines.slice(0, left);
    more += lines.length - kept.length;
    left -= kept.length;
    if (kept.length === 0) continue;
    shown.push({
      title: cut(title),
      lines: kept.map(({ sign, depth, text }) => ({ sign, depth, text: cut(text) })),
    });
  }
  return { sections: shown, more };
}

/** A line of at most `maxText` characters. Names of clusters in it have no hash of their content. */
const cut = (text: string): string => shortened(text.replace(/(\/[^/\s]+\/[^/\s]+)\/[0-9a-f]{16}\b/g, "$1"));

const shortened = (text: string): string => (text.length > maxText ? `${text.slice(0, maxText - 1)}…` : text);
