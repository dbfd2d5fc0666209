import type { MigrateOptions } from "../conversion.js";
import type { ResultDocument } from "../document.js";
import type { AccessRule, Cors, Name, SourcePart, SourceRoute, SourceSite, TcpPort } from "../model.js";
import type { SourceObject } from "../source.js";
import { compact, firstPart, Names, shownPart, slugOf, WriterRemarks } from "./common.js";
import { delegations } from "./delegations.js";
import { httpProxyRoutes } from "./httpproxy-route.js";

type Fields = Readonly<Record<string, unknown>>;

export interface WriterInput {
  readonly routes: readonly SourceRoute[];
  readonly sites: readonly SourceSite[];
  readonly tcpPorts: readonly TcpPort[];
  readonly options: MigrateOptions;
  /** `KIND/NAMESPACE/NAME` of kept objects. */
  readonly taken: readonly string[];
}

/** The input for the HTTPProxies of one host. */
interface Host {
  readonly host: string;
  readonly site: SourceSite | undefined;
  readonly routes: readonly SourceRoute[];
  readonly source: SourceObject;
}

/**
 * Writes HTTPProxies: one root for each host. The root includes one HTTPProxy for each further namespace with Services
 * of the host.
 */
export function writeHttpProxies(input: WriterInput): {
  documents: ResultDocument[];
  remarks: WriterRemarks;
} {
  const remarks = new WriterRemarks();
  const names = new Names(takenOf(input, "HTTPProxy"));
  for (const { part, port } of input.tcpPorts)
    remarks.part(
      "error",
      part,
      [],
      `HTTPProxy has no TCP without TLS: port ${port} is left out`,
      "convert it with --to gateway",
    );
  const secrets: { readonly secret: Name; readonly to: string; readonly part: SourcePart }[] = [];
  const documents = hostsOf(input, remarks).flatMap((host) => {
    const written = writeHost(host, input.options, names, remarks);
    secrets.push(...written.secrets);
    return written.documents;
  });
  return { documents: [...documents, ...delegations(secrets, names)], remarks };
}

/** The names of kept objects of one kind, in the form that `Names` requires. */
export const takenOf = ({ taken }: WriterInput, kind: string): string[] =>
  taken.filter((name) => name.startsWith(`${kind}/`)).map((name) => name.slice(kind.length + 1));

function hostsOf({ routes, sites }: WriterInput, remarks: WriterRemarks): Host[] {
  const byHost = new Map<string, SourceRoute[]>();
  for (const route of routes)
    for (const host of route.hosts) {
      const own = byHost.get(host);
      if (own) own.push(route);
      else byHost.set(host, [route]);
    }
  const siteOf = new Map(sites.map((site) => [site.host, site]));
  for (const { host, part } of sites) {
    if (!byHost.has(host)) byHost.set(host, []);
    if (host === "*") remarks.part("error", part, [host], anyHost);
  }
  const hosts: Host[] = [];
  for (const [host, own] of byHost) {
    const site = siteOf.get(host);
    const [first] = own;
    const source = first ? firstPart(first).object : site?.part.object;
    if (host === "*")
      for (const route of own)
        remarks.route("error", route, anyHost, { todo: "name its hosts, or convert it with --to gateway" });
    else if (source) hosts.push({ host, site, routes: own, source });
  }
  return hosts;
}

const anyHost = "HTTPProxy needs a host: what is for any host is left out";

/** The namespaces of the Services that a route forwards to; empty if it does not forward. */
function homeOf({ action }: SourceRoute): readonly string[] {
  if (action.kind !== "forward") return [];
  return [...new Set(action.backends.map(({ namespace }) => namespace))];
}

