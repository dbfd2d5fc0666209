import type { Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";
import { type ClaimKey, listRead, type NeededUnit, needRead, type ReadKey, type UnitKey } from "./keys.js";
import type { Kind, ObjectByKind, Reader } from "./reader.js";
import { StoreReader } from "./store-reader.js";

/** A value that units have in common, and its reads. */
interface Shared {
  readonly value: unknown;
  readonly reads: readonly ReadKey[];
}

/** What all units of an update have in common. No object changes while they are compiled. */
export class UpdateContext {
  readonly #found = new Map<unknown, Map<string, Shared>>();

  constructor(
    readonly store: Store,
    readonly settings: SettingsSpec,
    readonly platform: Pick<Reader, "checkKeyPair">,
  ) {}

  shared(find: unknown, key: string, read: () => Shared): Shared {
    let known = this.#found.get(find);
    if (!known) {
      known = new Map();
      this.#found.set(find, known);
    }
    let found = known.get(key);
    if (!found) {
      found = read();
      known.set(key, found);
    }
    return found;
  }
}

/** Reads of a store for one unit, each of them noted once. */
export class Recorder extends StoreReader {
  readonly #reads = new Set<ReadKey>();
  #last: KubeObject | undefined;

  /** `unit` is undefined for a value that units have in common. */
  constructor(
    private readonly unit: UnitKey | undefined,
    private readonly context: UpdateContext,
  ) {
    super(context.store, context.settings, context.platform);
  }

  get reads(): ReadKey[] {
    return [...this.#reads];
  }

  override shared<Args extends readonly unknown[], Value>(
    find: (reader: Reader, ...args: Args) => Value,
    key: string,
    ...args: Args
  ): Value {
    const { value, reads } = this.context.shared(find, key, () => {
      const recorder = new Recorder(undefined, this.context);
      return { value: find(recorder, ...args), reads: recorder.reads };
    });
    for (const read of reads) this.#reads.add(read);
    return value as Value;
  }

  override get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const last = this.#last;
    if (last?.kind === kind && last.meta.name === name && last.meta.namespace === namespace)
      return last as ObjectByKind<K>;
    return super.get(kind, namespace, name);
  }

  protected override object(ref: Ref): KubeObject | undefined {
    this.#reads.add(ref);
    const object = super.object(ref);
    if (object) this.#last = object;
    return object;
  }

  /** A claim on the unit itself dirties it anyway: that list need not be noted. */
  override claimants(key: ClaimKey): readonly Ref[] {
    if (key !== this.unit) this.#reads.add(listRead(key));
    return super.claimants(key);
  }

  override need(unit: NeededUnit): void {
    this.#reads.add(needRead(unit));
  }
}
