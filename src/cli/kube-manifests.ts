import { ApiError, list, type Transport } from "../kubernetes/api.js";
import { failureOf } from "../kubernetes/failures.js";
import type { KubeOptions, KubeTarget } from "../kubernetes/node/config.js";
import { kubeTransport } from "../kubernetes/node/transport.js";
import { askVersions, changeOf } from "../kubernetes/read.js";
import { type ApiResource, resourcesOf, versionsOf } from "../kubernetes/resources.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Settings, SettingsSpec } from "../schema/settings.js";
import { readManifests } from "../sources/files/objects.js";
import { Clusters } from "../sources/kubernetes/clusters.js";
import { withClusters } from "../sources/kubernetes/with-clusters.js";
import { createMemoryStore } from "../store/memory.js";
import { kubeTargets } from "./kube-targets.js";
import { type RepositoryManifests, readRepository } from "./repository-objects.js";
import { UsageError } from "./usage.js";

/** The input of a command: manifests, or the current objects of a Kubernetes cluster. */
export interface InputOptions extends KubeOptions {
  readonly file: readonly string[];
  readonly kube?: readonly string[];
  /** Reads folders as parts of a repository (`readRepository`), not as the input of a server. */
  readonly asRepository?: true;
  /** With `asRepository`: the settings file of the command, which is not one of the manifests. */
  readonly settings?: string;
  /** With `asRepository`: builds kustomizations. */
  readonly build?: boolean;
}

/** Objects with their settings. */
export interface Input extends RepositoryManifests {
  readonly settings: Settings;
}

/**
 * Reads the objects of files or of Kubernetes clusters.
 *
 * @throws UsageError when both or neither are named.
 * @throws Error when the kubeconfig, or a kind of a cluster, can't be read.
 */
export async function readInput(options: InputOptions, settings: Settings): Promise<Input> {
  const { file, kube } = options;
  const { watchNamespaces } = settings.spec;
  if (kube && file.length > 0) throw new UsageError("-f and --kube: give only one of them");
  if (!kube && file.length === 0)
    throw new UsageError("-f PATH or --kube is required: manifests, - for standard input, or a cluster");
  if (!kube) {
    const manifests = options.asRepository
      ? readRepository(file, watchNamespaces, options)
      : { ...readManifests(file, watchNamespaces), leftOut: new Map(), configurations: [], foreign: [] };
    return { ...manifests, settings };
  }
  return readClusters(kubeTargets(kube, options), settings);
}

/** The objects of all clusters, merged by name. */
async function readClusters(targets: readonly KubeTarget[], settings: Settings): Promise<Input> {
  const followed = withClusters(settings, targets);
  const store = createMemoryStore();
  const clusters = new Clusters(
    store,
    targets.map(({ name }) => name),
  );
  const located = [...followed.findings];
  const invalid = new Set<Ref>();
  for (const target of targets) {
    const transport = await kubeTransport(target);
    const read = await readCluster(transport, transport.server, settings.spec);
    for (const change of clusters.of(target.name).place(read.objects)) {
      if ("gone" in change) store.deleteObject(change.gone);
      else store.putObject(change, []);
    }
    for (const ref of read.invalid) invalid.add(ref);
    located.push(...read.findings);
  }
  return {
    objects: [...store.objects()],
    located: [...located, ...clusters.findings].map((finding) => ({ finding, file: "", line: 0 })),
    documents: new Map(),
    invalid,
    broken: new Set(),
    unnamed: new Set(),
    nameless: 0,
    ignored: new Map(),
    owned: new Set(),
    leftOut: new Map(),
    configurations: [],
    foreign: [],
    settings: followed.settings,
  };
}

interface ReadCluster {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
  readonly invalid: readonly Ref[];
}

/** Lists all objects of the kinds that routing reads, once. A kind without its CRD has none. */
async function readCluster(
  transport: Transport,
  server: string,
  settings: SettingsSpec,
): Promise<ReadCluster> {
  const objects: KubeObject[] = [];
  const all: Finding[] = [];
  const invalid: Ref[] = [];
  for (const resource of resourcesOf(settings)) {
    for (const raw of await listAll(transport, server, resource)) {
      const { ref, change, findings } = changeOf(raw, settings.watchNamespaces);
      if (change && !("gone" in change)) objects.push(change);
      else if (ref && findings.length > 0) invalid.push(ref);
      all.push(...findings);
    }
  }
  return { objects, findings: all, invalid };
}

async function listAll(
  transport: Transport,
  server: string,
  resource: ApiResource,
): Promise<Awaited<ReturnType<typeof list>>["items"]> {
  const { signal } = new AbortController();
  try {
    return (await askVersions(versionsOf(resource), (one) => list(transport, one, signal))).items;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && !resource.builtIn) return [];
    const { code, message } = failureOf(resource, error, server);
    throw new Error(`${code}: ${message}`);
  }
}
