/** A version is `<sequence>-<hash>`, or `<sequence>-<hash>-<target>` where more is served than there should be in the end. */
export interface Version {
  /** Orders versions: it only grows. */
  readonly sequence: number;
  /** Of the content. */
  readonly hash: string;
  /** The hash without what is served only until Envoys no longer need it; absent where there is no such thing. */
  readonly target?: string;
}

export const formatVersion = ({ sequence, hash, target = hash }: Version): string =>
  target === hash ? `${sequence}-${hash}` : `${sequence}-${hash}-${target}`;

/** Undefined for text that is none of our versions, such as that of another control plane. */
export function parseVersion(text: string): Version | undefined {
  const found = /^(\d{1,15})-([0-9a-f]{16})(?:-([0-9a-f]{16}))?$/.exec(text);
  if (!found?.[1] || !found[2]) return undefined;
  return { sequence: Number(found[1]), hash: found[2], ...(found[3] ? { target: found[3] } : {}) };
}

/**
 * Sequences are milliseconds since the epoch or follow on them. A report beyond this (the year 30,000) orders nothing and raises
 * nothing: no report can use up the numbers that are left.
 */
const maxReported = 900_000_000_000_000;

/** Whether the sequence of a version that an Envoy reports is one to learn from. */
export const isOrdered = ({ sequence }: Version): boolean => sequence <= maxReported;

/** A total order of contents, the same for every replica: of two contents with one sequence, the one with the higher hash is newer. */
export function isNewer(reported: Version, own: Version): boolean {
  if (!isOrdered(reported) || reported.hash === own.hash) return false;
  return reported.sequence === own.sequence ? reported.hash > own.hash : reported.sequence > own.sequence;
}
