import type { Ref } from "../../schema/meta.js";
import { quote } from "../../schema/words.js";
import type { EndpointMode } from "../../store/store.js";
import { type EndpointsName, slicesKey } from "../core/keys.js";
import type { ObjectByKind, Reader, Report } from "../core/reader.js";
import { type Asker, type Reachable, readAddress, readHost } from "./address.js";
import {
  endpointMode,
  isServed,
  type PortProtocol,
  portKey,
  type ServicePort,
  servedPorts,
} from "./backend.js";

export interface Endpoint {
  readonly address: Reachable;
  readonly port: number;
  /** Where health checks go, when it is not `port`. */
  readonly healthPort?: number;
}

/** Endpoints of one cluster, when several are followed. */
export interface EndpointGroup {
  readonly cluster?: string;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoints {
  /** None of them is empty. */
  readonly groups: readonly EndpointGroup[];
  readonly mode?: EndpointMode;
}

/**
 * Where a Service's port is served: ready addresses of its EndpointSlices and Endpoints, matched by port name, sorted
 * and without duplicates; in mode `service` the Service's own cluster IP or DNS name. Of several clusters each has a
 * group of its own, in the order of the setting `clusters`.
 */
export function buildEndpoints(
  { namespace, service: name, port: portName, healthPort: healthName }: EndpointsName,
  reader: Reader,
  report: Report,
  transport: PortProtocol = "TCP",
): Endpoints {
  const service = reader.get("Service", namespace, name);
  const portOf = (wanted: string | undefined): ServicePort | undefined =>
    service && servedPorts(service, transport).find((p) => portKey(p) === wanted);
  const port = portOf(portName);
  const health = portOf(healthName);
  if (!service || !port) return { groups: [] };
  const mode = endpointMode(reader, service);
  if (mode === "service") {
    const healthPort = health ? { healthPort: health.port } : {};
    const at = (address: Reachable): Endpoint => ({ address, port: port.port, ...healthPort });
    return {
      groups: grouped(
        reader,
        ownAddresses(reader, service, report).map(([cluster, ip]) => [cluster, at(ip)]),
      ),
      mode,
    };
  }
  const found: [cluster: string, Endpoint][] = [];
  for (const ref of reader.claimants(slicesKey(namespace, name))) {
    const cluster = clusterOf(ref);
    const usable = usableOf(ref, { namespace, settings: reader.settings }, report);
    for (const endpoint of readyOf(reader, ref, namespace, [port.name, health?.name], usable, transport)) {
      if (found.length === maxEndpoints) {
        const message = `port ${portName} of Service ${namespace}/${name} has more endpoints than ${maxEndpoints}; the others are left out`;
        report.error(ref, "EndpointError", "TooManyEndpoints", message);
        break;
      }
      found.push([cluster, endpoint]);
    }
  }
  return { groups: grouped(reader, found), ...(mode ? { mode } : {}) };
}

/**
 * Of one port of a Service. A slice may list thousands of ports beside thousands of addresses, and a port without a name takes all of
 * them: few bytes would be millions of endpoints.
 */
const maxEndpoints = 20_000;

/** Takes addresses of one object, with their paths in it, and gives those that may be used. */
type Usable = (addresses: readonly string[], pathOf: (i: number) => string) => readonly Reachable[];

/** Of addresses that may not be used there is one finding for each list: a tenant can write thousands. */
const usableOf =
  (about: Ref, asker: Asker, report: Report): Usable =>
  (addresses, pathOf) => {
    const usable: Reachable[] = [];
    let first: { readonly i: number; readonly text: string } | undefined;
    for (const [i, address] of addresses.entries()) {
      const reached = readAddress(address, asker);
      if ("host" in reached) usable.push(reached.host);
      else first ??= { i, text: `address ${quote(address)} ${reached.problem}` };
    }
    if (first) {
      const others = addresses.length - usable.length - 1;
      const message = `${first.text}; it is left out${others > 0 ? `, and ${others} more of the list` : ""}`;
      report.warn(about, "EndpointError", "AddressNotAllowed", message, pathOf(first.i));
    }
    return usable;
  };

/** Where a Service itself is reached, in each cluster that has it. */
function ownAddresses(
  reader: Reader,
  service: ObjectByKind<"Service">,
  report: Report,
): [cluster: string, address: Reachable][] {
  const { name, namespace, cluster } = service.meta;
  const asker = { namespace, settings: reader.settings };
  const addressOf = ({ ref, spec: { clusterIP = "" } }: ObjectByKind<"Service">): Reachable[] => {
    const hasAddress = clusterIP !== "" && clusterIP !== "None";
    const host = hasAddress ? clusterIP : `${name}.${namespace}.svc`;
    const reached = hasAddress ? readAddress(host, asker) : readHost(host, asker);
    if ("host" in reached) return [reached.host];
    const message = `address ${quote(host)} ${reached.problem}; it is left out`;
    report.warn(ref, "EndpointError", "AddressNotAllowed", message, "spec.clusterIP");
    return [];
  };
  const all = addressOf(service).map((address): [string, Reachable] => [cluster ?? "", address]);
  for (const other of reader.settings.clusters) {
    const same = reader.get("Service", namespace, `${name}@${other.name}`);
    for (const address of same ? addressOf(same) : []) all.push([other.name, address]);
  }
  return all;
}

const clusterOf = (ref: Ref): string => ref.slice(ref.indexOf("@") + 1 || ref.length);

/** Endpoints by their clusters; one that two clusters have is the first one's. */
function grouped(reader: Reader, found: readonly (readonly [string, Endpoint])[]): EndpointGroup[] {
  const { clusters } = reader.settings;
  if (clusters.length === 0) {
    const endpoints = sortedOnce(found.map(([, endpoint]) => endpoint));
    return endpoints.length > 0 ? [{ endpoints }] : [];
  }
  const taken = new Set<string>();
  return clusters.flatMap(({ name }) => {
    const own = found.flatMap(([cluster, endpoint]) => (cluster === name ? [endpoint] : []));
    const endpoints = sortedOnce(own).filter(({ address, port }) => !taken.has(`${address} ${port}`));
    for (const { address, port } of endpoints) taken.add(`${address} ${port}`);
    return endpoints.length > 0 ? [{ cluster: name, endpoints }] : [];
  });
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const compareEndpoints = (a: Endpoint, b: Endpoint): number =>
  compareText(a.address, b.address) || (a.port === b.port ? 0 : compareText(String(a.port), String(b.port)));

function sortedOnce(endpoints: Endpoint[]): readonly Endpoint[] {
  endpoints.sort(compareEndpoints);
  return endpoints.filter((endpoint, i) => {
    const before = endpoints[i - 1];
    return !before || compareEndpoints(before, endpoint) !== 0;
  });
}

type NamedPort = {
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly protocol?: string;
};

/** What one slice (or subset) gives for the ports of these names; without a name, for all its ports. */
function* readyOf(
  reader: Reader,
  ref: Ref,
  namespace: string,
  [portName, healthName]: readonly [string | undefined, string | undefined],
  usable: Usable,
  transport: PortProtocol,
): Generator<Endpoint> {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  function* combine(addresses: readonly Reachable[], all: readonly NamedPort[]): Generator<Endpoint> {
    const served = all.filter((one) => isServed(one, transport));
    const healthPort = healthName ? served.find((p) => p.name === healthName)?.port : undefined;
    for (const { name: own = "", port } of served)
      if (port && (!portName || own === portName))
        for (const address of addresses) yield { address, port, ...(healthPort ? { healthPort } : {}) };
  }
  if (ref.startsWith("EndpointSlice/")) {
    const slice = reader.get("EndpointSlice", namespace, name)?.spec;
    if (!slice || slice.addressType === "FQDN") return;
    const listed = [...slice.endpoints.entries()].filter(
      ([, { ready, addresses }]) => ready && addresses.length > 0,
    );
    const addresses = usable(
      listed.map(([, { addresses }]) => addresses[0] ?? ""),
      (i) => `endpoints[${listed[i]?.[0]}].addresses[0]`,
    );
    yield* combine(addresses, slice.ports);
    return;
  }
  const subsets = reader.get("Endpoints", namespace, name)?.spec.subsets ?? [];
  for (const [n, { addresses = [], ports = [] }] of subsets.entries()) {
    const listed = addresses.map(({ ip }) => ip);
    yield* combine(
      usable(listed, (i) => `subsets[${n}].addresses[${i}].ip`),
      ports,
    );
  }
}
