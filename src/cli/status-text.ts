import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import type { EnvoyPage, EnvoyRow } from "../server/envoys.js";
import type { FindingGroups } from "../server/findings.js";
import { ago } from "../verdict/ago.js";
import type { Overview } from "../verdict/overview.js";

const types = ["listeners", "routes", "scoped-routes", "clusters", "endpoints", "secrets"] as const;
const labels = { current: "current", behind: "behind", refused: "REFUSES", never: "NONE" } as const;

/** Envoys as a table, those with the worst state first. A type without subscriptions has no column. */
export function envoyTable({ envoys, total }: EnvoyPage, now: number): string[] {
  const shown = types.filter((type) => envoys.some((row) => row.types[type]));
  const head = ["ENVOY", "TOKEN", "RELEASE", "SEEN", ...shown.map((type) => type.toUpperCase())];
  const rows = envoys.map((row) => [
    printable(row.node),
    printable(row.token || "-"),
    row.release ?? "-",
    ago(row.seen, now),
    ...shown.map((type) => cellOf(row, type, now)),
  ]);
  const more = total - envoys.length;
  return [...columns([head, ...rows]), ...(more > 0 ? [`and ${more} more Envoys`] : [])];
}

/** How often Envoys poll, which determines the price on a platform that bills requests. */
export const pollsLine = ({ perMinute, holdMs }: NonNullable<EnvoyPage["polls"]>): string =>
  `${plural(perMinute, "poll")} a minute, each held for up to ${holdMs / 1000} s`;

function cellOf({ types: states }: EnvoyRow, type: (typeof types)[number], now: number): string {
  const state = states[type];
  if (!state) return "-";
  const part = state.others > 0 && state.subscriptions > 1 ? ` ${state.others}/${state.subscriptions}` : "";
  return state.state === "current" ? "current" : `${labels[state.state]}${part} (${ago(state.since, now)})`;
}

/** Aligns cells in columns, each as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("   ")
      .trimEnd(),
  );
}

/** Gateways of classes with their addresses, listeners and number of hosts. */
export function gatewayTable({ gateways, gatewayCount }: Overview): string[] {
  const rows = gateways.map(({ name, addresses, listeners, hosts }) => [
    printable(name),
    addresses.join(", "),
    listeners.join(", "),
    String(hosts),
  ]);
  const more = gatewayCount - gateways.length;
  return [
    ...columns([["GATEWAY", "ADDRESSES", "LISTENERS", "HOSTS"], ...rows]),
    ...(more > 0 ? [`and ${more} more Gateways`] : []),
  ];
}

const maxNamespaces = 5;

/** Problems by severity and reason. */
export function problemLines({ groups }: FindingGroups): string[] {
  return groups.flatMap(({ severity, reason, count, fix, namespaces, moreNamespaces }) => {
    const named = namespaces
      .slice(0, maxNamespaces)
      .map(({ namespace, count: own }) => `${namespace || "no namespace"} ${own}`);
    const more = Math.max(0, namespaces.length - maxNamespaces) + moreNamespaces;
    return [
      `${severity} ${reason}: ${count}  (${named.join(", ")}${more > 0 ? `, and ${more} more namespaces` : ""})`,
      `  to fix: ${fix}`,
    ];
  });
}
