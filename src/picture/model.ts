import type { ClusterNode, ConnectionNode, HostNode, ReachedAt, RouteNode } from "../explain/graph.js";
import { listenerOfTable } from "../explain/listener-names.js";
import { serviceOf } from "../explain/names.js";
import type { Finding } from "../schema/meta.js";
import { plural } from "../schema/words.js";

/** Data about a host that is not part of the served configuration. */
export interface Beside {
  /** Findings about the objects of the host. */
  readonly findings?: readonly Pick<Finding, "about" | "path" | "severity" | "message">[];
  /** The number of addresses that are not ready, by `namespace/name` of the Service. */
  readonly notReady?: Readonly<Record<string, number>>;
}

type PartKind = "listener" | "host" | "route" | "cluster" | "endpoints";
type PartLevel = "plain" | "warning" | "error";

/** A box of the picture of a host. */
export interface PicturePart {
  readonly id: string;
  readonly kind: PartKind;
  readonly level: PartLevel;
  /** The first line of the box. */
  readonly title: string;
  readonly lines: readonly string[];
  /** The table of a route, and its index in the table from 0. */
  readonly route?: { readonly table: string; readonly index: number };
}

export interface Link {
  readonly from: string;
  readonly to: string;
  /** The share of a cluster, such as `90 %`. */
  readonly label?: string;
}

/** A host as boxes and links from left to right: listeners, host, routes, clusters, endpoints. */
export interface Picture {
  readonly title: string;
  readonly parts: readonly PicturePart[];
  readonly links: readonly Link[];
}

/** The maximum number of routes that are drawn for one host and listener. */
const maxRoutes = 40;
const maxAddresses = 4;

/** The picture of one host. Listeners with the same routes share the boxes of these routes. */
export function pictureOf(node: HostNode, beside: Beside = {}): Picture {
  const parts = new Map<string, PicturePart>();
  const links: Link[] = [];
  const prefix = node.gateway === undefined ? node.host : `${node.host} ${node.gateway}`;
  const add = (part: Omit<PicturePart, "id">, key: string): string => {
    const id = `${prefix} ${part.kind} ${key}`;
    if (!parts.has(id)) parts.set(id, { id, ...part });
    return id;
  };
  const addClusters = (from: string, clusters: readonly ClusterNode[]): void => {
    const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
    for (const one of clusters) {
      const cluster = add(clusterPart(one), one.cluster);
      const share = total > 0 ? Math.round((1000 * one.weight) / total) / 10 : 0;
      links.push({ from, to: cluster, ...(clusters.length > 1 ? { label: `${share} %` } : {}) });
      const to = add(endpointsPart(one, beside.notReady?.[namespacedService(one.cluster)] ?? 0), one.cluster);
      if (!links.some((link) => link.from === cluster && link.to === to)) links.push({ from: cluster, to });
    }
  };
  const addConnection = (name: string, connection: ConnectionNode): void => {
    if (connection.clusters.length === 0) return;
    const listener = add(listenerPart(name, connection, node.listeners?.[name]), name);
    const host = add(
      { kind: "host", level: "plain", title: node.host, lines: ["connections are passed on"] },
      name,
    );
    links.push({ from: listener, to: host });
    addClusters(host, connection.clusters);
  };
  for (const { tables, routes } of groupsOf(node)) {
    const [first = ""] = tables;
    const host = add(hostPart(node, routes, beside), first);
    for (const table of tables) {
      const tls = table === "ingress_https" ? node.tls : node.elsewhere?.[listenerOfTable(table)];
      links.push({ from: add(listenerPart(table, tls, node.listeners?.[table]), table), to: host });
    }
    for (const [index, route] of routes.slice(0, maxRoutes).entries()) {
      const id = add(routePart(route, { table: first, index }, beside), `${first} ${index}`);
      links.push({ from: host, to: id });
      addClusters(id, route.clusters);
    }
    if (routes.length > maxRoutes) {
      const title = `and ${plural(routes.length - maxRoutes, "more route")}`;
      links.push({
        from: host,
        to: add({ kind: "route", level: "plain", title, lines: [] }, `${first} more`),
      });
    }
  }
  if (node.tls) addConnection("ingress_https", node.tls);
  for (const [name, connection] of Object.entries(node.elsewhere ?? {})) addConnection(name, connection);
  return {
    title: node.gateway === undefined ? node.host : `${node.host} of ${node.gateway}`,
    parts: [...parts.values()],
    links,
  };
}

