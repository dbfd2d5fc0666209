import { parseAllDocuments } from "yaml";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import type { Finding } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Resource, ResourceType, Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { filled, routesIn, textOf } from "../../src/xds/routes-hole.js";
import { checkProto } from "./proto.js";

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

/** The groups of a type: route tables for virtual hosts, listeners for filter chains. */
function groupsOf(store: Store, type: ResourceType): readonly string[] {
  const names = (of: ResourceType, group = ""): string[] =>
    [...store.resources(of, group)].map(({ name }) => name);
  if (type === "virtual-host") return names("route-configuration");
  if (type === "filter-chain") return names("listener", "chains");
  return type === "listener" ? ["", "chains", "http"] : [""];
}

const wholeTables = routesIn(new Set());

/** A fragment as link completes it, with whole route tables. */
function completed(resource: Resource): Resource {
  const { type, name } = resource;
  const json = filled(resource.json, wholeTables).map(textOf).join("");
  if (type !== "route-configuration") return { ...resource, json };
  return { ...resource, json: JSON.stringify({ name, ...(JSON.parse(json) as object) }) };
}

/**
 * Every resource of a store, by type and group; listeners by name only, because their groups only determine when they
 * are omitted.
 */
export const resourcesOf = (store: Store): Resource[] =>
  types.flatMap((type) => {
    const found = groupsOf(store, type).flatMap((group) => [...store.resources(type, group)]);
    if (type === "listener") found.sort((a, b) => (a.name < b.name ? -1 : 1));
    return found.map(completed);
  });

/** Resources, findings and origins of routes as text, equal for stores with equal content. */
export const dump = (store: Store): string =>
  JSON.stringify([
    resourcesOf(store),
    [...store.findings()].map((f) => JSON.stringify(f)).sort(),
    originsOf(store).sort(),
  ]);

const originsOf = (store: Store): string[] =>
  [...store.units()].flatMap(({ unit, origins = [] }) => origins.map((one) => JSON.stringify([unit, one])));

export function compileAll(objects: readonly KubeObject[]): Store {
  const store = createMemoryStore();
  update(store, objects, platform);
  return store;
}

const messages = {
  cluster: "envoy.config.cluster.v3.Cluster",
  "virtual-host": "envoy.config.route.v3.VirtualHost",
  "route-configuration": "envoy.config.route.v3.RouteConfiguration",
  "filter-chain": "envoy.config.listener.v3.FilterChain",
  listener: "envoy.config.listener.v3.Listener",
  secret: "envoy.extensions.transport_sockets.tls.v3.Secret",
} as const;

/** The resources of a store that Envoy's types do not allow. */
export function protoErrors(store: Store): string[] {
  return resourcesOf(store).flatMap(({ type, name, json }) => {
    const value: unknown = JSON.parse(json);
    const errors =
      type === "endpoints"
        ? checkProto("envoy.config.endpoint.v3.ClusterLoadAssignment", {
            cluster_name: name,
            endpoints: value,
          })
        : checkProto(messages[type], value);
    return errors.map((error) => `${type} ${name}: ${error}`);
  });
}
