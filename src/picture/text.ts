import type { ClusterNode, HostNode } from "../explain/graph.js";
import { serviceOf } from "../explain/names.js";
import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";

/** Hosts as an indented tree: route tables, routes in the order in which they are tried, clusters. */
export function textOf(hosts: readonly HostNode[]): string {
  return hosts.map((node) => `${hostLines(node).map(printable).join("\n")}\n`).join("\n");
}

function hostLines({ host, tls, elsewhere = {}, tables }: HostNode): string[] {
  const lines = [host];
  for (const [table, routes] of Object.entries(tables)) {
    lines.push(`  ${table}`);
    for (const [i, { match, origin, clusters, facts }] of routes.entries()) {
      lines.push(`    ${i + 1}  ${match}${origin ? `  (${origin.ref} ${origin.field})` : ""}`);
      for (const { what, value } of facts) if (what !== "backends") lines.push(`         ${what}: ${value}`);
      lines.push(...clusterLines(clusters, "       "));
    }
  }
  for (const [name, { facts, clusters }] of Object.entries({
    ...(tls ? { ingress_https: tls } : {}),
    ...elsewhere,
  })) {
    lines.push(`  connections of ${name}`, ...facts.map(({ what, value }) => `    ${what}: ${value}`));
    lines.push(...clusterLines(clusters, "    "));
  }
  return lines;
}

const clusterLines = (clusters: readonly ClusterNode[], indent: string): string[] =>
  clusters.map(({ cluster, weight, endpointCount }) => {
    const share = clusters.length > 1 ? `  weight ${weight}` : "";
    return `${indent}-> ${serviceOf(cluster)}${share}  ${endpointCount === 0 ? "no endpoints" : plural(endpointCount, "endpoint")}`;
  });
