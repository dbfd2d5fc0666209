import { byObject, type Finding, kindOf, type Ref } from "../../schema/meta.js";
import { routeKinds } from "../../schema/routing-kinds.js";
import { isSame } from "../../schema/same.js";
import type { Compiled, Store } from "../../store/store.js";
import {
  isClaimedUnit,
  isGatewayUnit,
  isHostUnit,
  isObjectRead,
  type ReadKey,
  routeOf,
  type UnitKey,
} from "./keys.js";

type CompiledFindings = Pick<Compiled, "findings" | "reads">;

const nothing: CompiledFindings = { findings: [], reads: [] };

/**
 * The objects whose status an update of a unit may change: objects with changed findings, included HTTPProxies and
 * IngressRoutes that a host started or stopped reading (an object that no host reads is an orphan), and the Gateway
 * API objects that the unit validates.
 *
 * @param parents whether an object may have changed that the status of a route depends on without findings:
 *   one of `parentKinds`
 */
export function* affectedBy(
  { unit }: Pick<Compiled, "unit">,
  before: CompiledFindings = nothing,
  after: CompiledFindings = nothing,
  parents = true,
): Iterable<Ref> {
  yield* changedAbout(before.findings, after.findings);
  const route = routeOf(unit);
  // The status of a Gateway depends on its routes: their number is part of it.
  const validates = isGatewayUnit(unit) || hasRoute(before) || hasRoute(after);
  const whole = !validates ? policyKinds : parents ? statusKinds : gatewayKinds;
  if (route !== undefined) yield route;
  for (const key of before.reads) if (isOf(whole, key)) yield key;
  for (const key of after.reads) if (isOf(whole, key)) yield key;
  if (isHostUnit(unit)) yield* readByOne(before.reads, after.reads);
}

const hasRoute = ({ reads }: CompiledFindings): boolean => reads.some((key) => isOf(validatedKinds, key));

const gatewayKinds: ReadonlySet<string> = new Set([
  "GatewayClass",
  "Gateway",
  "ListenerSet",
  "BackendTLSPolicy",
]);
const validatedKinds: ReadonlySet<string> = new Set(routeKinds);
const statusKinds: ReadonlySet<string> = new Set([...gatewayKinds, ...routeKinds]);
/**
 * Kinds whose status depends on the units that read them: whether a policy is in use, and whether its CA certificates
 * exist.
 */
const policyKinds: ReadonlySet<string> = new Set(["BackendTLSPolicy"]);
const includedKinds: ReadonlySet<string> = new Set(["HTTPProxy", "IngressRoute"]);

/** The first letters of the kinds here: most reads are of other kinds, or lists, and are told apart by one letter. */
const initials: ReadonlySet<number> = new Set(
  [...statusKinds, ...includedKinds].map((kind) => kind.charCodeAt(0)),
);

const isOf = (kinds: ReadonlySet<string>, key: ReadKey): key is Ref =>
  initials.has(key.charCodeAt(0)) && kinds.has(kindOf(key as Ref)) && isObjectRead(key);

/** The objects whose findings differ. */
export function* changedAbout(before: readonly Finding[], after: readonly Finding[]): Iterable<Ref> {
  if (isSame(before, after)) return;
  const old = byObject(before);
  const now = byObject(after);
  for (const [ref, findings] of now) if (!isSame(findings, old.get(ref))) yield ref;
  for (const ref of old.keys()) if (!now.has(ref)) yield ref;
}

function* readByOne(before: readonly ReadKey[], after: readonly ReadKey[]): Iterable<Ref> {
  const old = new Set(before);
  for (const key of after) if (!old.delete(key) && isOf(includedKinds, key)) yield key;
  for (const key of old) if (isOf(includedKinds, key)) yield key;
}

/** The units that may have findings about an object: the units that it claims and the units that read it. */
export const unitsAbout = (store: Pick<Store, "claimsOf" | "readers">, ref: Ref): UnitKey[] => [
  ...new Set<UnitKey>([...store.claimsOf(ref).filter(isClaimedUnit), ...store.readers(ref)]),
];
