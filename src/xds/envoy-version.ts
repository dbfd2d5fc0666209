/** A release of Envoy, such as 1.40, without the patch version. */
export interface EnvoyVersion {
  readonly major: number;
  readonly minor: number;
}

/** The supported releases; protos/ has the API of both. */
export const oldestEnvoy: EnvoyVersion = { major: 1, minor: 36 };
export const newestEnvoy: EnvoyVersion = { major: 1, minor: 40 };

export const isAtLeast = (version: EnvoyVersion, other: EnvoyVersion): boolean =>
  version.major > other.major || (version.major === other.major && version.minor >= other.minor);

export const formatEnvoyVersion = ({ major, minor }: EnvoyVersion): string => `${major}.${minor}`;

/** Parses `1.40` or `1.40.2`, with or without a `v`; undefined for other text. */
export function parseEnvoyVersion(text: string): EnvoyVersion | undefined {
  const found = /^v?(\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?$/.exec(text);
  return found ? { major: Number(found[1]), minor: Number(found[2]) } : undefined;
}
