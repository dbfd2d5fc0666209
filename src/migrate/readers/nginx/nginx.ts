import { type Conversion, partOf } from "../../conversion.js";
import type { SourcePart } from "../../model.js";
import type { Peer } from "../../peer.js";
import type { SourceObject } from "../../source.js";
import {
  addSites,
  defaultBackendOf,
  IngressAnnotations,
  type IngressPath,
  ingressPaths,
  isOfPeer,
  ruleHosts,
} from "../ingress-rules.js";
import { closesHost } from "./access.js";
import { canaryOf, withCanary } from "./canary.js";
import { configMaps, type NginxConfig, readNginxConfig } from "./config-map.js";
import { addHostExtras } from "./hosts.js";
import type { Location, NginxHost } from "./location.js";
import { locationRoutes } from "./locations.js";
import { usualForm } from "./rewrite.js";
import { prefix, table } from "./table.js";

/** ingress-nginx: Ingresses of class nginx. */
export const nginx: Peer = {
  name: "nginx",
  groups: [],
  kinds: [],
  collections: [],
  served(objects, options) {
    const [map] = configMaps(objects, options.configMap);
    const classes = options.from === "nginx" ? ["nginx", ...options.classes] : ["nginx"];
    return { ingressNginx: { classes, ...(map ? { configMap: `${map.namespace}/${map.name}` } : {}) } };
  },
  beside: [
    {
      isThere: (objects, { configMap }) => configMaps(objects, configMap).length > 0,
      message:
        "the ConfigMap of ingress-nginx is not among the input: its defaults are assumed, and the ConfigMap may have address lists and authentication for all hosts",
      todo: "give it, too; --config-map NAMESPACE/NAME names it",
    },
    {
      isThere: () => false,
      message:
        "ingress-nginx sets X-Real-IP, X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Scheme and X-Scheme for backends; Envoy sets X-Forwarded-For and X-Forwarded-Proto",
      todo: "name those that backends read in the setting policy.requestHeaders.set, such as X-Real-IP: %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    },
  ],
  takes: (object, { from, classes }) =>
    isOfPeer(object, { peer: "nginx", prefixes: [prefix], from, classes }),
  read(objects, conversion) {
    const ordered = [...objects].sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
    for (const object of objects) conversion.take(object, table);
    const withTls = new Set<string>();
    for (const object of ordered) if (!isCanary(object)) addSites(object, conversion, withTls);
    const config = readNginxConfig(conversion);
    for (const host of hostsOf(ordered, withTls, config, conversion)) {
      const routes = host.locations.flatMap((location) =>
        withCanary(locationRoutes(location, host, conversion), location, conversion),
      );
      conversion.routes.push(...addHostExtras(host, routes, conversion));
    }
  },
};

const isCanary = (object: SourceObject): boolean =>
  new IngressAnnotations(object, prefix).flag("canary") === true;

function hostsOf(
  objects: readonly SourceObject[],
  withTls: ReadonlySet<string>,
  config: NginxConfig,
  conversion: Conversion,
): NginxHost[] {
  const byHost = new Map<string, Location[]>();
  for (const object of objects) {
    if (isCanary(object)) continue;
    const annotations = new IngressAnnotations(object, prefix, config);
    for (const path of ingressPaths(object)) addLocation(byHost, { ...path, annotations }, conversion);
    addDefault(object, annotations, byHost);
  }
  for (const object of objects) if (isCanary(object)) addCanary(object, byHost, conversion);
  return [...byHost].map(([host, locations]): NginxHost => {
    const hasTls = withTls.has(host);
    const isRegex = locations.some(isRegexLocation);
    return {
      host,
      config,
      hasTls,
      isClosed: locations.some((location) => closesHost(location, hasTls)),
      isRegex,
      isUsual: locations.every(({ path, annotations }) =>
        usualForm(path, annotations.text("rewrite-target")),
      ),
      locations,
    };
  });
}

/**
 * One path with `use-regex`, or with a target that differs from the path, makes all paths of the host regular
 * expressions.
 */
const isRegexLocation = ({ annotations, path }: Location): boolean => {
  const target = annotations.text("rewrite-target");
  return annotations.flag("use-regex") === true || (target !== undefined && target !== path);
};

const typeOf = ({ type }: IngressPath): "Exact" | "Prefix" => (type === "Exact" ? "Exact" : "Prefix");

/** Adds a path to its host. If several Ingresses have the path, the oldest one wins. */
function addLocation(byHost: Map<string, Location[]>, location: Location, conversion: Conversion): void {
  const own = byHost.get(location.host) ?? [];
  byHost.set(location.host, own);
  const first = own.find((other) => other.path === location.path && typeOf(other) === typeOf(location));
  if (!first) {
    own.push(location);
    return;
  }
  const part = partOf(location.object, location.field);
  const message = `${first.object.ref} is older and has ${location.path} of ${location.host}; left out, as in ingress-nginx`;
  conversion.remark("warning", part, message, { hosts: [location.host] });
}

/**
 * `defaultBackend` gets the requests that no path of the hosts matches; without rules, the requests to unknown hosts.
 */
function addDefault(
  object: SourceObject,
  annotations: IngressAnnotations,
  byHost: Map<string, Location[]>,
): void {
  const backend = defaultBackendOf(object);
  if (!backend) return;
  const hosts = ruleHosts(object);
  for (const host of hosts.length > 0 ? new Set(hosts) : ["*"]) {
    const own = byHost.get(host) ?? [];
    byHost.set(host, own);
    if (own.some(({ path, type }) => path === "/" && type !== "Exact")) continue;
    const field = object.root.at("spec", "defaultBackend");
    own.push({ object, host, path: "/", type: "Prefix", backend, field, annotations, isAdded: true });
  }
}

function addCanary(object: SourceObject, byHost: Map<string, Location[]>, conversion: Conversion): void {
  for (const path of ingressPaths(object)) {
    const own = byHost.get(path.host) ?? [];
    const part: SourcePart = partOf(object, path.field);
    const at = own.findIndex((one) => one.path === path.path && typeOf(one) === typeOf(path));
    const main = own[at];
    const canary = canaryOf(path, new IngressAnnotations(object, prefix));
    const left = (message: string): void =>
      conversion.remark("warning", part, message, { hosts: [path.host] });
    if (!main) left("no other Ingress has this path: a canary alone serves nothing; left out");
    else if (main.canary) left("the path has a canary already; left out");
    else own[at] = { ...main, canary };
  }
}
