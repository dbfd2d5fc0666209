import { ApiError, getJson, list, type Transport } from "../kubernetes/api.js";
import { failureOf } from "../kubernetes/failures.js";
import type { KubeTarget } from "../kubernetes/node/config.js";
import { kubeTransport } from "../kubernetes/node/transport.js";
import type { ApiCollection } from "../kubernetes/resources.js";
import type { PeerCollection } from "../migrate/peer.js";
import { peers } from "../migrate/peers.js";
import type { InputManifest } from "../migrate/source.js";
import { isRecord } from "../schema/issues.js";
import { printable } from "../schema/printable.js";
import { loadDocuments, loadText, type ManifestPlace, type Visit } from "../sources/files/load.js";
import { formatLocated } from "../sources/files/objects.js";
import type { InputOptions } from "./kube-manifests.js";
import { kubeTargets } from "./kube-targets.js";
import { progress } from "./progress.js";
import { findManifests } from "./repository.js";
import { UsageError } from "./usage.js";

/** Manifests as they were written. */
export interface MigrationInput {
  readonly manifests: readonly InputManifest[];
  /** A line for each file or document that can't be read. */
  readonly problems: readonly string[];
}

/**
 * Reads what is to be converted: files, folders, standard input, or a Kubernetes cluster.
 *
 * @throws UsageError when both or neither are named.
 * @throws Error when the API server can't be reached or does not let a kind be read: what is not read may restrict access.
 */
export async function readMigrationInput(
  options: InputOptions & { readonly from?: string },
  configMap?: ConfigMapName,
): Promise<MigrationInput> {
  const { file, kube } = options;
  if (kube && file.length > 0) throw new UsageError("-f and --kube: give one of them");
  if (!kube && file.length === 0)
    throw new UsageError(
      "-f PATH or --kube is needed: manifests to read, - for standard input, or a cluster",
    );
  if (!kube) return readFiles(file);
  const manifests: InputManifest[] = [];
  for (const target of kubeTargets(kube, options))
    manifests.push(...(await readTarget(target, options.from, configMap)));
  return { manifests, problems: [] };
}

function readFiles(paths: readonly string[]): MigrationInput {
  const found = findManifests(paths);
  const manifests: InputManifest[] = [];
  const visit: Visit = (value, place) => {
    manifests.push(manifestOf(value, place));
    progress.show(() => `reading: ${manifests.length} objects, ${printable(place.file)}`);
  };
  const unread = [
    ...loadDocuments(found.files, visit),
    ...found.built.flatMap(({ file, text }) => loadText(file, text, visit)),
  ];
  progress.end();
  const problems = [
    ...found.findings.map(({ file, severity, message }) => ({
      severity,
      line: `${severity} ${file}: ${message}`,
    })),
    ...unread.map((one) => ({ severity: one.finding.severity, line: formatLocated(one) })),
  ];
  return {
    manifests,
    problems: problems.filter(({ severity }) => severity === "error").map(({ line }) => line),
  };
}

/** The text of a document that holds the object alone, so that it can be kept as it is. */
function manifestOf(value: unknown, { file, line, within, part }: ManifestPlace): InputManifest {
  const place = `${file}:${line}`;
  return part && within === "" ? { value, place, text: part.text } : { value, place };
}

interface ConfigMapName {
  readonly namespace: string;
  readonly name: string;
}

const configMaps: ApiCollection = {
  kind: "ConfigMap",
  apiVersion: "v1",
  plural: "configmaps",
  namespaced: true,
};

const builtIn: readonly ApiCollection[] = [
  { kind: "Service", apiVersion: "v1", plural: "services", namespaced: true },
  { kind: "Ingress", apiVersion: "networking.k8s.io/v1", plural: "ingresses", namespaced: true },
];

async function readTarget(
  target: KubeTarget,
  from: string | undefined,
  configMap: ConfigMapName | undefined,
): Promise<InputManifest[]> {
  const transport = await kubeTransport(target);
  const manifests: InputManifest[] = [];
  const add = (items: readonly unknown[]): void => {
    for (const value of items) manifests.push({ value, place: "" });
    progress.show(() => `reading: ${manifests.length} objects`);
  };
  for (const collection of builtIn) add(await listOf(transport, transport.server, collection));
  for (const peer of peers)
    if (from === undefined || peer.name === from)
      for (const collection of peer.collections) add(await listAny(transport, transport.server, collection));
  if (configMap) add(await mapsOf(transport, transport.server, configMap));
  progress.end();
  return manifests;
}

/** A ConfigMap, and the ConfigMaps with headers that it names. @throws Error when one cannot be read */
async function mapsOf(transport: Transport, server: string, name: ConfigMapName): Promise<unknown[]> {
  const map = await mapOf(transport, server, name);
  const data = isRecord(map.data) ? map.data : {};
  const named = ["add-headers", "proxy-set-headers"].flatMap((option) => {
    const [namespace, own] = typeof data[option] === "string" ? data[option].split("/", 2) : [];
    return namespace && own ? [{ namespace, name: own }] : [];
  });
  return [map, ...(await Promise.all(named.map((one) => mapOf(transport, server, one))))];
}

async function mapOf(
  transport: Transport,
  server: string,
  { namespace, name }: ConfigMapName,
): Promise<Record<string, unknown>> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  try {
    const value = await getJson(transport, path, new AbortController().signal);
    return { apiVersion: "v1", kind: "ConfigMap", ...value };
  } catch (error) {
    const { code, message } = failureOf(configMaps, error, server);
    throw new Error(`${code}: ConfigMap ${namespace}/${name}: ${message}`);
  }
}

/** The objects of the newest version that the server has; none where it has no such kind. */
async function listAny(
  transport: Transport,
  server: string,
  { group, versions, kind, plural, namespaced }: PeerCollection,
): Promise<readonly unknown[]> {
  for (const version of versions) {
    const collection = { kind, plural, namespaced, apiVersion: `${group}/${version}` };
    const found = await listOf(transport, server, collection, true);
    if (found) return found;
  }
  return [];
}

async function listOf(
  transport: Transport,
  server: string,
  collection: ApiCollection,
): Promise<readonly unknown[]>;
async function listOf(
  transport: Transport,
  server: string,
  collection: ApiCollection,
  mayLack: true,
): Promise<readonly unknown[] | undefined>;
async function listOf(
  transport: Transport,
  server: string,
  collection: ApiCollection,
  mayLack = false,
): Promise<readonly unknown[] | undefined> {
  try {
    return (await list(transport, collection, new AbortController().signal)).items;
  } catch (error) {
    if (mayLack && error instanceof ApiError && error.status === 404) return undefined;
    const { code, message } = failureOf(collection, error, server);
    throw new Error(`${code}: ${message}`);
  }
}
