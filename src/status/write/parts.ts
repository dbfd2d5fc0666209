import type { Raw } from "../../kubernetes/api.js";
import { isRecord } from "../../schema/issues.js";
import { contentHash } from "../../xds/hash.js";
import type { ObjectStatus } from "../status.js";
import {
  conditionPart,
  entryPart,
  hasLeftovers,
  isOwnEntry,
  type Owner,
  ownedParts,
  recordsOf,
  sharedLists,
  type Value,
} from "./owned.js";

/** Hashes of the parts of a status, for comparing the API server's status with the desired one. */
type Parts = ReadonlyMap<string, string>;

/** The stored summary of an object's status on the API server. */
export interface KnownStatus {
  readonly parts: Parts;
  /** The owner's entries in shared lists. */
  readonly own: readonly string[];
  /** The status has parts of the owner, to be removed if the owner does not report on the object. */
  readonly leftovers: boolean;
  readonly generation: number;
  readonly version: string;
}

const metadataOf = (raw: Raw): Value => (isRecord(raw.metadata) ? raw.metadata : {});

export function heldOf(raw: Raw, owner: Owner): KnownStatus {
  const { namespace, generation, resourceVersion } = metadataOf(raw);
  const home = typeof namespace === "string" ? namespace : "";
  const parts = partsOf(raw.status, home);
  const owned = ownedParts(raw, owner.manager);
  return {
    parts,
    own: [...parts.keys()].filter(
      (part) =>
        isOwnCondition(part, owned) || sharedLists.some((list) => isOwnEntry(part, list, owned, owner)),
    ),
    leftovers: hasLeftovers(raw, home, owner),
    generation: typeof generation === "number" ? generation : 0,
    version: typeof resourceVersion === "string" ? resourceVersion : "",
  };
}

const isOwnCondition = (part: string, owned: ReadonlySet<string>): boolean =>
  part.startsWith(conditionPart("")) && owned.has(part);

function partsOf(status: unknown, namespace: string): Parts {
  const parts = new Map<string, string>();
  if (!isRecord(status)) return parts;
  const put = (part: string, value: unknown): void => {
    const text = canonical(value);
    if (text !== "") parts.set(part, contentHash(text));
  };
  put("words", [status.currentStatus, status.description]);
  put("listeners", status.listeners);
  put("balancer", status.loadBalancer);
  put("addresses", status.addresses);
  put("features", status.supportedFeatures);
  put("sets", status.attachedListenerSets);
  for (const condition of recordsOf(status.conditions)) put(conditionPart(condition.type), condition);
  for (const list of sharedLists) {
    const entries = new Map<string, Value[]>();
    for (const entry of recordsOf(status[list])) {
      const part = entryPart(list, entry, namespace);
      entries.set(part, [...(entries.get(part) ?? []), entry]);
    }
    for (const [part, of] of entries) put(part, of);
  }
  return parts;
}

/**
 * Whether the current status agrees with the desired one. Parts that are only in the current one belong to other
 * writers, except the owner's entries of lists.
 */
export function agrees({ status, metadata }: ObjectStatus, { parts, own }: KnownStatus): boolean {
  const desired = partsOf(status, metadata.namespace);
  return (
    [...desired].every(([part, hash]) => parts.get(part) === hash) && own.every((part) => desired.has(part))
  );
}

export const areSame = (a: KnownStatus, b: KnownStatus): boolean =>
  a.parts.size === b.parts.size &&
  a.leftovers === b.leftovers &&
  [...a.parts].every(([part, hash]) => b.parts.get(part) === hash);

/** Identifies a status, without its times. */
export const digestOf = (status: ObjectStatus["status"] | undefined): string =>
  status ? contentHash(canonical(status)) : "";

/** JSON with sorted keys and without times; empty lists and maps count as absent. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const parts = value.map(canonical);
    return parts.every((part) => part === "") ? "" : `[${parts.join()}]`;
  }
  if (!isRecord(value)) return value === undefined ? "" : JSON.stringify(value);
  const parts = Object.keys(value)
    .filter((key) => key !== "lastTransitionTime")
    .sort()
    .map((key) => `${key}:${canonical(value[key])}`)
    .filter((part) => !part.endsWith(":"));
  return parts.length === 0 ? "" : `{${parts.join()}}`;
}

/** The desired status merged with the parts of other writers. Unchanged conditions keep their transition time. */
export function merged({ status, metadata }: ObjectStatus, raw: Raw, owner: Owner, time: string): Raw {
  const old: Value = isRecord(raw.status) ? raw.status : {};
  const owned = ownedParts(raw, owner.manager);
  const result: Record<string, unknown> = { ...status };
  if (Array.isArray(status.conditions)) {
    const ours = timed(status.conditions, old.conditions, time);
    const types = new Set(ours.map(({ type }) => type));
    const others = recordsOf(old.conditions).filter(
      ({ type }) => !types.has(type) && !isOwnCondition(conditionPart(type), owned),
    );
    result.conditions = [...others, ...ours];
  }
  if (Array.isArray(status.listeners)) result.listeners = timedEntries(status.listeners, old.listeners, time);
  for (const list of sharedLists) {
    const entries = recordsOf(status[list]);
    if (entries.length === 0) continue;
    const ours = new Set(entries.map((entry) => entryPart(list, entry, metadata.namespace)));
    const others = recordsOf(old[list]).filter((entry) => {
      const part = entryPart(list, entry, metadata.namespace);
      return !ours.has(part) && !isOwnEntry(part, list, owned, owner);
    });
    result[list] = [...others, ...timedEntries(entries, old[list], time)];
  }
  return result;
}

/** Sets times in entries with conditions, such as listeners and parents. An entry is identified by its other fields. */
function timedEntries(entries: readonly unknown[], before: unknown, time: string): Value[] {
  const keyOf = ({ name, parentRef, ancestorRef, controllerName }: Value): string =>
    canonical([name, parentRef, ancestorRef, controllerName]);
  const old = new Map(recordsOf(before).map((entry) => [keyOf(entry), entry]));
  return recordsOf(entries).map((entry) => ({
    ...entry,
    conditions: timed(entry.conditions, old.get(keyOf(entry))?.conditions, time),
  }));
}

function timed(conditions: unknown, before: unknown, time: string): Value[] {
  return recordsOf(conditions).map((condition) => {
    const old = recordsOf(before).find(({ type }) => type === condition.type);
    const since = old?.status === condition.status ? old?.lastTransitionTime : undefined;
    return { ...condition, lastTransitionTime: since ?? time };
  });
}

/** Whether a status is for an older generation than that of the API server: the newer one will be read soon. */
export function isOlder(status: ObjectStatus["status"], raw: Raw): boolean {
  const [first] = [status, ...sharedLists.flatMap((list) => recordsOf(status[list]))].flatMap(
    ({ conditions }) => recordsOf(conditions),
  );
  const { observedGeneration: observed } = first ?? {};
  const { generation } = metadataOf(raw);
  // The status of an object that could not be read may lack its generation.
  return (
    typeof observed === "number" && observed > 0 && typeof generation === "number" && observed < generation
  );
}