function writeHost(
  { host, site, routes, source }: Host,
  options: MigrateOptions,
  names: Names,
  remarks: WriterRemarks,
): { documents: ResultDocument[]; secrets: { secret: Name; to: string; part: SourcePart }[] } {
  const tcpHome = site?.tcp?.[0]?.namespace;
  const homes = routes.flatMap(homeOf);
  const root =
    tcpHome ?? (homes.includes(source.namespace) ? source.namespace : (homes[0] ?? source.namespace));
  const groups = new Map<string, SourceRoute[]>([[root, []]]);
  for (const route of routes) {
    const own = homeOf(route);
    const home = own.length === 1 ? (own[0] ?? root) : root;
    const safe = own.length > 1 ? closedFor(route, own, remarks) : withMirrorsOf(home, route, remarks);
    groups.set(home, [...(groups.get(home) ?? []), safe]);
  }
  const terms = hostTerms(routes, site);
  const secrets: { secret: Name; to: string; part: SourcePart }[] = [];
  const nameSecret = ({ namespace, name }: Name, part: SourcePart): string => {
    if (namespace === root) return name;
    secrets.push({ secret: { namespace, name }, to: root, part });
    return `${namespace}/${name}`;
  };
  const namespaces = [...groups.keys()];
  const own = namespaces.map((namespace) => ({
    namespace,
    routes: groups.get(namespace) ?? [],
    name: proxyName(namespace, groups.get(namespace) ?? [], { host, source, names }),
  }));
  const documents = own.map(({ namespace, name, routes: members }, i): ResultDocument => {
    const next = own[i + 1];
    const virtualhost =
      i === 0
        ? compact({
            fqdn: host,
            tls: site && tlsFields(site, nameSecret),
            authorization: terms.authorization?.(name),
            corsPolicy: corsOf(routes, remarks),
          })
        : undefined;
    const written = members.flatMap((route) =>
      httpProxyRoutes(route, terms, remarks).map((fields) => ({ fields, part: firstPart(route) })),
    );
    return {
      object: {
        apiVersion: "projectcontour.io/v1",
        kind: "HTTPProxy",
        metadata: { name, namespace },
        spec: compact({
          ingressClassName: options.ingressClass,
          virtualhost,
          tcpproxy: i === 0 && site?.tcp ? { services: site.tcp.map(tcpService) } : undefined,
          includes: next ? [{ name: next.name, namespace: next.namespace }] : undefined,
          routes: written.map(({ fields }) => fields),
        }),
      },
      comments: commentsOf(members, site),
      members: { list: "routes", comments: written.map(({ part }) => shownPart(part)) },
      source,
    };
  });
  const authService = terms.service ? extensionService(terms.service, source, names) : [];
  return { documents: [...documents.filter(hasContent), ...authService], secrets };
}

const hasContent = ({ object }: ResultDocument): boolean => {
  const { virtualhost, routes, includes } = object.spec as Fields;
  return Boolean(virtualhost ?? routes ?? includes);
};

const commentsOf = (routes: readonly SourceRoute[], site: SourceSite | undefined): string[] => {
  const refs = [...routes.map((route) => firstPart(route).object), ...(site ? [site.part.object] : [])];
  return [
    ...new Set(refs.map(({ ref, place }) => (place === "" ? `from ${ref}` : `from ${ref} (${place})`))),
  ];
};

function proxyName(
  namespace: string,
  routes: readonly SourceRoute[],
  { host, source, names }: { host: string; source: SourceObject; names: Names },
): string {
  const objects = new Set(routes.map((route) => firstPart(route).object));
  const [first = source] = objects;
  const isAlone = objects.size <= 1 && routes.every(({ hosts }) => hosts.length === 1);
  return names.take(namespace, ...(isAlone ? [first.name] : []), `${first.name}-${slugOf(host)}`);
}

/** Closes a route to Services of several namespaces, because one HTTPProxy cannot refer to all of them. */
function closedFor(route: SourceRoute, namespaces: readonly string[], remarks: WriterRemarks): SourceRoute {
  const message = `HTTPProxy can't send requests of one route to the namespaces ${namespaces.join(", ")}; answered 503`;
  remarks.route("error", route, message, { closes: true, todo: "convert it with --to gateway" });
  return { ...route, action: { kind: "respond", status: 503, body: "" }, access: [] };
}

function withMirrorsOf(home: string, route: SourceRoute, remarks: WriterRemarks): SourceRoute {
  const mirrors = route.filters.mirrors.filter(({ backend }) => backend.namespace === home);
  if (mirrors.length === route.filters.mirrors.length) return route;
  remarks.route("warning", route, "a copy for a Service of another namespace is left out");
  return { ...route, filters: { ...route.filters, mirrors } };
}

