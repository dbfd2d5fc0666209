import { type Conversion, partOf } from "../../conversion.js";
import type { AccessRule, SourceAuthorization, SourceBackend, SourcePart, SourceRoute } from "../../model.js";
import { collectionsOf, type Peer } from "../../peer.js";
import type { SourceObject } from "../../source.js";
import type { KindTable } from "../../table.js";
import { type EmissaryHost, group, hostsOf, readHosts } from "./hosts.js";
import { mappingFilters, mappingMatch, redirectOf, serviceOf } from "./mapping.js";
import {
  authTable,
  contextTable,
  filterTable,
  hostTable,
  listenerTable,
  mappingTable,
  moduleTable,
  serviceTable,
  tcpTable,
} from "./table.js";

const tables: Readonly<Record<string, KindTable>> = {
  Mapping: mappingTable,
  Host: hostTable,
  TLSContext: contextTable,
  AuthService: authTable,
  Module: moduleTable,
  Filter: filterTable,
  FilterPolicy: filterTable,
  RateLimit: serviceTable,
  RateLimitService: serviceTable,
  TracingService: serviceTable,
  LogService: serviceTable,
  Listener: listenerTable,
  TCPMapping: tcpTable,
};

/** Ambassador and Emissary. */
export const emissary: Peer = {
  name: "emissary",
  groups: [group],
  kinds: ["KubernetesEndpointResolver", "KubernetesServiceResolver", "ConsulResolver", "DevPortal"].map(
    (kind) => `${kind}.${group}`,
  ),
  collections: collectionsOf(group, ["v3alpha1", "v2"], Object.keys(tables)),
  takes: (object) => object.group === group && Object.hasOwn(tables, object.kind),
  read(objects, conversion) {
    for (const object of objects) {
      const table = tables[object.kind];
      if (table) conversion.take(object, table);
      if (object.kind === "Listener") readListener(object);
    }
    const hosts = readHosts(objects, conversion);
    const modules = objects.filter(({ kind }) => kind === "Module");
    const timeouts = modules.flatMap(
      ({ root }) => root.at("spec", "config", "cluster_request_timeout_ms").number() ?? [],
    );
    const restricting = objects
      .filter(({ kind }) => kind === "Module" || kind === "Filter" || kind === "FilterPolicy")
      .map((object) => partOf(object));
    const reading: Reading = {
      conversion,
      hosts,
      usualTimeout: timeouts[0] ?? 3000,
      restricting,
      auth: authOf(objects, conversion),
    };
    const mappings = objects.filter(({ kind }) => kind === "Mapping");
    for (const own of groupsOf(mappings, reading)) addGroup(own, reading);
    for (const object of objects) if (object.kind === "TCPMapping") readTcp(object, hosts, conversion);
  },
  beside: [
    {
      kinds: ["AuthService", "FilterPolicy"],
      message:
        "an AuthService, a FilterPolicy or the Module ambassador may restrict access, and none are among the input",
      todo: "give those of the namespace of Emissary, too",
    },
  ],
};

function readListener(object: SourceObject): void {
  for (const name of ["port", "protocol", "protocolStack", "securityModel", "hostBinding"])
    object.root.at("spec", name).use();
}

interface Reading {
  readonly conversion: Conversion;
  readonly hosts: readonly EmissaryHost[];
  readonly usualTimeout: number;
  readonly restricting: readonly SourcePart[];
  readonly auth: Auth | undefined;
}

interface Auth {
  readonly part: SourcePart;
  /** Undefined if the service cannot be used. */
  readonly service: SourceAuthorization | undefined;
}

