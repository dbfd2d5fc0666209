import { unitsAbout } from "../graph/core/affected.js";
import type { UnitKey } from "../graph/core/keys.js";
import { isOrphan } from "../graph/core/orphan.js";
import { StoreReader } from "../graph/core/store-reader.js";
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
} from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import {
  addressesOf,
  apiVersions,
  type ContourKind,
  contourStatus,
  isContourKind,
  isReported,
  unreadStatus,
} from "./contour.js";
import { type GatewayInput, type GatewayKind, GatewayStatuses, isGatewayKind } from "./gateway.js";

/** The status of an object, as its CRD (or the Kubernetes API) defines it, without times. */
export interface ObjectStatus {
  readonly ref: Ref;
  readonly apiVersion: string;
  readonly kind: StatusKind;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status: Readonly<Record<string, unknown>>;
}

export type StatusKind = ContourKind | GatewayKind;
/** The objects of one Kubernetes cluster, and the conflicts with objects of the same name in other clusters. */
interface View {
  held(ref: Ref): KubeObject | undefined;
  conflict(ref: Ref): Finding | undefined;
}

/** Facts of an object that was read from the API server and that the store may lack. */
export interface Seen {
  readonly generation: number;
  /** Its ingress class is not served. */
  readonly foreign: boolean;
}

export interface StatusInput {
  readonly store: Store;
  /**
   * Findings about an object in addition to those of the store's units. `unread`: the current object could not be
   * read.
   */
  others?(ref: Ref): { readonly findings: readonly Finding[]; readonly unread: boolean };
  seen?(ref: Ref): Seen | undefined;
  /** Set for the statuses of one of several Kubernetes clusters. */
  readonly member?: View;
  /** See `Platform`. */
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
}

/** The status that an object should have at a time. */
export interface StatusVerdict {
  /** Undefined if Isoline does not report a status for the object: an earlier status of Isoline is removed. */
  readonly desired?: ObjectStatus;
  /** The object could not be read and its status can't be computed: the current status stays. */
  readonly isUnknown?: true;
  /** When the verdict may change without a change of any object, in ms since the epoch. */
  readonly until?: number;
}

const noOthers = { findings: [], unread: false } as const;

/** Computes the status of one object at a time, from the current store and input. */
export class Statuses {
  readonly #gateway = new GatewayStatuses();
  /** Findings of units by object, until something changes: one unit may have findings about many objects. */
  readonly #findings = new Map<UnitKey, ReadonlyMap<Ref, readonly Finding[]>>();

  constructor(private readonly input: StatusInput) {}

  /** Called when the status of an object may have changed (`Updated.affected`). */
  touch(ref: Ref): void {
    this.#findings.clear();
    this.#gateway.touch(ref);
  }

  /** All objects of the store that may have a status, of any class. */
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
    return { desired: { ref, apiVersion: `${gatewayGroup}/v1`, metadata, ...found } };
  }

  #gatewayInput(settings: SettingsSpec, now: number): GatewayInput {
    const { store, member, checkKeyPair } = this.input;
    return {
      store,
      reader: new StoreReader(store, settings, { checkKeyPair }),
      metaOf: (object) => this.#metaOf(object),
      findingsOf: (ref) => {
        const conflict = member?.conflict(ref);
        return conflict ? [conflict] : [...findingsAt(now, this.#findingsOf(ref))];
      },
      addresses: addressesOf(settings),
    };
  }

  /** The metadata of an object in its own Kubernetes cluster, with the generation that the findings apply to. */
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
      desired: entry(ref, kind, contourStatus({ kind, meta }, about, orphan, settings)),
      ...(until === undefined ? {} : { until }),
    };
  }

  #unread(ref: Ref, kind: ContourKind): StatusVerdict {
    const { findings } = this.#othersOf(ref);
    if (findings.length === 0 || !namesOf(ref).name) return {};
    const status = unreadStatus(kind, this.input.seen?.(ref)?.generation ?? 0, findings);
    return status ? { desired: entry(ref, kind, status) } : { isUnknown: true };
  }

  #othersOf(ref: Ref): ReturnType<NonNullable<StatusInput["others"]>> {
    return this.input.others?.(ref) ?? noOthers;
  }

  /** The units with findings about an object are those that read it and those that it claims. */
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
 * The statuses of all objects that Isoline reports on, at a time in ms: objects of a served ingress class and, with a
 * Gateway, the objects that refer to it. `others` are findings about objects that the store does not have (because
 * they could not be read), and findings of no unit.
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
    .flatMap((ref) => all.of(ref, settings, now).desired ?? [])
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

/** Kinds whose status Isoline reports. */
export const hasStatus = (kind: string): kind is StatusKind => isContourKind(kind) || isGatewayKind(kind);
