import { type StoreCache, UnitCache } from "../../schema/compile-cache.js";
import { type Ref, refOf } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";
import { ledgerOf } from "../cost/ledger.js";
import type { Overrun } from "../cost/size.js";
import type { ClaimKey, NeededUnit } from "./keys.js";
import type { Kind, ObjectByKind, Reader } from "./reader.js";

/** Reads a store and records nothing: for questions about what is compiled. The compiler's reader records on top of it. */
export class StoreReader implements Reader {
  #unitCache: UnitCache | undefined;

  constructor(
    private readonly store: Pick<Store, "object" | "claimants" | "cache">,
    readonly settings: SettingsSpec,
    private readonly platform: Pick<Reader, "checkKeyPair">,
  ) {}

  get cache(): StoreCache {
    return this.store.cache;
  }

  get unitCache(): UnitCache {
    this.#unitCache ??= new UnitCache();
    return this.#unitCache;
  }

  /** The object of a ref. */
  protected object(ref: Ref): KubeObject | undefined {
    return this.store.object(ref);
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const object = this.object(refOf(kind, namespace, name));
    return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
  }

  shared<Args extends readonly unknown[], Value>(
    find: (reader: Reader, ...args: Args) => Value,
    key: string,
    ...args: Args
  ): Value {
    return this.unitCache.once(find, key, this, ...args);
  }

  claimants(key: ClaimKey): readonly Ref[] {
    return this.store.claimants(key);
  }

  need(_unit: NeededUnit): void {}

  overrun(ref: Ref): Overrun | undefined {
    return ledgerOf(this.store, this).overrun(ref);
  }

  checkKeyPair(certificate: string, privateKey: string): string | undefined {
    return this.platform.checkKeyPair(certificate, privateKey);
  }
}
