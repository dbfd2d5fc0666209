import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { SourceBackend, SourcePart } from "../../model.js";
import { collectionsOf, type Peer } from "../../peer.js";
import type { SourceObject } from "../../source.js";
import { destinationOf, networking } from "./destinations.js";
import { addSites, hostsAt, reachedBy, type Server, serversOf } from "./hosts.js";
import { httpRoutes } from "./routes.js";
import { gatewayTable, policyTable, virtualServiceTable } from "./table.js";

const policies = ["AuthorizationPolicy", "RequestAuthentication", "EnvoyFilter", "WasmPlugin"];
const kinds = ["Gateway", "VirtualService", ...policies, "PeerAuthentication"];
const groups = [networking, "security.istio.io", "extensions.istio.io"];

/** Istio's Gateways and VirtualServices, for traffic that comes from outside the mesh. */
export const istio: Peer = {
  name: "istio",
  groups: ["istio.io"],
  kinds: [`DestinationRule.${networking}`, `ServiceEntry.${networking}`, `Sidecar.${networking}`],
  collections: [
    ...collectionsOf(
      networking,
      ["v1", "v1beta1", "v1alpha3"],
      ["Gateway", "VirtualService", "DestinationRule"],
    ),
    ...collectionsOf(networking, ["v1alpha3"], ["EnvoyFilter"]),
    ...collectionsOf(
      "security.istio.io",
      ["v1", "v1beta1"],
      ["AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"],
    ),
    ...collectionsOf("extensions.istio.io", ["v1alpha1"], ["WasmPlugin"]),
  ],
  takes: ({ group, kind }) => groups.includes(group) && kinds.includes(kind),
  read(objects, conversion) {
    const gateways = objects.filter(({ kind }) => kind === "Gateway");
    for (const gateway of gateways) conversion.take(gateway, gatewayTable);
    const servers = new Map(gateways.map((gateway) => [gateway, serversOf(gateway, conversion)]));
    const restricting = policiesOf(objects, gateways, conversion);
    const ended = new Map<Server, Set<string>>();
    const reading: Reading = { conversion, servers, restricting, ended };
    const services = objects.filter(({ kind }) => kind === "VirtualService");
    for (const service of services) conversion.take(service, virtualServiceTable);
    for (const service of services) readVirtualService(service, reading);
    for (const service of services) unusedDelegate(service, conversion);
    for (const own of servers.values())
      for (const server of own) {
        const hosts = ended.get(server);
        if (hosts) addSites(server, [...hosts], conversion);
        else unusedServer(server, conversion);
      }
  },
  beside: [
    {
      kinds: ["AuthorizationPolicy"],
      message:
        "AuthorizationPolicies, RequestAuthentications, EnvoyFilters and WasmPlugins on the gateway may restrict access, and none are among the input",
      todo: "give those of the namespace of the gateway, too",
    },
  ],
};

interface Reading {
  readonly conversion: Conversion;
  readonly servers: ReadonlyMap<SourceObject, readonly Server[]>;
  readonly restricting: readonly SourcePart[];
  /** The hosts of each server that terminates TLS. */
  readonly ended: Map<Server, Set<string>>;
}

const systemNamespace = "istio-system";

/** The policies that restrict requests at the gateway: in its namespace or Istio's, or with a selector for its pods. */
function policiesOf(
  objects: readonly SourceObject[],
  gateways: readonly SourceObject[],
  conversion: Conversion,
): SourcePart[] {
  const selectors = gateways.map(({ root }) => root.at("spec", "selector").record());
  return objects.flatMap((object) => {
    const { root, namespace, kind } = object;
    if (kind === "PeerAuthentication") {
      peerAuthentication(object, conversion);
      return [];
    }
    if (!policies.includes(kind)) return [];
    const labels = [
      ...root.at("spec", "selector", "matchLabels").record(),
      ...root.at("spec", "workloadSelector", "labels").record(),
    ];
    const isOfGateway =
      namespace === systemNamespace ||
      gateways.some((gateway) => gateway.namespace === namespace) ||
      root.at("spec", "targetRefs").given ||
      selectors.some((selector) =>
        labels.some(([name, value]) => selector.some(([own, of]) => own === name && of === value)),
      );
    if (isOfGateway) {
      conversion.take(object, policyTable);
      return [partOf(object)];
    }
    conversion.take(object, { fields: { spec: { verdict: "ignored" } } });
    conversion.remark(
      "info",
      partOf(object),
      "is not of the gateway: the workload of it sees no identity of the mesh in requests that come through Isoline",
    );
    return [];
  });
}

function peerAuthentication(object: SourceObject, conversion: Conversion): void {
  conversion.take(object, { fields: { spec: { verdict: "ignored" } } });
  if (object.root.at("spec", "mtls", "mode").text() === "STRICT")
    conversion.remark(
      "error",
      partOf(object),
      "workloads that it is for refuse plain connections, and Envoy of Isoline is outside of the mesh",
      {
        todo: "let the ports that Envoy connects to be PERMISSIVE",
      },
    );
}

function unusedServer({ field, gateway, mode, protocol }: Server, conversion: Conversion): void {
  const name = field.at("tls", "credentialName").text();
  for (const key of ["serverCertificate", "privateKey", "minProtocolVersion", "maxProtocolVersion"])
    field.at("tls", key).use();
  if (protocol === "HTTPS" && mode !== "PASSTHROUGH")
    conversion.remark(
      "info",
      partOf(gateway, field),
      `no VirtualService has a host of it${name ? `: the certificate ${name} is not used` : ""}`,
    );
}

