import { ApiError, list, type Transport } from "../kubernetes/api.js";
import { changeOf, explainFailure } from "../kubernetes/follow.js";
import { type Resource, resources } from "../kubernetes/resources.js";
import type { Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { type KubeOptions, kubeTransport } from "./kube-transport.js";
import { type Located, type Manifests, readManifests } from "./objects.js";
import { UsageError } from "./usage.js";

/** Where a command reads objects from: manifests, or a cluster as it is now. */
export interface InputOptions extends KubeOptions {
  readonly file: readonly string[];
  readonly kube?: boolean;
}

/**
 * The objects of files or of a cluster.
 *
 * @throws UsageError when both or neither are named.
 * @throws Error when the kubeconfig can't be read, or a kind of the cluster can't.
 */
export async function readInput(options: InputOptions, namespaces: readonly string[]): Promise<Manifests> {
  const { file, kube } = options;
  if (kube && file.length > 0) throw new UsageError("-f and --kube: give one of them");
  if (!kube && file.length === 0)
    throw new UsageError(
      "-f PATH or --kube is needed: manifests to read, - for standard input, or a cluster",
    );
  return kube ? readCluster(await kubeTransport(options), namespaces) : readManifests(file, namespaces);
}

/** Every object of the kinds that are read, listed once. A kind whose CRD is not there has none. */
async function readCluster(transport: Transport, namespaces: readonly string[]): Promise<Manifests> {
  const objects: KubeObject[] = [];
  const located: Located[] = [];
  const invalid = new Set<Ref>();
  for (const resource of resources) {
    for (const raw of await listAll(transport, resource)) {
      const { ref, change, findings } = changeOf(raw, namespaces);
      if (change && !("gone" in change)) objects.push(change);
      else if (ref && findings.length > 0) invalid.add(ref);
      for (const finding of findings) located.push({ finding, file: "", line: 0 });
    }
  }
  return { objects, located, documents: new Map(), invalid, broken: new Set(), ignored: new Map() };
}

async function listAll(
  transport: Transport,
  resource: Resource,
): Promise<Awaited<ReturnType<typeof list>>["items"]> {
  try {
    return (await list(transport, resource, new AbortController().signal)).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && !resource.builtIn) return [];
    throw new Error(explainFailure(resource, error).replace(/; the last good .*/, ""));
  }
}
