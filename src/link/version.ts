/** A version is `<sequence>-<hash>`: the sequence only grows, the hash is of the content. */
export interface Version {
  readonly sequence: number;
  readonly hash: string;
}

export const formatVersion = ({ sequence, hash }: Version): string => `${sequence}-${hash}`;

/** Undefined for text that is none of our versions, such as that of another control plane. */
export function parseVersion(text: string): Version | undefined {
  const found = /^(\d{1,15})-([0-9a-f]{16})$/.exec(text);
  return found?.[1] && found[2] ? { sequence: Number(found[1]), hash: found[2] } : undefined;
}
