import { unitsAbout } from "../graph/core/affected.js";
import type { UnitKey } from "../graph/core/keys.js";
import { isOrphan } from "../graph/core/orphan.js";
import type { Kind, ObjectByKind, Reader } from "../graph/core/reader.js";
import { ledgerOf } from "../graph/cost/ledger.js";
import { UnitCache } from "../schema/compile-cache.js";
import { gatewayGroup } from "../schema/gateway.js";
import {
  byObject,
  type Finding,
  findingsAt,
  isShadowed,
  kindOf,
  nextBoundary,
  type ObjectMeta,
  type Ref,
  refOf,
} from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import type { GatewayKind } from "./conditions.js";
import {
  addressesOf,
  apiVersions,
  type ContourKind,
  contourStatus,
  isContourKind,
  isReported,
  unreadStatus,
} from "./contour.js";
import { type GatewayInput, GatewayStatuses, isGatewayKind } from "./gateway.js";

/** The status of an object, as its CRD (or the Kubernetes API) describes it, but for times. */
export interface ObjectStatus {
  readonly ref: Ref;
  readonly apiVersion: string;
  readonly kind: StatusKind;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status: Readonly<Record<string, unknown>>;
}

export type StatusKind = ContourKind | GatewayKind;
/** The objects of one cluster, and which of them another cluster's object of the same name stands for. */
interface View {
  held(ref: Ref): KubeObject | undefined;
  conflict(ref: Ref): Finding | undefined;
}

/** What was read of an object that the store need not hold. */
export interface Seen {
  readonly generation: number;
  /** It is of an ingress class that is not served. */
  readonly foreign: boolean;
}

export interface StatusInput {
  readonly store: Store;
  /** The findings about an object beside those of the store's units; `unread`: the object could not be read as it is now. */
  others?(ref: Ref): { readonly findings: readonly Finding[]; readonly unread: boolean };
  seen?(ref: Ref): Seen | undefined;
  /** Speak of this one of several clusters, on its own objects. */
  readonly member?: View;
  /** As `Platform` has it. */
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
}

/** The status that an object should have at a time. */
export interface StatusVerdict {
  /** Undefined where it is not Isoline's to give: what Isoline once gave is to be taken back. */
  readonly wanted?: ObjectStatus;
  /** Nothing can be said of an object that could not be read: what is there stays. */
  readonly isUnknown?: true;
  /** When the verdict may be another one though nothing changes, in ms since the epoch. */
  readonly until?: number;
}

const noOthers = { findings: [], unread: false } as const;

/** Works out the statuses of objects one by one, each from what the store and the input say of it at the time of asking. */
export class Statuses {
  readonly #gateway = new GatewayStatuses();
  /** Findings of units by object, until something changes: many objects may be judged by one unit. */
  readonly #findings = new Map<UnitKey, ReadonlyMap<Ref, readonly Finding[]>>();

  constructor(private readonly input: StatusInput) {}

  /** Takes note that what is known of an object has changed (`Updated.judged`). */
  touch(ref: Ref): void {
    this.#findings.clear();
    this.#gateway.touch(ref);
  }

  /** Every object that may have a status, whatever its class; those that the store does not hold are not among them. */
  *refs(): Iterable<Ref> {
    for (const object of this.input.store.objects())
      if (hasStatus(object.kind) && !isShadowed(object)) yield object.ref;
  }

  of(ref: Ref, settings: SettingsSpec, now: number): StatusVerdict {
    const kind = kindOf(ref);
    if (isContourKind(kind)) return this.#own(ref, kind, settings, now);
    if (!isGatewayKind(kind)) return {};
    const found = this.#gateway.of(ref, this.#gatewayInput(settings, now));
    if (!found) return this.#othersOf(ref).unread && !this.input.store.object(ref) ? { isUnknown: true } : {};
    const metadata = namesOf(ref);
    return { wanted: { ref, apiVersion: `${gatewayGroup}/v1`, metadata, ...found } };
  }

