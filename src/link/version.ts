/** A version is `<sequence>-<hash>`, or `<sequence>-<hash>-<target>` while unused resources are still served. */
export interface Version {
  /** Orders versions; it never decreases. */
  readonly sequence: number;
  /** The hash of the content. */
  readonly hash: string;
  /** The hash of the content without unused resources; absent without them. */
  readonly target?: string;
}

export const formatVersion = ({ sequence, hash, target = hash }: Version): string =>
  target === hash ? `${sequence}-${hash}` : `${sequence}-${hash}-${target}`;

/** Undefined for text that is not a version of Isoline, such as one of another control plane. */
export function parseVersion(text: string): Version | undefined {
  const found = /^(\d{1,15})-([0-9a-f]{16})(?:-([0-9a-f]{16}))?$/.exec(text);
  if (!found?.[1] || !found[2]) return undefined;
  return { sequence: Number(found[1]), hash: found[2], ...(found[3] ? { target: found[3] } : {}) };
}

/**
 * Sequences start at milliseconds since the epoch. Reported sequences above this limit (the year 30,000) are ignored, so
 * that no client can exhaust the numbers.
 */
const maxReported = 900_000_000_000_000;

/** Whether the sequence of a reported version is plausible. */
export const isOrdered = ({ sequence }: Version): boolean => sequence <= maxReported;

/**
 * Whether a reported version is newer. The order is total and equal in every replica: with equal sequences, the
 * higher hash is newer.
 */
export function isNewer(reported: Version, own: Version): boolean {
  if (!isOrdered(reported) || reported.hash === own.hash) return false;
  return reported.sequence === own.sequence ? reported.hash > own.hash : reported.sequence > own.sequence;
}
