import type { Resource } from "../../src/store/store.js";

/** Names of the form `<readable part>/<hash of the content>`, see `clusterName`. */
const hashed = /^(.+)\/([0-9a-f]{16})$/;

/**
 * Replaces the hash at the end of each cluster name by an alias: `default/app/80/c1`. Equal hashes have equal aliases.
 * Aliases are numbered in the order in which other resources refer to them, and clusters are sorted by alias, so that
 * nothing depends on the hashes: a changed default that changes all hashes leaves golden files unchanged.
 */
export function withClusterAliases(resources: readonly Resource[]): Resource[] {
  const clusters = resources.filter(({ type }) => type === "cluster");
  const others = resources.filter(({ type }) => type !== "cluster");
  const hashOf = new Map(
    clusters.flatMap(({ name }) => {
      const [, , hash] = hashed.exec(name) ?? [];
      return hash === undefined ? [] : [[name, hash] as const];
    }),
  );
  const aliases = new Map<string, string>();
  const number = (hash: string): string => {
    const alias = aliases.get(hash) ?? `c${aliases.size + 1}`;
    aliases.set(hash, alias);
    return alias;
  };
  const aliased = (name: string): string => {
    const hash = hashOf.get(name);
    return hash === undefined ? name : `${name.slice(0, -hash.length)}${number(hash)}`;
  };
  const rewritten = (json: string): string =>
    JSON.stringify(JSON.parse(json), (_, value: unknown) =>
      typeof value === "string" ? aliased(value) : value,
    );

  // Before the clusters, so that the numbers follow the order of routes.
  const rest = others.map((resource) => ({ ...resource, json: rewritten(resource.json) }));
  const named = clusters
    .map((resource) => ({ ...resource, name: aliased(resource.name), json: rewritten(resource.json) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...named, ...rest];
}
