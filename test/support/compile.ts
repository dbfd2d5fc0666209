import { parseAllDocuments } from "yaml";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import type { Finding } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Resource, ResourceType, Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";

export const platform = { checkKeyPair };

export interface Case {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
}

/** Parses manifests (and optionally settings) as a source would. */
export function parseCase(yaml: string, settings?: string): Case {
  const objects: KubeObject[] = [];
  const findings: Finding[] = [];
  for (const document of parseAllDocuments(yaml)) {
    const value: unknown = document.toJS();
    if (value === null) continue;
    const parsed = parseObject(value);
    if ("object" in parsed) objects.push(parsed.object);
    else if ("findings" in parsed) findings.push(...parsed.findings);
  }
  if (settings !== undefined) {
    const parsed = parseSettings(parseAllDocuments(settings)[0]?.toJS() ?? {});
    objects.push(parsed.settings);
    findings.push(...parsed.findings);
  }
  return { objects, findings };
}

export const types: readonly ResourceType[] = [
  "cluster",
  "endpoints",
  "filter-chain",
  "listener",
  "route-configuration",
  "secret",
  "virtual-host",
];

const groups: Readonly<Partial<Record<ResourceType, readonly string[]>>> = {
  "virtual-host": ["ingress_http", "ingress_https", "ingress_fallbackcert"],
  "filter-chain": ["ingress_https"],
};

/** Every resource of a store, by type and group. */
export const resourcesOf = (store: Store): Resource[] =>
  types.flatMap((type) => (groups[type] ?? [""]).flatMap((group) => [...store.resources(type, group)]));

/** Resources and findings as text: two stores of the same content give the same text. */
export const dump = (store: Store): string =>
  JSON.stringify([resourcesOf(store), [...store.findings()].map((f) => JSON.stringify(f)).sort()]);

export function compileAll(objects: readonly KubeObject[]): Store {
  const store = createMemoryStore();
  update(store, objects, platform);
  return store;
}