/** The authorization service, which applies to all Mappings. */
function authOf(objects: readonly SourceObject[], conversion: Conversion): Auth | undefined {
  const [object] = objects.filter(({ kind }) => kind === "AuthService");
  if (!object) return undefined;
  const spec = object.root.at("spec");
  const text = spec.at("auth_service").text() ?? "";
  const found = serviceOf(text, object.namespace);
  const isGrpc = spec.at("proto").text() === "grpc";
  const timeout = spec.at("timeout_ms").number();
  const maxBytes = spec.at("include_body", "max_bytes").number();
  spec.at("include_body", "allow_partial").flag();
  const part = partOf(object);
  const requestHeaders = spec.at("allowed_request_headers").texts();
  const responseHeaders = spec.at("allowed_authorization_headers").texts();
  const pathPrefix = spec.at("path_prefix").text() ?? "";
  const failOpen = spec.at("failure_mode_allow").flag() ?? false;
  if (!found || found.isTls) {
    conversion.remark(
      "error",
      part,
      `the authorization service ${text} is no Service of the cluster without TLS`,
      { closes: true },
    );
    return { part, service: undefined };
  }
  const { namespace, name, port } = found;
  return {
    part,
    service: {
      namespace,
      name,
      port,
      protocol: isGrpc ? "h2c" : "http",
      kind: isGrpc ? "grpc" : "http",
      pathPrefix,
      failOpen,
      requestHeaders: isGrpc ? [] : requestHeaders,
      responseHeaders: isGrpc ? [] : responseHeaders,
      ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
      ...(maxBytes ? { maxBytes } : {}),
    },
  };
}

/** Mappings with the same match and the same hosts. They share the requests. */
interface Group {
  readonly mappings: SourceObject[];
  readonly hosts: readonly { readonly host: string; readonly of: EmissaryHost | undefined }[];
  readonly match: ReturnType<typeof mappingMatch>;
}

function groupsOf(mappings: readonly SourceObject[], { hosts, conversion }: Reading): Group[] {
  const groups = new Map<string, Group>();
  for (const object of mappings) {
    const spec = object.root.at("spec");
    const match = mappingMatch(spec);
    const own = hostsOf(object, hosts, conversion);
    spec.at("precedence").number();
    if (own.length === 0) {
      spec.use();
      continue;
    }
    const key = JSON.stringify([
      own.map(({ host }) => host),
      match.match,
      spec.at("precedence").number() ?? 0,
    ]);
    const group = groups.get(key);
    if (group) group.mappings.push(object);
    else groups.set(key, { mappings: [object], hosts: own, match });
  }
  return [...groups.values()];
}

function addGroup({ mappings, hosts, match: { match, prefix, problem } }: Group, reading: Reading): void {
  const { conversion, restricting, usualTimeout } = reading;
  const shadows = mappings.filter(({ root }) => root.at("spec", "shadow").flag());
  const serving = mappings.filter((object) => !shadows.includes(object));
  const [first = mappings[0]] = serving;
  if (!first) return;
  const names = hosts.map(({ host }) => host);
  const spec = first.root.at("spec");
  const part = partOf(first);
  let closed = problem !== undefined;
  if (problem !== undefined)
    conversion.remark("error", part, `${problem}; answered 503`, { hosts: names, closes: true });
  const redirect = redirectOf(spec, match);
  const all = serving.map((object) => mappingFilters(object, usualTimeout, names, conversion));
  const [filters] = all;
  if (!filters) return;
  if (all.some((one) => JSON.stringify(one) !== JSON.stringify(filters)))
    conversion.remark(
      "error",
      part,
      "Mappings of one match differ in more than their Services: those of the first hold for all",
      { hosts: names },
    );
  const backends = redirect ? [] : backendsOf(serving, names, conversion);
  closed ||= !redirect && backends.length < serving.length;
  const mirrors = backendsOf(shadows, names, conversion).map((backend) => ({
    backend,
    percent: backend.weight ?? 100,
  }));
  for (const [byHost, own] of byTerms(hosts)) {
    const route: SourceRoute = {
      parts: [
        ...mappings.map((object) => partOf(object)),
        ...restricting,
        ...(byHost?.parts ?? []),
        ...(reading.auth ? [reading.auth.part] : []),
      ],
      hosts: own,
      match,
      action: redirect
        ? { kind: "redirect", redirect }
        : backends.length > 0
          ? { kind: "forward", backends }
          : { kind: "respond", status: 503, body: "" },
      filters: {
        ...filters,
        mirrors: mirrors.map(({ backend: { weight: _, ...backend }, percent }) => ({ backend, percent })),
      },
      access: redirect ? [] : accessOf(first, reading.auth),
      http: byHost?.http ?? "serve",
      https: byHost?.hasTls ?? false,
      precedence: precedenceOf(spec.at("precedence").number() ?? 0, prefix, match),
      ...(closed ||
      byHost?.closed ||
      (reading.auth && !reading.auth.service && !spec.at("bypass_auth").flag())
        ? { closed: true }
        : {}),
    };
    conversion.routes.push(route);
  }
}

