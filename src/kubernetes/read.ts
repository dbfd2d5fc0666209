import type { Finding, Ref } from "../schema/meta.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import { ApiError, type Raw } from "./api.js";
import type { ApiResource } from "./resources.js";

/**
 * Reads one object of the API as a change. An object that can't be read keeps its known state. Unknown fields give no
 * findings here: an API server prunes the fields that its version lacks, and a newer server may have more.
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

/** Whether the server lacks the requested resource. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/**
 * Requests a collection at one version after another, until the server has it.
 *
 * @throws ApiError of the last version when the server has none of them, and any other error of `ask`.
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
