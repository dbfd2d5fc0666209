import { contentHash } from "../xds/hash.js";

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

/** Hash of a set of resources: of each one's name and content hash, in order. */
export function hashSet(
  set: ReadonlyMap<string, string>,
  hashOf: (name: string, json: string) => string = (_, json) => contentHash(json),
): string {
  const parts: string[] = [];
  for (const [name, json] of set) parts.push(name, hashOf(name, json));
  return contentHash(parts.join("\n"));
}