function unusedDelegate(object: SourceObject, conversion: Conversion): void {
  if (object.root.at("spec", "hosts").given || object.log.used.has("spec.http#")) return;
  object.root.at("spec", "http").use();
  conversion.remark("info", partOf(object), "has no hosts, and no VirtualService delegates to it; left out");
}

function readVirtualService(object: SourceObject, reading: Reading): void {
  const { conversion } = reading;
  const spec = object.root.at("spec");
  const own = spec
    .at("hosts")
    .texts()
    .map((host) => host.toLowerCase());
  const names = spec.at("gateways").texts();
  const asked = names.filter((name) => name !== "mesh");
  // A delegate has no hosts of its own.
  if (own.length === 0) return;
  if (asked.length === 0) {
    for (const part of ["http", "tls", "tcp"]) spec.at(part).use();
    conversion.remark("info", partOf(object), "is for the mesh alone: no gateway has it; left out");
    return;
  }
  const found = asked.flatMap((name) => gatewayNamed(name, object, own, reading) ?? []);
  const servers = found.flatMap((gateway) => reading.servers.get(gateway) ?? []);
  const reached = reachedBy(servers, own, object.namespace);
  if (reached.length === 0 && found.length > 0 && spec.at("http").given) {
    spec.at("http").use();
    conversion.remark("warning", partOf(object), "no server of its gateways has one of its hosts; left out", {
      hosts: own,
    });
  }
  for (const server of servers)
    for (const host of hostsAt(server, own, object.namespace))
      if (server.protocol === "HTTPS" && server.mode !== "PASSTHROUGH")
        reading.ended.set(server, (reading.ended.get(server) ?? new Set()).add(host));
  for (const host of reached.flatMap(({ hosts }) => hosts))
    if (host.startsWith("*."))
      conversion.remark(
        "warning",
        partOf(object, spec.at("hosts")),
        `${host} has any number of labels in Istio, and one in HTTPProxy`,
        { hosts: [host] },
      );
  const place = { owner: object, reached, conversion, parts: reading.restricting, parents: [] };
  for (const field of spec.at("http").items()) conversion.routes.push(...httpRoutes(field, place, undefined));
  for (const field of spec.at("tls").items()) readTls(field, object, servers, own, conversion);
  for (const field of spec.at("tcp").items()) readTcp(field, object, servers, conversion);
}

function gatewayNamed(
  name: string,
  object: SourceObject,
  hosts: readonly string[],
  { conversion }: Reading,
): SourceObject | undefined {
  const slash = name.indexOf("/");
  const namespace = slash < 0 ? object.namespace : name.slice(0, slash);
  const found = conversion.find(networking, "Gateway", namespace, name.slice(slash + 1));
  if (found) return found;
  for (const part of ["http", "tls", "tcp"]) object.root.at("spec", part).use();
  const field = object.root.at("spec", "gateways");
  conversion.remark(
    "error",
    partOf(object, field),
    `Gateway ${namespace}/${name.slice(slash + 1)} is not among the input: how its hosts are served is not known; left out`,
    {
      hosts,
      todo: "give it, too",
    },
  );
  return undefined;
}

function backendsOf(
  field: Field,
  object: SourceObject,
  hosts: readonly string[],
  conversion: Conversion,
): SourceBackend[] {
  return field
    .at("route")
    .items()
    .flatMap((one) => {
      const found = destinationOf(one.at("destination"), { owner: object, hosts, conversion });
      const weight = one.at("weight").number();
      return found ? [{ ...found.backend, ...(weight === undefined ? {} : { weight }) }] : [];
    });
}

/** The routes for TLS that is passed through, by server name. */
function readTls(
  field: Field,
  object: SourceObject,
  servers: readonly Server[],
  own: readonly string[],
  conversion: Conversion,
): void {
  const part = partOf(object, field);
  field.use();
  const names = field
    .at("match")
    .items()
    .flatMap((match) =>
      match
        .at("sniHosts")
        .texts()
        .map((host) => host.toLowerCase()),
    );
  const passing = servers.filter(
    ({ protocol, mode }) => (protocol === "TLS" || protocol === "HTTPS") && mode === "PASSTHROUGH",
  );
  const hosts = new Set(
    passing.flatMap((server) => hostsAt(server, names.length > 0 ? names : own, object.namespace)),
  );
  const tcp = backendsOf(field, object, [...hosts], conversion);
  if (hosts.size === 0 || tcp.length === 0)
    conversion.remark("error", part, "no server of its gateways passes TLS of its hosts through; left out", {
      hosts: names,
    });
  else for (const host of hosts) conversion.sites.push({ part, host, tls: { kind: "passthrough" }, tcp });
}

function readTcp(
  field: Field,
  object: SourceObject,
  servers: readonly Server[],
  conversion: Conversion,
): void {
  const part = partOf(object, field);
  field.use();
  const asked = field
    .at("match")
    .items()
    .flatMap((match) => match.at("port").number() ?? []);
  const isNarrow = field
    .at("match")
    .items()
    .some((match) => match.entries().some(([name]) => name !== "port" && name !== "gateways"));
  const ports = servers.filter(
    ({ protocol, port }) => protocol === "TCP" && (asked.length === 0 || asked.includes(port)),
  );
  const backends = backendsOf(field, object, [], conversion);
  if (isNarrow || ports.length === 0 || backends.length === 0)
    conversion.remark(
      "error",
      part,
      "connections that are chosen by more than their port, or have no server, can't be said; left out",
    );
  else for (const { port } of ports) conversion.tcpPorts.push({ part, port, backends });
}
