import { isObjectRead } from "../graph/core/keys.js";
import { kindOf, namespaceOf, type Ref, refOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Settings } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { type Change, type Platform, resume, update } from "../update.js";
import { assumedCertificate, assumeGateway } from "./gateway.js";
import { canExist, placeholderOf } from "./placeholders.js";
import { referencesOf } from "./references.js";

/** Kinds of which objects are assumed. */
export const assumable = ["Service", "Secret", "ConfigMap", "Gateway"] as const;
export type Assumable = (typeof assumable)[number];

export interface Assumption {
  /** `auto`: where the input has no object of the kind in the namespace, and where another object of it makes the missing one. */
  readonly mode: "auto" | "none" | "all" | readonly Assumable[];
  /** Whether an object is known to exist elsewhere, whatever the mode. */
  isKnown(ref: Ref): boolean;
  /** What other objects of the input make when they are applied (`ownedBy`); in all namespaces where a ref has none. */
  readonly owned: ReadonlySet<Ref>;
}

export interface Assumed {
  /** With the Gateway that is assumed to be the one that is served. */
  readonly settings: Settings;
  /** What is assumed to be there, in order. */
  readonly refs: readonly Ref[];
  /** Those of `refs` that restrict access: authorities, revocation lists, servers of an ExtensionService. */
  readonly restricting: readonly Ref[];
}

/** An input is compiled again as long as what was assumed refers to more; a Gateway to certificates, that is all. */
const maxRounds = 4;

/**
 * Compiles objects into an empty store together with those that they refer to and that may be assumed to exist elsewhere. These have
 * contents that let everything compile. Nothing of such a store may be served.
 */
export function compileAssuming(
  store: Store,
  { settings, objects }: { readonly settings: Settings; readonly objects: readonly KubeObject[] },
  platform: Platform & Watcher,
  assumption: Assumption,
): Assumed {
  const isListed = assumerOf(objects, assumption);
  const known = checkingOnce(platform);
  const isAssumed: IsAssumed = (ref) =>
    canExist(ref) && (ref.endsWith(`/${assumedCertificate}`) || isListed(ref));
  const gateway = assumeGateway(settings, objects, isAssumed);
  compile(store, [gateway.settings, ...objects, ...gateway.objects], known);
  const refs = new Set<Ref>(gateway.objects.map(({ ref }) => ref));
  const { ports, restricting } = referencesOf([...objects, ...gateway.objects]);
  for (let round = 0; round < maxRounds; round++) {
    const missing = missingIn(store).filter((ref) => !refs.has(ref) && isAssumed(ref));
    if (missing.length === 0) break;
    for (const ref of missing) refs.add(ref);
    compile(
      store,
      missing.map((ref) => placeholderOf(ref, ports)),
      known,
    );
  }
  const sorted = [...refs].filter((ref) => !isOfGateway(ref)).sort();
  return {
    settings: gateway.settings,
    refs: sorted,
    restricting: sorted.filter((ref) => restricting.has(ref)),
  };
}

/** Looks on while much is compiled. */
interface Watcher {
  /** Called after each `maxUnits` units with how many are left. */
  compiling?(left: number): void;
}

function compile(store: Store, changes: Iterable<Change>, platform: Platform & Watcher): void {
  let { left } = update(store, changes, platform);
  while (left > 0) {
    platform.compiling?.(left);
    left = resume(store, platform).left;
  }
}

/** All placeholders have one pair, which is checked once: a check takes more than a millisecond. */
function checkingOnce(platform: Platform & Watcher): Platform & Watcher {
  let last:
    | { readonly certificate: string; readonly privateKey: string; readonly problem: string | undefined }
    | undefined;
  return {
    ...platform,
    checkKeyPair(certificate, privateKey) {
      if (last?.certificate !== certificate || last.privateKey !== privateKey)
        last = { certificate, privateKey, problem: platform.checkKeyPair(certificate, privateKey) };
      return last.problem;
    },
  };
}

/** What is there for the sake of an assumed Gateway alone. */
const isOfGateway = (ref: Ref): boolean =>
  kindOf(ref) === "GatewayClass" || ref.endsWith(`/${assumedCertificate}`);

const isLookedUp = (ref: Ref): boolean => ["Service", "Secret", "ConfigMap"].includes(kindOf(ref));

/** Services, Secrets and ConfigMaps that some unit looked for. */
function missingIn(store: Store): Ref[] {
  const missing = new Set<Ref>();
  for (const { reads } of store.units())
    for (const read of reads)
      if (isObjectRead(read) && isLookedUp(read) && !store.object(read)) missing.add(read);
  return [...missing].sort();
}

export type IsAssumed = (ref: Ref) => boolean;

const isOwned = (ref: Ref, owned: ReadonlySet<Ref>): boolean => {
  const [kind = "", , name = ""] = ref.split("/");
  return owned.has(ref) || owned.has(refOf(kind, "", name));
};

function assumerOf(objects: readonly KubeObject[], { mode, isKnown, owned }: Assumption): IsAssumed {
  const present = new Set(objects.map(({ kind, meta }) => `${kind}/${meta.namespace}`));
  return (ref) => {
    const kind = kindOf(ref);
    if (isKnown(ref) || mode === "all") return true;
    if (mode === "none") return false;
    if (mode === "auto") return isOwned(ref, owned) || !present.has(`${kind}/${namespaceOf(ref)}`);
    return (mode as readonly string[]).includes(kind === "GatewayClass" ? "Gateway" : kind);
  };
}
