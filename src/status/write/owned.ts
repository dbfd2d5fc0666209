import type { Raw } from "../../kubernetes/api.js";
import { gatewayGroup } from "../../schema/gateway.js";
import { isRecord } from "../../schema/issues.js";

/** The writer of statuses, and its Gateway. */
export interface Owner {
  /** The field manager of writes. Each deployment in a Kubernetes cluster has its own. */
  readonly manager: string;
  /** The Gateway of the settings; `controllerName` is the controller of its class, if the class exists. */
  readonly gateway?: { readonly namespace: string; readonly name: string; readonly controllerName?: string };
  /**
   * The controller of the GatewayClasses whose Gateways are served: all entries with its name are the owner's, except
   * those about Gateways of another fleet.
   */
  readonly controllerName?: string;
  /** Whether the parent of an entry, in the form of `parentOf`, is or belongs to a Gateway of another fleet. */
  isElsewhere?(parent: string): boolean;
}

export type Value = Readonly<Record<string, unknown>>;

export const recordsOf = (list: unknown): readonly Value[] =>
  Array.isArray(list) ? list.filter(isRecord) : [];

/** Lists in which every controller owns single entries (RouteStatus.parents, PolicyStatus.ancestors). */
export const sharedLists = ["parents", "ancestors"] as const;
export type SharedList = (typeof sharedLists)[number];

/** Fields of a status that one controller owns as a whole. */
const wholeFields = [
  "currentStatus",
  "description",
  "listeners",
  "loadBalancer",
  "addresses",
  "supportedFeatures",
  "attachedListenerSets",
] as const;

/**
 * The name of a part of a status: a field, a condition type, or the entries of a list about one Gateway of one
 * controller.
 */
export const conditionPart = (type: unknown): string => `condition ${String(type)}`;

export const entryPart = (list: SharedList, entry: Value, namespace: string): string =>
  `${list} ${parentOf(entry, namespace)} ${String(entry.controllerName)}`;

/** The Gateway of an entry, as `namespace/name`; other parents have their group and kind in front. */
function parentOf({ parentRef, ancestorRef }: Value, objectNamespace: string): string {
  const ref = isRecord(parentRef) ? parentRef : isRecord(ancestorRef) ? ancestorRef : {};
  const { group = gatewayGroup, kind = "Gateway", namespace = objectNamespace, name } = ref;
  const own = `${String(namespace)}/${String(name)}`;
  return group === gatewayGroup && kind === "Gateway" ? own : `${String(group)}/${String(kind)}/${own}`;
}

const isWhole = (part: string): boolean => (wholeFields as readonly string[]).includes(part);
const isShared = (part: string): boolean => (sharedLists as readonly string[]).includes(part);

/**
 * The parts of a status that a field manager wrote, according to the managed fields of the object. If another manager
 * now has a field or condition of this one, it has taken the object over: then all parts belong to it, even those that
 * it did not change. Without managed fields (the API server drops them for very large objects) there are no parts.
 */
export function ownedParts(raw: Raw, manager: string): ReadonlySet<string> {
  const mine = new Set<string>();
  const others = new Set<string>();
  const metadata = isRecord(raw.metadata) ? raw.metadata : {};
  for (const { manager: by, fieldsV1 } of recordsOf(metadata.managedFields)) {
    const fields = isRecord(fieldsV1) ? fieldsV1["f:status"] : undefined;
    if (isRecord(fields))
      for (const part of managedParts(fields, raw)) (by === manager ? mine : others).add(part);
  }
  const isTakenOver = [...others].some((part) => isWhole(part) || (mine.has(part) && !isShared(part)));
  return new Set([...mine].filter((part) => (isShared(part) ? !others.has(part) : !isTakenOver)));
}

function* managedParts(fields: Value, raw: Raw): Iterable<string> {
  for (const field of [...wholeFields, ...sharedLists]) if (fields[`f:${field}`] !== undefined) yield field;
  const conditions = fields["f:conditions"];
  if (!isRecord(conditions)) return;
  const keys = Object.keys(conditions).filter((key) => key.startsWith("k:"));
  for (const key of keys) yield conditionPart(typeOf(key.slice(2)));
  // If the list is atomic, its last writer owns all of it.
  if (keys.length === 0 && isRecord(raw.status))
    for (const { type } of recordsOf(raw.status.conditions)) yield conditionPart(type);
}

function typeOf(key: string): unknown {
  try {
    return (JSON.parse(key) as { readonly type?: unknown }).type;
  } catch {
    return undefined;
  }
}

/**
 * Whether an entry of a shared list belongs to the owner: it is about the owner's Gateway, and of its controller or in
 * a list that it wrote last.
 */
export function isOwnEntry(
  part: string,
  list: SharedList,
  owned: ReadonlySet<string>,
  { gateway, controllerName, isElsewhere }: Owner,
): boolean {
  if (controllerName !== undefined && part.startsWith(`${list} `) && part.endsWith(` ${controllerName}`)) {
    const parent = part.slice(list.length + 1, -controllerName.length - 1);
    return !isElsewhere?.(parent);
  }
  if (!gateway) return false;
  const about = `${list} ${gateway.namespace}/${gateway.name} `;
  return part.startsWith(about) && (owned.has(list) || part.slice(about.length) === gateway.controllerName);
}

/** The default of the Gateway API's CRDs for a condition that no controller has set is `Unknown`. */
const isGiven = ({ status }: Value): boolean => status !== "Unknown";

/** Whether an object that the owner does not report on still has a status of the owner. */
export const hasLeftovers = (raw: Raw, namespace: string, owner: Owner): boolean =>
  withoutOwned(raw, namespace, owner) !== undefined;

/** A merge patch that removes the owner's parts of the status; undefined if there are none. */
export function withoutOwned(
  raw: Raw,
  namespace: string,
  owner: Owner,
): { readonly status: object | null } | undefined {
  const { status } = raw;
  if (!isRecord(status)) return undefined;
  const owned = ownedParts(raw, owner.manager);
  const patch: Record<string, unknown> = {};
  for (const field of wholeFields) if (owned.has(field) && status[field] !== undefined) patch[field] = null;
  const keep = (field: string, list: readonly Value[]): void => {
    if (list.length < recordsOf(status[field]).length) patch[field] = list.length > 0 ? list : null;
  };
  keep(
    "conditions",
    recordsOf(status.conditions).filter((one) => !isGiven(one) || !owned.has(conditionPart(one.type))),
  );
  for (const list of sharedLists)
    keep(
      list,
      recordsOf(status[list]).filter(
        (entry) => !isOwnEntry(entryPart(list, entry, namespace), list, owned, owner),
      ),
    );
  if (Object.keys(patch).length === 0) return undefined;
  const isEmptied = Object.keys(status).every((field) => patch[field] === null);
  return { status: isEmptied ? null : patch };
}
