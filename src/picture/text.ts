import type { ClusterNode, HostNode, ReachedAt } from "../explain/graph.js";
import { serviceOf } from "../explain/names.js";
import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";

/** The listener of a Gateway and its addresses: `listener http at 10.0.0.1`. */
export const seatText = ({ listener, listenerSet, addresses }: ReachedAt): string =>
  `listener ${listener}${listenerSet === undefined ? "" : ` of ListenerSet ${listenerSet}`} at ${addresses.join(", ")}`;

/** Hosts as an indented tree: route tables, routes in the order in which they are tried, clusters. */
export function textOf(hosts: readonly HostNode[]): string {
  return hosts.map((node) => `${hostLines(node).map(printable).join("\n")}\n`).join("\n");
}

function hostLines({ host, gateway, listeners = {}, tls, elsewhere = {}, tables }: HostNode): string[] {
  const lines = [gateway === undefined ? host : `${host}  (Gateway ${gateway})`];
  const at = (place: string): string => {
    const seat = listeners[place];
    return seat ? `${place}  (${seatText(seat)})` : place;
  };
  for (const [table, routes] of Object.entries(tables)) {
    lines.push(`  ${at(table)}`);
    for (const [i, { match, origin, clusters, facts }] of routes.entries()) {
      lines.push(`    ${i + 1}  ${match}${origin ? `  (${origin.ref} ${origin.field})` : ""}`);
      for (const { what, value } of facts) if (what !== "backends") lines.push(`         ${what}: ${value}`);
      lines.push(...clusterLines(clusters, "       "));
    }
  }
  for (const [name, { facts, clusters, origin }] of Object.entries({
    ...(tls ? { ingress_https: tls } : {}),
    ...elsewhere,
  })) {
    const from = origin ? `  (${origin.ref} ${origin.field})` : "";
    lines.push(
      `  connections of ${at(name)}${from}`,
      ...facts.map(({ what, value }) => `    ${what}: ${value}`),
    );
    lines.push(...clusterLines(clusters, "    "));
  }
  return lines;
}

const clusterLines = (clusters: readonly ClusterNode[], indent: string): string[] =>
  clusters.map(({ cluster, weight, endpointCount }) => {
    const share = clusters.length > 1 ? `  weight ${weight}` : "";
    return `${indent}-> ${serviceOf(cluster)}${share}  ${endpointCount === 0 ? "no endpoints" : plural(endpointCount, "endpoint")}`;
  });
