import { closedCluster } from "./closed-cluster.js";
import { configSource, forXdsCluster } from "./config-source.js";
import { type EnvoyVersion, formatEnvoyVersion, isAtLeast } from "./envoy-version.js";
import { compressedTypes } from "./policies/compression.js";
import { inWhole } from "./route-shards.js";

/** How an answer is worded for one Envoy: compiled configuration is the same for all. */
export interface Dialect {
  /** What its bootstrap calls the xDS cluster. */
  readonly xdsCluster: string;
  /** Absent: the newest. */
  readonly version?: EnvoyVersion;
}

const members = (of: object): string => JSON.stringify(of).slice(1, -1);
const matcher = members({ content_type_matcher: compressedTypes.map((exact) => ({ exact })) });
const list = members({ content_type: compressedTypes });

/** As `writeAsk` of policies/authorization.ts writes them. */
const askedPath = /"cluster":"(?:[^"\\]|\\.)*"(,"timeout":"60s"\}),"path_override":"(?:[^"\\]|\\.)*"/g;

interface Newer {
  readonly since: EnvoyVersion;
  /** What Envoys before are sent in its place; it restricts no more and no less. */
  older(json: string): string;
}

/** What only newer Envoys can take. */
const newer: readonly Newer[] = [
  // The formatter `%CEL()%` is built in since.
  { since: { major: 1, minor: 38 }, older: inWhole(configSource) },
  { since: { major: 1, minor: 40 }, older: (json) => json.replaceAll(matcher, list) },
  // Without a path of its own the service would be asked another question: nothing is asked, and requests are refused.
  {
    since: { major: 1, minor: 40 },
    older: (json) => json.replaceAll(askedPath, `"cluster":"${closedCluster}"$1`),
  },
];

const olderFor = (version: EnvoyVersion | undefined): readonly Newer[] =>
  version ? newer.filter(({ since }) => !isAtLeast(version, since)) : [];

/** The same for all dialects that are worded alike. */
export function dialectKey({ xdsCluster, version }: Dialect): string {
  return [xdsCluster, ...olderFor(version).map(({ since }) => formatEnvoyVersion(since))].join(" ");
}

/**
 * A piece of compiled configuration (JSON) as one Envoy needs it. What is replaced has quotes that are not escaped, which no text of
 * a user has within JSON.
 */
export function inDialect(json: string, { xdsCluster, version }: Dialect): string {
  const text = olderFor(version).reduce((text, { older }) => older(text), json);
  return forXdsCluster(text, xdsCluster);
}
