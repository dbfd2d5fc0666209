import { forXdsCluster } from "./config-source.js";
import { type EnvoyVersion, formatEnvoyVersion, isAtLeast } from "./envoy-version.js";
import { compressedTypes } from "./policies/compression.js";
import { type Piece, textOf, wholeTextOf } from "./routes-hole.js";

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

/** What only newer Envoys can take, and what others are sent in its place: it restricts no more and no less. */
interface Newer {
  readonly since: EnvoyVersion;
  readonly older: (json: string) => string;
}

/** Route tables in parts: the formatter `%CEL()%` is built in since. */
const parts: Pick<Newer, "since"> = { since: { major: 1, minor: 38 } };
const newer: readonly Newer[] = [
  { since: { major: 1, minor: 40 }, older: (json) => json.replaceAll(matcher, list) },
];

const isOlder = (version: EnvoyVersion | undefined, { since }: Pick<Newer, "since">): boolean =>
  version !== undefined && !isAtLeast(version, since);

/** The same for all dialects that are worded alike. */
export function dialectKey({ xdsCluster, version }: Dialect): string {
  const absent = [parts, ...newer].filter((one) => isOlder(version, one));
  return [xdsCluster, ...absent.map(({ since }) => formatEnvoyVersion(since))].join(" ");
}

/**
 * A piece of compiled configuration (JSON) as one Envoy needs it. What is replaced has quotes that are not escaped, which no text of
 * a user has within JSON.
 */
export function inDialect(piece: Piece, { xdsCluster, version }: Dialect): string {
  const written = isOlder(version, parts) ? wholeTextOf(piece) : textOf(piece);
  const text = newer.reduce((text, one) => (isOlder(version, one) ? one.older(text) : text), written);
  return forXdsCluster(text, xdsCluster);
}
