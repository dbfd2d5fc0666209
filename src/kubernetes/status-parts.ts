import { isRecord } from "../schema/issues.js";
import type { ObjectStatus } from "../status/status.js";
import { contentHash } from "../xds/hash.js";
import type { Raw } from "./api.js";

/**
 * The parts of a status that are Isoline's, each as a hash: what the API server holds and what it should are compared so. Of
 * routes and policies of the Gateway API a part is what one controller says.
 */
export type Parts = ReadonlyMap<string, string>;

type Value = Readonly<Record<string, unknown>>;

/** Lists in which every controller has entries of its own (RouteStatus.parents, PolicyStatus.ancestors). */
const sharedLists = ["parents", "ancestors"] as const;

/** A whole Gateway is one controller's; only a HTTPProxy's `Valid` is among conditions of others. */
function verdictOf({ currentStatus, description, conditions, listeners }: Value): unknown {
  const list = Array.isArray(conditions) ? conditions.filter(isRecord) : [];
  const valid = list.find(({ type }) => type === "Valid");
  return [currentStatus, description, valid ? [valid] : list, listeners];
}

export function partsOf(status: unknown): Parts {
  const parts = new Map<string, string>();
  if (!isRecord(status)) return parts;
  const put = (part: string, value: unknown): void => {
    const text = canonical(value);
    if (text !== "") parts.set(part, contentHash(text));
  };
  put("verdict", verdictOf(status));
  put("balancer", status.loadBalancer);
  put("addresses", status.addresses);
  for (const list of sharedLists)
    for (const [controller, entries] of byController(status[list])) put(`${list} of ${controller}`, entries);
  return parts;
}

function byController(entries: unknown): Map<string, Value[]> {
  const found = new Map<string, Value[]>();
  for (const entry of Array.isArray(entries) ? entries.filter(isRecord) : []) {
    const controller = String(entry.controllerName);
    found.set(controller, [...(found.get(controller) ?? []), entry]);
  }
  return found;
}

/** Whether what is there has all of what is wanted: a part that is not spoken of is somebody else's. */
export const agrees = (wanted: ObjectStatus["status"], there: Parts): boolean =>
  [...partsOf(wanted)].every(([part, hash]) => there.get(part) === hash);

export const areSame = (a: Parts, b: Parts): boolean =>
  a.size === b.size && [...a].every(([part, hash]) => b.get(part) === hash);

/** JSON with sorted keys and without times; empty lists and maps count as absent. */
export function canonical(value: unknown): string {
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

/** Ours with what others have said, and the time of each transition that there was. */
export function merged(status: ObjectStatus["status"], before: unknown, time: string): Raw {
  const old: Value = isRecord(before) ? before : {};
  const result: Record<string, unknown> = { ...status };
  if (Array.isArray(status.conditions)) {
    const ours = timed(status.conditions, old.conditions, time);
    const types = new Set(ours.map(({ type }) => type));
    result.conditions = [...recordsOf(old.conditions).filter(({ type }) => !types.has(type)), ...ours];
  }
  if (Array.isArray(status.listeners)) result.listeners = timedEntries(status.listeners, old.listeners, time);
  for (const list of sharedLists) {
    const entries = recordsOf(status[list]);
    if (entries.length === 0) continue;
    const controllers = new Set(entries.map(({ controllerName }) => controllerName));
    const others = recordsOf(old[list]).filter(({ controllerName }) => !controllers.has(controllerName));
    result[list] = [...others, ...timedEntries(entries, old[list], time)];
  }
  return result;
}

const recordsOf = (list: unknown): Value[] => (Array.isArray(list) ? list.filter(isRecord) : []);

/** Entries that have conditions, such as listeners and parents: each goes by all else of it. */
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

/** The generation that a status speaks of, by its first condition. */
export function observedGeneration(status: ObjectStatus["status"]): unknown {
  const [first] = [status, ...sharedLists.flatMap((list) => recordsOf(status[list]))].flatMap(
    ({ conditions }) => recordsOf(conditions),
  );
  return first?.observedGeneration;
}
