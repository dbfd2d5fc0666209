import { configSource, forXdsCluster } from "./config-source.js";
import { type EnvoyVersion, formatEnvoyVersion, isAtLeast } from "./envoy-version.js";
import { compressedTypes } from "./policies/compression.js";
import { inWhole } from "./route-shards.js";

/** The variations of a response for one Envoy. Compiled configuration is the same for all. */
export interface Dialect {
  /** The name of the xDS cluster in its bootstrap. */
  readonly xdsCluster: string;
  /** Undefined: the newest. */
  readonly version?: EnvoyVersion;
}

const members = (of: object): string => JSON.stringify(of).slice(1, -1);
const matcher = members({ content_type_matcher: compressedTypes.map((exact) => ({ exact })) });
const list = members({ content_type: compressedTypes });

interface Newer {
  readonly since: EnvoyVersion;
  /** The replacement for older versions; it is exactly as restrictive. */
  older(json: string): string;
}

/** Configuration that requires a newer version. */
const newer: readonly Newer[] = [
  // The formatter `%CEL()%` is built in from this version on.
  { since: { major: 1, minor: 38 }, older: inWhole(configSource) },
  { since: { major: 1, minor: 40 }, older: (json) => json.replaceAll(matcher, list) },
];

const olderFor = (version: EnvoyVersion | undefined): readonly Newer[] =>
  version ? newer.filter(({ since }) => !isAtLeast(version, since)) : [];

/** A key that is equal for dialects with equal responses. */
export function dialectKey({ xdsCluster, version }: Dialect): string {
  return [xdsCluster, ...olderFor(version).map(({ since }) => formatEnvoyVersion(since))].join(" ");
}

/**
 * A piece of compiled configuration (JSON) for one Envoy. The replaced text contains unescaped quotes, which text of
 * users never has within JSON.
 */
export function inDialect(json: string, { xdsCluster, version }: Dialect): string {
  const text = olderFor(version).reduce((text, { older }) => older(text), json);
  return forXdsCluster(text, xdsCluster);
}
