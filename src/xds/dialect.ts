import { closedCluster } from "./closed-cluster.js";
import { forXdsCluster } from "./config-source.js";
import { type EnvoyVersion, formatEnvoyVersion, isAtLeast } from "./envoy-version.js";
import { compressedTypes } from "./policies/compression.js";
import { type Piece, textOf, wholeTextOf } from "./routes-hole.js";

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

/** As `writeAsk` of policies/authorization.ts writes them. */
const askedPath = /"cluster":"(?:[^"\\]|\\.)*"(,"timeout":"60s"\}),"path_override":"(?:[^"\\]|\\.)*"/g;

/** As the policy nginxPhases writes it for limits that exceed the buffer of a connection. */
const raisedLimit = /"filter_context":\{"buffered_limit":\d+,"raised":true\}/g;

/** Configuration that requires a newer version, and its replacement, which is exactly as restrictive. */
interface Newer {
  readonly since: EnvoyVersion;
  readonly older: (json: string) => string;
}

/** For route tables in parts: the formatter `%CEL()%` is built in from this version on. */
const parts: Pick<Newer, "since"> = { since: { major: 1, minor: 38 } };
const newer: readonly Newer[] = [
  { since: { major: 1, minor: 40 }, older: (json) => json.replaceAll(matcher, list) },
  // Before, a body that exceeds the buffer of a connection was refused: such bodies are not kept.
  {
    since: { major: 1, minor: 37 },
    older: (json) => json.replaceAll(raisedLimit, '"filter_context":{"unlimited":true}'),
  },
  // Without a path of its own the service would be asked another question: nothing is asked, and requests are refused.
  {
    since: { major: 1, minor: 40 },
    older: (json) => json.replaceAll(askedPath, `"cluster":"${closedCluster}"$1`),
  },
];

const isOlder = (version: EnvoyVersion | undefined, { since }: Pick<Newer, "since">): boolean =>
  version !== undefined && !isAtLeast(version, since);

/** A key that is equal for dialects with equal responses. */
export function dialectKey({ xdsCluster, version }: Dialect): string {
  const absent = [parts, ...newer].filter((one) => isOlder(version, one));
  return [xdsCluster, ...absent.map(({ since }) => formatEnvoyVersion(since))].join(" ");
}

/**
 * A piece of compiled configuration (JSON) for one Envoy. The replaced text contains unescaped quotes, which text of
 * users never has within JSON.
 */
export function inDialect(piece: Piece, { xdsCluster, version }: Dialect): string {
  const written = isOlder(version, parts) ? wholeTextOf(piece) : textOf(piece);
  const text = newer.reduce((text, one) => (isOlder(version, one) ? one.older(text) : text), written);
  return forXdsCluster(text, xdsCluster);
}