interface Terms {
  readonly hasTls: boolean;
  readonly auth?: string;
  readonly service?: Extract<AccessRule, { kind: "external" }>;
  authorization?(name: string): Fields;
}

function hostTerms(routes: readonly SourceRoute[], site: SourceSite | undefined): Terms {
  const hasTls = site?.tls.kind === "terminate" && site.tcp === undefined;
  const service = routes.flatMap(({ access }) => access).find((rule) => rule.kind === "external");
  if (!service || !hasTls) return { hasTls };
  const { kind, pathPrefix, timeout, failOpen, requestHeaders, responseHeaders, maxBytes, namespace, name } =
    service.service;
  const named = (list: readonly string[]): Fields[] => list.map((one) => ({ exact: one, ignoreCase: true }));
  return {
    hasTls,
    auth: JSON.stringify(service.service),
    service,
    authorization: () =>
      compact({
        extensionRef: { namespace, name },
        serviceType: kind,
        httpSettings:
          kind === "http"
            ? compact({
                pathPrefix: pathPrefix || undefined,
                allowedAuthorizationHeaders: named(requestHeaders),
                allowedUpstreamHeaders: named(responseHeaders),
              })
            : undefined,
        responseTimeout: timeout,
        failOpen: failOpen || undefined,
        withRequestBody: maxBytes ? { maxRequestBytes: maxBytes, allowPartialMessage: true } : undefined,
      }),
  };
}

function extensionService(
  { part, service }: Extract<AccessRule, { kind: "external" }>,
  source: SourceObject,
  names: Names,
): ResultDocument[] {
  const key = `ExtensionService/${service.namespace}`;
  if (names.take(key, service.name) !== service.name) return [];
  return [
    {
      object: {
        apiVersion: "projectcontour.io/v1alpha1",
        kind: "ExtensionService",
        metadata: { name: service.name, namespace: service.namespace },
        spec: compact({
          services: [{ name: service.name, port: service.port }],
          protocol: service.protocol === "http" ? "http/1.1" : service.protocol,
        }),
      },
      comments: [`from ${shownPart(part)}`],
      source,
    },
  ];
}

function tlsFields(site: SourceSite, nameSecret: (secret: Name, part: SourcePart) => string): Fields {
  const { tls, part } = site;
  if (tls.kind === "passthrough") return { passthrough: true };
  const { client } = tls;
  return compact({
    secretName: nameSecret(tls.secret, part),
    minimumProtocolVersion: tls.minimum,
    maximumProtocolVersion: tls.maximum,
    clientValidation:
      client &&
      compact({
        caSecret: client.ca && nameSecret(client.ca, part),
        crlSecret: client.crl && nameSecret(client.crl, part),
        optionalClientCertificate: client.optional || undefined,
        skipClientCertValidation: client.unchecked,
        forwardClientCertificate:
          client.forward && Object.fromEntries(client.forward.map((what) => [what, true])),
      }),
  });
}

const tcpService = ({ name, port, weight }: NonNullable<SourceSite["tcp"]>[number]): Fields =>
  compact({ name, port, weight });

/** The CORS policy of the whole host. All its routes must agree on it. */
function corsOf(routes: readonly SourceRoute[], remarks: WriterRemarks): Fields | undefined {
  const answering = routes.filter(({ action }) => action.kind === "forward");
  const [first] = answering.map(({ filters }) => filters.cors);
  const agree = answering.every(({ filters }) => JSON.stringify(filters.cors) === JSON.stringify(first));
  if (agree) return first && corsFields(first);
  for (const route of answering)
    if (route.filters.cors)
      remarks.route(
        "warning",
        route,
        "CORS is of a whole host in HTTPProxy, and its routes differ; left out",
        {
          todo: "let all routes of the host have one policy, or set the headers in the backend",
        },
      );
  return undefined;
}

const corsFields = ({ allowCredentials, maxAge, ...lists }: Cors): Fields =>
  compact({ ...lists, maxAge, allowCredentials: allowCredentials || undefined });