/** The order: precedence, then length of the prefix as text, then number of conditions. */
const precedenceOf = (
  precedence: number,
  prefix: string,
  { headers, queries }: SourceRoute["match"],
): number => -(precedence * 1e9 + prefix.length * 1e4 + headers.length * 100 + queries.length);

function byTerms(hosts: Group["hosts"]): Map<EmissaryHost | undefined, string[]> {
  const groups = new Map<EmissaryHost | undefined, string[]>();
  for (const { host, of } of hosts) groups.set(of, [...(groups.get(of) ?? []), host]);
  return groups;
}

function accessOf({ root }: SourceObject, auth: Auth | undefined): AccessRule[] {
  const isOff = root.at("spec", "bypass_auth").flag() ?? false;
  if (!auth?.service) return [];
  return [
    isOff
      ? { part: auth.part, kind: "external-off" }
      : { part: auth.part, kind: "external", service: auth.service },
  ];
}

/** Weights are percentages. Mappings without a weight share the rest of 100. */
function backendsOf(
  mappings: readonly SourceObject[],
  hosts: readonly string[],
  conversion: Conversion,
): SourceBackend[] {
  const weights = mappings.map(({ root }) => root.at("spec", "weight").number());
  const given = weights.reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
  const open = weights.filter((weight) => weight === undefined).length;
  return mappings.flatMap((object, i) => {
    const spec = object.root.at("spec");
    const text = spec.at("service").text() ?? "";
    const found = serviceOf(text, object.namespace);
    const tls = spec.at("tls");
    const isTls = found?.isTls || (tls.seen() && tls.use() !== false);
    const isGrpc = spec.at("grpc").flag() ?? false;
    spec.at("resolver").use();
    if (!found) {
      conversion.remark(
        "error",
        partOf(object, spec.at("service")),
        `${text} is no Service of the cluster; answered 503`,
        {
          hosts,
          closes: true,
          todo: "make an ExternalName Service for it",
        },
      );
      return [];
    }
    if (isTls && typeof tls.use() === "string")
      conversion.remark("warning", partOf(object, tls), "the backend's certificate is not verified", {
        hosts,
        todo: "write services[].validation with the authority of the TLSContext and a name",
      });
    const weight =
      weights[i] ?? (mappings.length > 1 ? Math.max(0, Math.round((100 - given) / open)) : undefined);
    const { namespace, name, port } = found;
    const protocol = isGrpc ? (isTls ? "h2" : "h2c") : isTls ? "tls" : undefined;
    return [
      {
        namespace,
        name,
        port,
        ...(weight === undefined ? {} : { weight }),
        ...(protocol ? { protocol } : {}),
      } satisfies SourceBackend,
    ];
  });
}

function readTcp(object: SourceObject, hosts: readonly EmissaryHost[], conversion: Conversion): void {
  const spec = object.root.at("spec");
  const part = partOf(object);
  const port = spec.at("port").number() ?? 0;
  const host = spec.at("host").text()?.toLowerCase();
  const found = serviceOf(spec.at("service").text() ?? "", object.namespace);
  spec.at("weight").number();
  if (!found) {
    conversion.remark("error", part, "its service is no Service of the cluster; left out");
    return;
  }
  const { namespace, name, port: to } = found;
  const tcp = [{ namespace, name, port: to }];
  if (host === undefined || host === "*") conversion.tcpPorts.push({ part, port, backends: tcp });
  else {
    const site = conversion.sites.find((one) => one.host === host);
    const of = hosts.find(({ hostname }) => hostname === host);
    if (site && of?.hasTls) conversion.sites[conversion.sites.indexOf(site)] = { ...site, tcp };
    else conversion.sites.push({ part, host, tls: { kind: "passthrough" }, tcp });
  }
}
