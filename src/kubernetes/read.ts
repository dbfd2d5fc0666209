import type { Finding, Ref } from "../schema/meta.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import { ApiError, type Raw } from "./api.js";
import type { ApiResource } from "./resources.js";

/**
 * Reads one object of the API as a change; one that can't be read leaves what was known of it. Unknown fields are no findings here: an
 * API server prunes those that its version does not have, and a newer one may have more.
 */
export function changeOf(
  raw: Raw,
  namespaces: readonly string[],
): { change?: KubeObject; ref?: Ref; findings: readonly Finding[] } {
  const parsed = parseObject(raw, namespaces);
  if ("object" in parsed) return { change: parsed.object, ref: parsed.object.ref, findings: [] };
  if ("ignored" in parsed) return { findings: [] };
  return { findings: parsed.findings, ...(parsed.ref ? { ref: parsed.ref } : {}) };
}

/** Whether the server does not have what it was asked for. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/**
 * Asks for a collection at one version after the other, until the server has it.
 *
 * @throws ApiError of the last version when the server has none of them, and whatever else asking throws.
 */
export async function askVersions<T>(
  versions: Iterable<ApiResource>,
  ask: (resource: ApiResource) => Promise<T>,
): Promise<T> {
  let missing: unknown;
  for (const resource of versions) {
    try {
      return await ask(resource);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  throw missing;
}