  #gatewayInput(settings: SettingsSpec, now: number): GatewayInput {
    const { store, member, checkKeyPair } = this.input;
    return {
      store,
      reader: readerOf(store, settings, checkKeyPair),
      metaOf: (object) => this.#metaOf(object),
      findingsOf: (ref) => {
        const conflict = member?.conflict(ref);
        return conflict ? [conflict] : [...findingsAt(now, this.#findingsOf(ref))];
      },
      addresses: addressesOf(settings),
    };
  }

  /** An object as its own cluster has it, at the generation that the findings are about. */
  #metaOf({ ref, meta }: Pick<KubeObject, "ref" | "meta">): ObjectMeta | undefined {
    const { member } = this.input;
    const own = member ? member.held(ref)?.meta : meta;
    const seen = this.#othersOf(ref).unread ? this.input.seen?.(ref) : undefined;
    return own && seen ? { ...own, generation: seen.generation } : own;
  }

  #own(ref: Ref, kind: ContourKind, settings: SettingsSpec, now: number): StatusVerdict {
    const { store, member } = this.input;
    const object = store.object(ref);
    if (this.#othersOf(ref).unread && this.input.seen?.(ref)?.foreign) return {};
    if (!object) return this.#unread(ref, kind);
    if (!isReported(object, settings)) return {};
    const meta = this.#metaOf(object);
    if (!meta) return {};
    const conflict = member?.conflict(ref);
    const findings = conflict ? [conflict] : this.#findingsOf(ref);
    const about = [...findingsAt(now, findings)];
    const orphan = !conflict && isOrphan(object, store);
    const until = nextBoundary(now, findings);
    return {
      wanted: entry(ref, kind, contourStatus({ kind, meta }, about, orphan, settings)),
      ...(until === undefined ? {} : { until }),
    };
  }

  #unread(ref: Ref, kind: ContourKind): StatusVerdict {
    const { findings } = this.#othersOf(ref);
    if (findings.length === 0 || !namesOf(ref).name) return {};
    const status = unreadStatus(kind, this.input.seen?.(ref)?.generation ?? 0, findings);
    return status ? { wanted: entry(ref, kind, status) } : { isUnknown: true };
  }

  #othersOf(ref: Ref): ReturnType<NonNullable<StatusInput["others"]>> {
    return this.input.others?.(ref) ?? noOthers;
  }

  /** Units that have findings about an object read it or are claimed by it. */
  #findingsOf(ref: Ref): Finding[] {
    const { store } = this.input;
    const found = unitsAbout(store, ref)
      .sort()
      .flatMap((unit) => this.#byObject(unit).get(ref) ?? []);
    return [...this.#othersOf(ref).findings, ...found];
  }

  #byObject(unit: UnitKey): ReadonlyMap<Ref, readonly Finding[]> {
    let found = this.#findings.get(unit);
    if (!found) {
      found = byObject(this.input.store.unit(unit)?.findings ?? []);
      this.#findings.set(unit, found);
    }
    return found;
  }
}

/**
 * The status of every object that is ours to judge, at a time in ms: those of our ingress class, and with a Gateway what belongs to
 * it. `others` are about objects that the store does not hold (those that could not be read) or that no unit is about.
 */
export function statuses(
  store: Store,
  settings: SettingsSpec,
  now: number,
  input: Pick<StatusInput, "member" | "checkKeyPair"> & { readonly others?: readonly Finding[] },
): ObjectStatus[] {
  const others = byObject(input.others ?? []);
  const all = new Statuses({
    ...input,
    store,
    others: (ref) => ({ findings: others.get(ref) ?? [], unread: false }),
  });
  return [...new Set([...all.refs(), ...others.keys()])]
    .flatMap((ref) => all.of(ref, settings, now).wanted ?? [])
    .sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

const entry = (ref: Ref, kind: ContourKind, status: ObjectStatus["status"]): ObjectStatus => ({
  ref,
  apiVersion: apiVersions[kind],
  kind,
  metadata: namesOf(ref),
  status,
});

function namesOf(ref: Ref): { readonly namespace: string; readonly name: string } {
  const [, namespace = "", name = ""] = ref.split("/");
  return { namespace, name };
}

/** Kinds whose status is Isoline's to give. */
export const hasStatus = (kind: string): kind is StatusKind => isContourKind(kind) || isGatewayKind(kind);

/** What a unit sees of a store, unrecorded. */
const readerOf = (store: Store, settings: SettingsSpec, checkKeyPair: Reader["checkKeyPair"]): Reader => ({
  settings,
  cache: store.cache,
  unitCache: new UnitCache(),
  checkKeyPair,
  overrun(ref) {
    return ledgerOf(store, this).overrun(ref);
  },
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const object = store.object(refOf(kind, namespace, name));
    return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
  },
  claimants: (key) => store.claimants(key),
  need: () => undefined,
});
