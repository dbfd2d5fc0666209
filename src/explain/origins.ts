import { ingressHttp } from "../graph/listener-names.js";
import { createReport, type Kind, type ObjectByKind, type Reader } from "../graph/reader.js";
import { buildVirtualHost } from "../graph/virtual-host.js";
import { type Finding, type Ref, refOf } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";

/** The place that a route comes from. */
export interface Origin {
  readonly ref: Ref;
  /** Such as `spec.routes[1]`. */
  readonly field: string;
}

/** Gives the origin of each route of a virtual host, in their order. */
export type Origins = (table: string, host: string) => readonly Origin[];

type Objects = Pick<Store, "object" | "claimants">;
type Platform = Pick<Reader, "checkKeyPair">;

/** Origins from the objects that a configuration was compiled of: the compiled text does not hold them. */
export function originsIn(store: Objects, settings: SettingsSpec, platform: Platform): Origins {
  const reader = new StoreReader(store, settings, platform);
  return (table, host) => {
    const vhost = buildVirtualHost(host, reader, createReport());
    const routes = table === ingressHttp ? vhost.http : vhost.https;
    return routes.map(({ from, field }) => ({ ref: from, field }));
  };
}

/** Who speaks for a host, and what is wrong with the objects behind it. */
export interface Claims {
  readonly claimants: readonly Ref[];
  readonly findings: readonly Finding[];
}

export const claimsOn = (store: Pick<Store, "claimants" | "unit">, host: string): Claims => ({
  claimants: store.claimants(`vhost:${host}`),
  findings: store.unit(`vhost:${host}`)?.findings ?? [],
});

/** Reads objects without a note of it. */
class StoreReader implements Reader {
  constructor(
    private readonly store: Objects,
    readonly settings: SettingsSpec,
    private readonly platform: Platform,
  ) {}

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const object = this.store.object(refOf(kind, namespace, name));
    return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
  }

  claimants(key: string): readonly Ref[] {
    return this.store.claimants(key);
  }

  need(): void {}

  checkKeyPair(certificate: string, privateKey: string): string | undefined {
    return this.platform.checkKeyPair(certificate, privateKey);
  }
}
