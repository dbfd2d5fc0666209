import type { StoreCache, UnitCache } from "../../schema/compile-cache.js";
import type { Ref } from "../../schema/meta.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Overrun } from "../cost/size.js";
import type { ClaimKey, NeededUnit } from "./keys.js";
import type { Kind, ObjectByKind, Reader } from "./reader.js";

/** Reads through another reader and collects the needs, so that a result can be read before it is known whether it is used. */
export class NeedCollector implements Reader {
  readonly needs: NeededUnit[] = [];

  constructor(protected readonly inner: Reader) {}

  get settings(): SettingsSpec {
    return this.inner.settings;
  }

  get cache(): StoreCache {
    return this.inner.cache;
  }

  get unitCache(): UnitCache {
    return this.inner.unitCache;
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    return this.inner.get(kind, namespace, name);
  }

  shared<Args extends readonly unknown[], Value>(
    find: (reader: Reader, ...args: Args) => Value,
    key: string,
    ...args: Args
  ): Value {
    return this.inner.shared(find, key, ...args);
  }

  claimants(key: ClaimKey): readonly Ref[] {
    return this.inner.claimants(key);
  }

  need(unit: NeededUnit): void {
    if (!this.needs.includes(unit)) this.needs.push(unit);
  }

  overrun(ref: Ref): Overrun | undefined {
    return this.inner.overrun(ref);
  }

  checkKeyPair(certificate: string, privateKey: string): string | undefined {
    return this.inner.checkKeyPair(certificate, privateKey);
  }
}
