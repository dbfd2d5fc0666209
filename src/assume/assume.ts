import { isObjectRead } from "../graph/core/keys.js";
import { kindOf, namespaceOf, type Ref, refOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Settings } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { type Change, type Platform, resume, update } from "../update.js";
import { assumedCertificate, assumeGateway } from "./gateway.js";
import { canExist, placeholderOf } from "./placeholders.js";
import { referencesOf } from "./references.js";

/** The kinds whose missing objects may be assumed. */
export const assumable = ["Service", "Secret", "ConfigMap", "Gateway"] as const;
export type Assumable = (typeof assumable)[number];

export interface Assumption {
  /**
   * `auto`: when the input has no object of the kind in the namespace, or when another object of the input creates
   * the missing one.
   */
  readonly mode: "auto" | "none" | "all" | readonly Assumable[];
  /** Whether an object is known to exist outside of the input. It is assumed in every mode. */
  isKnown(ref: Ref): boolean;
  /**
   * The objects that the input creates when it is applied (`ownedBy`). A ref without a namespace applies to all
   * namespaces.
   */
  readonly owned: ReadonlySet<Ref>;
}

export interface Assumed {
  /** The settings, with the assumed Gateway as the served one. */
  readonly settings: Settings;
  /** The assumed objects, sorted. */
  readonly refs: readonly Ref[];
  /** The part of `refs` that restricts access: CA certificates, revocation lists, servers of an ExtensionService. */
  readonly restricting: readonly Ref[];
}

/**
 * The limit of compilations. Another one follows when assumed objects refer to further objects, such as a Gateway to
 * certificates.
 */
const maxRounds = 4;

/**
 * Compiles objects into an empty store, together with placeholders for missing objects that may be assumed to exist. The
 * contents of placeholders satisfy all references. Such a store must not be served.
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

/** Receives the progress of a long compilation. */
interface Watcher {
  /** Called after each `maxUnits` units, with the number of pending units. */
  compiling?(left: number): void;
}

function compile(store: Store, changes: Iterable<Change>, platform: Platform & Watcher): void {
  let { left } = update(store, changes, platform);
  while (left > 0) {
    platform.compiling?.(left);
    left = resume(store, platform).left;
  }
}

/**
 * Caches the check of the last key pair: all placeholders have the same pair, and a check takes more than a
 * millisecond.
 */
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

/** Whether an assumed object exists only because of an assumed Gateway. */
const isOfGateway = (ref: Ref): boolean =>
  kindOf(ref) === "GatewayClass" || ref.endsWith(`/${assumedCertificate}`);

const isLookedUp = (ref: Ref): boolean => ["Service", "Secret", "ConfigMap"].includes(kindOf(ref));

/** The missing Services, Secrets and ConfigMaps that units read. */
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
