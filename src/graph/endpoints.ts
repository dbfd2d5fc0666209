import type { Ref } from "../schema/meta.js";
import type { EndpointMode } from "../store/store.js";
import { isRoutable } from "./address.js";
import { endpointMode, type ServicePort } from "./backend.js";
import type { Reader, Report } from "./reader.js";

export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Where health checks go, when it is not `port`. */
  readonly healthPort?: number;
}

export interface Endpoints {
  readonly endpoints: readonly Endpoint[];
  readonly mode?: EndpointMode;
}

/**
 * Where a Service's port is served (`<namespace>/<service>/<port>[/<health port>]`, ports by name or, without one, by
 * number): ready addresses of its EndpointSlices and Endpoints, matched by port name, sorted
 * and without duplicates; in mode `service` the Service's own cluster IP or DNS name.
 */
export function buildEndpoints(key: string, reader: Reader, report: Report): Endpoints {
  const [namespace = "", name = "", portKey = "", healthKey] = key.split("/");
  const service = reader.get("Service", namespace, name);
  const portOf = (wanted: string | undefined): ServicePort | undefined =>
    service?.spec.ports?.find((p) => (p.name || String(p.port)) === wanted);
  const port = portOf(portKey);
  const health = portOf(healthKey);
  if (!service || !port) return { endpoints: [] };
  const mode = endpointMode(reader, service);
  if (mode === "service") {
    const ip = service.spec.clusterIP;
    const address = ip && isRoutable(ip) ? ip : `${name}.${namespace}.svc`;
    return {
      endpoints: [{ address, port: port.port, ...(health ? { healthPort: health.port } : {}) }],
      mode,
    };
  }
  const found: Endpoint[] = [];
  for (const ref of reader.claimants(`slices:${namespace}/${name}`)) {
    for (const endpoint of readyOf(reader, ref, namespace, port.name, health?.name)) {
      if (isRoutable(endpoint.address)) found.push(endpoint);
      else {
        const message = `address ${JSON.stringify(endpoint.address)} is not one that traffic may be sent to; it is left out`;
        report.warn(ref, "EndpointError", "AddressNotAllowed", message);
      }
    }
  }
  return { endpoints: sortedOnce(found), ...(mode ? { mode } : {}) };
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
function readyOf(
  reader: Reader,
  ref: Ref,
  namespace: string,
  portName: string | undefined,
  healthName: string | undefined,
): Endpoint[] {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  const combine = (addresses: readonly string[], all: readonly NamedPort[]): Endpoint[] => {
    const tcp = all.filter((p) => !p.protocol || p.protocol === "TCP");
    const healthPort = healthName ? tcp.find((p) => p.name === healthName)?.port : undefined;
    return tcp
      .filter((p) => !portName || (p.name ?? "") === portName)
      .flatMap(({ port }) =>
        port ? addresses.map((address) => ({ address, port, ...(healthPort ? { healthPort } : {}) })) : [],
      );
  };
  if (ref.startsWith("EndpointSlice/")) {
    const slice = reader.get("EndpointSlice", namespace, name)?.spec;
    if (!slice || slice.addressType === "FQDN") return [];
    return combine(
      slice.endpoints.flatMap((e) => (e.ready ? e.addresses.slice(0, 1) : [])),
      slice.ports,
    );
  }
  const subsets = reader.get("Endpoints", namespace, name)?.spec.subsets ?? [];
  return subsets.flatMap(({ addresses = [], ports = [] }) =>
    combine(
      addresses.map(({ ip }) => ip),
      ports,
    ),
  );
}
