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
  /** The port for health checks, if it is not `port`. */
  readonly healthPort?: number;
}

/** Endpoints of one Kubernetes cluster, if several are followed. */
export interface EndpointGroup {
  readonly cluster?: string;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoints {
  /** Each has endpoints. */
  readonly groups: readonly EndpointGroup[];
  readonly mode?: EndpointMode;
}

/**
 * The endpoints of a Service port: ready addresses of its EndpointSlices and Endpoints, matched by port name, sorted
 * and without duplicates; in mode `service` the cluster IP or DNS name of the Service. With several Kubernetes
 * clusters each has its own group, in the order of the setting `clusters`.
 */
export function buildEndpoints(
  { namespace, service: name, port: portName, healthPort: healthName }: EndpointsName,
  reader: Reader,
  report: Report,
  transport: PortProtocol = "TCP",
): Endpoints {
  const service = reader.get("Service", namespace, name);
  const portOf = (key: string | undefined): ServicePort | undefined =>
    service && servedPorts(service, transport).find((p) => portKey(p) === key);
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
        const message = `port ${portName} of Service ${namespace}/${name} has more than ${maxEndpoints} endpoints; the others are left out`;
        report.error(ref, "EndpointError", "TooManyEndpoints", message);
        break;
      }
      found.push([cluster, endpoint]);
    }
  }
  return { groups: grouped(reader, found), ...(mode ? { mode } : {}) };
}

/**
 * The maximum for one port of a Service. A slice may have thousands of ports and thousands of addresses, and a port
 * without a name selects all of them: a small object would make millions of endpoints.
 */
const maxEndpoints = 20_000;

/** Returns the permitted addresses among those of one object; `pathOf` gives their field paths. */
type Usable = (addresses: readonly string[], pathOf: (i: number) => string) => readonly Reachable[];

/** Reports forbidden addresses with one finding for each list, because a tenant can write thousands. */
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
      const message = `${first.text}; it is left out${others > 0 ? `, and ${others} more in the list` : ""}`;
      report.warn(about, "EndpointError", "AddressNotAllowed", message, pathOf(first.i));
    }
    return usable;
  };

/** The address of a Service itself, in each Kubernetes cluster that has it. */
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

/** Groups endpoints by Kubernetes cluster. An endpoint of two clusters belongs to the first. */
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

/** The endpoints of one slice (or subset) for the ports with these names; without names, for all its ports. */
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
