import { servesGateways } from "../../schema/gateway-settings.js";
import { kindOf, type Ref, refOf } from "../../schema/meta.js";
import { parentKinds } from "../../schema/routing-kinds.js";
import { readWritten, type WrittenGateway } from "../api/gateway/gateway.js";
import { gatewaysKey } from "../core/keys.js";
import type { Reader } from "../core/reader.js";
import type { RouteObject } from "./node.js";

/** The listeners of a Gateway or of a ListenerSet. */
interface Capacity {
  readonly listeners: number;
  readonly ports: number;
}

interface Listed {
  /** All that costs depend on, for comparison. */
  readonly text: string;
  readonly owners: ReadonlyMap<Ref, Capacity>;
}

/** The references of a route to Gateways and ListenerSets, whether or not they exist. */
const parentsOf = ({ meta, spec }: RouteObject): Ref[] =>
  spec.parentRefs.map(({ kind, namespace, name }) => refOf(kind, namespace || meta.namespace, name));

/**
 * The ports of Gateways that routes refer to. A change of a Gateway concerns the routes that refer to it, and no others.
 */
export class AttachedPorts {
  readonly #gateways = new Map<Ref, Listed>();
  readonly #owners = new Map<Ref, Capacity>();
  /** Routes by the Gateway or ListenerSet that they refer to, and the other way round. */
  readonly #routes = new Map<Ref, Set<Ref>>();
  readonly #parents = new Map<Ref, readonly Ref[]>();
  #isStale = true;

  /** Records that an object was added, changed or deleted. */
  change(ref: Ref): void {
    if (parentKinds.has(kindOf(ref))) this.#isStale = true;
  }

  /** Records the references of a route; undefined: the route is gone. */
  putRoute(ref: Ref, route: RouteObject | undefined): void {
    for (const parent of this.#parents.get(ref) ?? []) this.#routes.get(parent)?.delete(ref);
    if (!route) {
      this.#parents.delete(ref);
      return;
    }
    const parents = parentsOf(route);
    this.#parents.set(ref, parents);
    for (const parent of parents) {
      const routes = this.#routes.get(parent);
      if (routes) routes.add(ref);
      else this.#routes.set(parent, new Set([ref]));
    }
  }

  /** Reads the Gateways again if that may be necessary. Returns the routes of those that have other listeners now. */
  refresh(reader: Reader): ReadonlySet<Ref> {
    const routes = new Set<Ref>();
    if (!this.#isStale || this.#parents.size === 0) return routes;
    this.#isStale = false;
    const now = new Map(servedGateways(reader).map((one) => [one.gateway.ref, listedOf(one)]));
    for (const [ref, { text, owners }] of this.#gateways) {
      if (now.get(ref)?.text === text) continue;
      this.#gateways.delete(ref);
      for (const owner of owners.keys()) this.#owners.delete(owner);
      this.#addRoutes(owners, routes);
    }
    for (const [ref, listed] of now) {
      if (this.#gateways.has(ref)) continue;
      this.#gateways.set(ref, listed);
      for (const [owner, capacity] of listed.owners) this.#owners.set(owner, capacity);
      this.#addRoutes(listed.owners, routes);
    }
    return routes;
  }

  #addRoutes(owners: Listed["owners"], routes: Set<Ref>): void {
    for (const owner of owners.keys()) for (const route of this.#routes.get(owner) ?? []) routes.add(route);
  }

  /** Upper bounds of the hosts and ports of a route. */
  boundsOf(route: RouteObject): { readonly hosts: number; readonly ports: number } {
    let listeners = 0;
    let ports = 0;
    const parents = this.#parents.get(route.ref) ?? [];
    for (const [i, { sectionName, port }] of route.spec.parentRefs.entries()) {
      const capacity = this.#owners.get(parents[i] ?? route.ref);
      if (!capacity) continue;
      listeners += sectionName === undefined ? capacity.listeners : 1;
      ports += sectionName === undefined && port === undefined ? capacity.ports : 1;
    }
    const { hostnames } = route.spec;
    const wildcards = hostnames.filter((hostname) => hostname.startsWith("*")).length;
    const hosts = hostnames.length === 0 ? listeners : hostnames.length - wildcards + wildcards * listeners;
    return { hosts, ports };
  }
}

/** All Gateways that are served. */
const servedGateways = (reader: Reader): readonly WrittenGateway[] =>
  servesGateways(reader.settings)
    ? reader.claimants(gatewaysKey).flatMap((ref) => {
        const [, namespace = "", name = ""] = ref.split("/");
        return readWritten(namespace, name, reader) ?? [];
      })
    : [];

function listedOf({ isMain, entries }: WrittenGateway): Listed {
  const ports = new Map<Ref, number[]>();
  for (const { owner, spec } of entries) {
    const known = ports.get(owner.ref);
    if (known) known.push(spec.port);
    else ports.set(owner.ref, [spec.port]);
  }
  return {
    text: JSON.stringify([
      isMain,
      entries.map(({ owner, spec: { name, port, hostname, protocol, allowedRoutes } }) => [
        owner.ref,
        name,
        port,
        hostname,
        protocol,
        allowedRoutes.kinds,
      ]),
    ]),
    owners: new Map(
      [...ports].map(([owner, all]) => [owner, { listeners: all.length, ports: new Set(all).size }]),
    ),
  };
}