/** Groups the tables whose routes look the same in the picture. */
function groupsOf({ tables }: HostNode): { tables: string[]; routes: readonly RouteNode[] }[] {
  const groups = new Map<string, { tables: string[]; routes: readonly RouteNode[] }>();
  for (const [table, routes] of Object.entries(tables)) {
    const key = JSON.stringify(routes.map(({ match, clusters, facts }) => [match, clusters, facts]));
    const group = groups.get(key);
    if (group) group.tables.push(table);
    else groups.set(key, { tables: [table], routes });
  }
  return [...groups.values()];
}

const listenerNames: Readonly<Record<string, string>> = {
  ingress_http: "HTTP",
  ingress_https: "HTTPS",
  ingress_fallbackcert: "HTTPS, no server name",
};

/** Two lines about the connection, and for a Gateway its listener and addresses. */
function listenerPart(
  name: string,
  connection: ConnectionNode | undefined,
  seat: ReachedAt | undefined,
): Omit<PicturePart, "id"> {
  const facts = (connection?.facts ?? []).slice(0, 2).map(({ what, value }) => `${what} ${value}`);
  if (!seat) return { kind: "listener", level: "plain", title: listenerNames[name] ?? name, lines: facts };
  const { gateway, listener, listenerSet, port, addresses } = seat;
  return {
    kind: "listener",
    level: "plain",
    title: `${listener} · port ${port}`,
    lines: [
      `Gateway ${gateway}`,
      ...(listenerSet === undefined ? [] : [`ListenerSet ${listenerSet}`]),
      addresses.slice(0, 2).join(", "),
      ...facts,
    ],
  };
}

function hostPart(
  { host }: HostNode,
  routes: readonly RouteNode[],
  { findings = [] }: Beside,
): Omit<PicturePart, "id"> {
  const inRoutes = new Set(routes.flatMap((route) => findingsOf(route, findings)));
  const own = findings.filter((finding) => !inRoutes.has(finding));
  return {
    kind: "host",
    level: levelOf(own),
    title: host,
    lines: [plural(routes.length, "route"), ...own.slice(0, 1).map(({ message }) => message)],
  };
}

type BesideFinding = NonNullable<Beside["findings"]>[number];

/** Findings about the field that a route comes from, or about a field inside it. */
function findingsOf({ origin }: RouteNode, findings: readonly BesideFinding[]): readonly BesideFinding[] {
  if (!origin) return [];
  const { ref, field } = origin;
  return findings.filter(
    ({ about, path = "" }) =>
      about === ref && (path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`)),
  );
}

const levelOf = (findings: readonly BesideFinding[]): PartLevel =>
  findings.some(({ severity }) => severity === "error") ? "error" : findings.length > 0 ? "warning" : "plain";

function routePart(
  route: RouteNode,
  place: { readonly table: string; readonly index: number },
  { findings = [] }: Beside,
): Omit<PicturePart, "id"> {
  const own = findingsOf(route, findings);
  const action = route.facts.find(({ what }) => what === "redirect" || what === "response");
  const lines = [
    ...(action ? [`${action.what} ${action.value}`] : []),
    ...(route.origin ? [`${route.origin.ref} ${route.origin.field}`] : []),
    ...own.slice(0, 1).map(({ severity, message }) => `${severity}: ${message}`),
  ];
  return {
    kind: "route",
    level: levelOf(own),
    title: `${place.index + 1} · ${route.match}`,
    lines,
    route: place,
  };
}

/** `namespace/name` of the Service of a cluster. */
const namespacedService = (cluster: string): string => serviceOf(cluster).split("/").slice(0, 2).join("/");

const clusterPart = ({ cluster }: ClusterNode): Omit<PicturePart, "id"> => {
  const [namespace = "", service, port] = serviceOf(cluster).split("/");
  return service === undefined
    ? { kind: "cluster", level: "plain", title: cluster, lines: [] }
    : { kind: "cluster", level: "plain", title: service, lines: [`${namespace}, port ${port ?? ""}`] };
};

function endpointsPart({ endpoints, endpointCount }: ClusterNode, notReady: number): Omit<PicturePart, "id"> {
  const waiting = notReady > 0 ? `, ${notReady} not ready` : "";
  if (endpointCount === 0)
    return {
      kind: "endpoints",
      level: "error",
      title: `no endpoints${waiting}`,
      lines: ["requests get 503"],
    };
  const more = endpointCount - Math.min(endpointCount, maxAddresses);
  return {
    kind: "endpoints",
    level: notReady > 0 ? "warning" : "plain",
    title: `${endpointCount} ready${waiting}`,
    lines: [...endpoints.slice(0, maxAddresses), ...(more > 0 ? [`and ${more} more`] : [])],
  };
}
