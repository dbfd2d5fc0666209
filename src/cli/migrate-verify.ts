import { compileAssuming } from "../assume/assume.js";
import { type EnvoyConfig, readConfig } from "../explain/config.js";
import { type Review, review } from "../explain/review.js";
import { formatReview } from "../explain/review-text.js";
import { link } from "../link/snapshot.js";
import { withWholeTables } from "../link/split.js";
import type { MigrateOptions } from "../migrate/conversion.js";
import type { Migration } from "../migrate/migrate.js";
import type { Peer } from "../migrate/peer.js";
import { type InputManifest, type SourceObject, sourceObject } from "../migrate/source.js";
import { checkKeyPair } from "../platform/key-pair.js";
import type { Ref } from "../schema/meta.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import { parseSettings, type Settings } from "../schema/settings.js";
import { createMemoryStore } from "../store/memory.js";

/** What a comparison of source and result says. */
export interface Verified {
  /** Lines for standard error. */
  readonly text: string;
  /** Some request is answered otherwise, or a host could not be compared. */
  readonly differs: boolean;
}

/**
 * Compiles the objects of peers that Isoline serves as they are, and the result, and compares them request by request. Hosts of other peers are not
 * compared. What both refer to and is not among the input is assumed to be there.
 */
export function verify(
  { documents, peers }: Migration,
  manifests: readonly InputManifest[],
  options: MigrateOptions,
): Verified {
  const lines = peers
    .filter(({ served }) => served === undefined)
    .map(
      ({ name }) =>
        `not compared: objects of ${name}, which Isoline does not serve as they are; test the result with isoline test`,
    );
  const served = peers.filter((peer) => peer.served !== undefined);
  if (served.length === 0) return { text: textOf(lines), differs: false };
  const values = manifests
    .filter((manifest) => isOfSource(manifest, peers, options))
    .map(({ value }) => value);
  const objects = manifests.flatMap((manifest) => sourceObject(manifest) ?? []);
  const before = compiled(values, settingsOf(served, objects, options));
  const after = compiled(
    [
      ...manifests.filter((manifest) => isOther(manifest, peers, options)).map(({ value }) => value),
      ...documents.map(({ object }) => object),
    ],
    settingsFor(options),
  );
  const reviewed = ofHosts(review(sideOf(before), sideOf(after)), before);
  const differs = reviewed.hosts.some(
    ({ changes, requests }) => changes.length > 0 || requests.differing > 0,
  );
  const incomplete = reviewed.untried.map(
    ({ site, tried }) => `${site}: ${tried} requests were tried, and there are more`,
  );
  return {
    text: `${textOf([...lines, "source and result, request by request:"])}${formatReview(reviewed, { uncompared: incomplete, rewritten: [] })}`,
    differs: differs || incomplete.length > 0,
  };
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

const takenBy = (
  manifest: InputManifest,
  peers: readonly Peer[],
  options: MigrateOptions,
): Peer | undefined => {
  const object = sourceObject(manifest);
  return object && peers.find((peer) => peer.takes(object, options));
};

/** What the source is compiled of: objects that Isoline serves, and what they refer to. */
const isOfSource = (manifest: InputManifest, peers: readonly Peer[], options: MigrateOptions): boolean => {
  const peer = takenBy(manifest, peers, options);
  return peer === undefined || peer.served !== undefined;
};

/** What is beside the result: Services, Secrets and others that are no routes. */
const isOther = (manifest: InputManifest, peers: readonly Peer[], options: MigrateOptions): boolean =>
  takenBy(manifest, peers, options) === undefined;

function settingsOf(
  peers: readonly Peer[],
  objects: readonly SourceObject[],
  options: MigrateOptions,
): Settings {
  const all: Record<string, unknown> = {};
  for (const peer of peers) Object.assign(all, peer.served?.(objects, options));
  return parseSettings(all).settings;
}

const settingsFor = ({ to, gateway, ingressClass }: MigrateOptions): Settings =>
  parseSettings({
    ...(to === "gateway" ? { gatewayRef: gateway } : {}),
    ...(ingressClass === undefined ? {} : { ingressClassNames: [ingressClass] }),
  }).settings;

function compiled(values: readonly unknown[], settings: Settings): EnvoyConfig {
  const objects = new Map<string, KubeObject>();
  for (const value of values) {
    const parsed = parseObject(value);
    if ("object" in parsed) objects.set(parsed.object.ref, parsed.object);
  }
  const store = createMemoryStore();
  const all = { mode: "all", isKnown: () => true, owned: new Set<Ref>() } as const;
  const assumed = compileAssuming(
    store,
    { settings, objects: [...objects.values()] },
    { checkKeyPair, maxUnits: 500 },
    all,
  );
  return readConfig(link(store, withWholeTables(assumed.settings.spec)));
}

const sideOf = (config: EnvoyConfig) => ({ config, knowsEndpoints: () => false });

/** Hosts that the source has: others are of peers that are not compared. */
function ofHosts(reviewed: Review, before: EnvoyConfig): Review {
  const known = new Set<string>();
  for (const { virtual_hosts = [] } of before.tables.values())
    for (const { name = "" } of virtual_hosts) known.add(name);
  return {
    ...reviewed,
    hosts: reviewed.hosts.filter(({ host }) => known.has(host)),
    others: [],
  };
}
