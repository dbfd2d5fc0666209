import type { ResultDocument } from "../document.js";
import {
  byPrecedence,
  type Name,
  type SourceBackend,
  type SourcePart,
  type SourceRoute,
  type SourceSite,
} from "../model.js";
import type { SourceObject } from "../source.js";
import { compact, firstPart, Names, shownPart, slugOf, WriterRemarks } from "./common.js";
import { ruleOf, toHttpsRule } from "./gateway-rule.js";
import { takenOf, type WriterInput } from "./httpproxy.js";

type Fields = Readonly<Record<string, unknown>>;

const group = "gateway.networking.k8s.io";
/** The limits of the CustomResourceDefinitions. */
const most = { listeners: 64, rules: 16, hostnames: 16, parents: 32 };

const allRoutes = { namespaces: { from: "All" } } as const;

/** Writes one Gateway, and its HTTPRoutes, TLSRoutes, TCPRoutes and ReferenceGrants. */
export function writeGateway(input: WriterInput): { documents: ResultDocument[]; remarks: WriterRemarks } {
  const remarks = new WriterRemarks();
  const writer = new GatewayWriter(input, remarks);
  return { documents: writer.write(), remarks };
}

interface Grant {
  readonly from: { readonly kind: string; readonly namespace: string };
  readonly to: { readonly kind: string } & Name;
  readonly part: SourcePart;
}

class GatewayWriter {
  readonly #names: Names;
  readonly #sections = new Names();
  readonly #listeners: { readonly fields: Fields; readonly part: SourcePart }[] = [];
  readonly #grants: Grant[] = [];
  readonly #policies = new Map<string, { readonly backend: SourceBackend; readonly part: SourcePart }>();
  readonly #secure = new Map<string, { readonly site: SourceSite; readonly section: string }>();

  constructor(
    private readonly input: WriterInput,
    private readonly remarks: WriterRemarks,
  ) {
    this.#names = new Names(takenOf(input, "HTTPRoute"));
  }

  write(): ResultDocument[] {
    const { routes, sites, tcpPorts } = this.input;
    const [plain] = routes.filter(({ http }) => http !== "none");
    if (plain)
      this.#listeners.push({
        fields: {
          name: this.#sections.take("", "http"),
          protocol: "HTTP",
          port: 80,
          allowedRoutes: allRoutes,
        },
        part: firstPart(plain),
      });
    const tcp = sites.flatMap((site) => this.#listenerOf(site));
    for (const { part, port, backends } of tcpPorts) {
      const section = this.#sections.take("", `tcp-${port}`);
      this.#listeners.push({
        fields: { name: section, protocol: "TCP", port, allowedRoutes: allRoutes },
        part,
      });
      tcp.push(this.#plainRoute("TCPRoute", section, part, backends));
    }
    const http = this.#httpRoutes();
    const source = this.#listeners[0]?.part.object;
    if (!source) return [];
    return [...this.#gateway(source), ...http, ...tcp, ...this.#tlsPolicies(), ...this.#referenceGrants()];
  }

  #listenerOf(site: SourceSite): ResultDocument[] {
    const { tls, host, part, tcp } = site;
    const hostname = host === "*" ? {} : { hostname: host };
    const section = this.#sections.take("", `${tcp ? "tls" : "https"}-${slugOf(host)}`);
    if (tls.kind === "passthrough") {
      this.#listeners.push({
        fields: {
          name: section,
          protocol: "TLS",
          port: 443,
          ...hostname,
          tls: { mode: "Passthrough" },
          allowedRoutes: allRoutes,
        },
        part,
      });
      return tcp ? [this.#plainRoute("TLSRoute", section, part, tcp, host)] : [];
    }
    this.#listeners.push({
      fields: {
        name: section,
        protocol: tcp ? "TLS" : "HTTPS",
        port: 443,
        ...hostname,
        tls: compact({ mode: tcp ? "Terminate" : undefined, certificateRefs: [tls.secret] }),
        allowedRoutes: allRoutes,
      },
      part,
    });
    this.#grant(
      { kind: "Gateway", namespace: this.input.options.gateway.namespace },
      { kind: "Secret", ...tls.secret },
      part,
    );
    if (tls.minimum ?? tls.maximum)
      this.remarks.part(
        "warning",
        part,
        [host],
        "the Gateway API has no TLS versions: those of the settings hold",
        "set tls.minimumProtocolVersion",
      );
    if (!tcp) {
      this.#secure.set(host, { site, section });
      return [];
    }
    if (!tls.client) return [this.#plainRoute("TLSRoute", section, part, tcp, host)];
    this.remarks.part(
      "error",
      part,
      [host],
      "the Gateway API has no client certificates here: its connections are refused",
    );
    return [];
  }

  #gateway(source: SourceObject): ResultDocument[] {
    const { namespace, name } = this.input.options.gateway;
    if (this.#listeners.length > most.listeners)
      this.remarks.part(
        "error",
        { object: source, path: "" },
        [],
        `the Gateway has ${this.#listeners.length} listeners, and an API server takes ${most.listeners}`,
        "let hosts share a certificate for a wildcard, or convert with --to httpproxy",
      );
    return [
      {
        object: {
          apiVersion: `${group}/v1`,
          kind: "GatewayClass",
          metadata: { name: "isoline" },
          spec: { controllerName: "isoline.dev/gateway" },
        },
        comments: [],
        source,
      },
      {
        object: {
          apiVersion: `${group}/v1`,
          kind: "Gateway",
          metadata: { name, namespace },
          spec: { gatewayClassName: "isoline", listeners: this.#listeners.map(({ fields }) => fields) },
        },
        comments: [],
        members: { list: "listeners", comments: this.#listeners.map(({ part }) => shownPart(part)) },
        source,
      },
    ];
  }

  /**
   * Groups routes by object, hosts and listeners. Each group becomes an HTTPRoute; redirects to HTTPS form their own
   * group.
   */
  #httpRoutes(): ResultDocument[] {
    const groups = new Map<
      string,
      { routes: SourceRoute[]; redirect: boolean; hosts: readonly string[]; sections: string[] }
    >();
    const add = (
      route: SourceRoute,
      redirect: boolean,
      hosts: readonly string[],
      sections: string[],
    ): void => {
      const { object } = firstPart(route);
      const key = JSON.stringify([object.group, object.ref, hosts, sections, redirect]);
      const own = groups.get(key);
      if (own) own.routes.push(route);
      else groups.set(key, { routes: [route], redirect, hosts, sections });
    };
    for (const route of this.input.routes)
      for (let i = 0; i < route.hosts.length; i += most.hostnames) {
        const hosts = route.hosts.slice(i, i + most.hostnames);
        const secure = hosts.flatMap((host) => (route.https ? (this.#secure.get(host)?.section ?? []) : []));
        const sections = [...(route.http === "serve" ? ["http"] : []), ...secure];
        if (sections.length > 0) add(route, false, hosts, sections);
        if (typeof route.http === "number") add(route, true, hosts, ["http"]);
        if (sections.length === 0 && route.http === "none")
          this.remarks.route(
            "error",
            route,
            "is there over HTTPS alone, and its host has no certificate; it is left out",
          );
      }
    return [...groups.values()].flatMap((one) => this.#httpRoute(one));
  }

  #httpRoute({
    routes,
    redirect,
    hosts,
    sections,
  }: {
    readonly routes: readonly SourceRoute[];
    readonly redirect: boolean;
    readonly hosts: readonly string[];
    readonly sections: readonly string[];
  }): ResultDocument[] {
    const [first] = routes;
    if (!first) return [];
    const { object: source } = firstPart(first);
    const { namespace } = source;
    const asksForCertificates = hosts.some((host) => {
      const tls = this.#secure.get(host)?.site.tls;
      return tls?.kind === "terminate" && tls.client !== undefined;
    });
    // The first of equally specific rules wins.
    const rules = [...routes].sort(byPrecedence).map((route) => ({
      fields: redirect
        ? toHttpsRule(route, route.http as number)
        : ruleOf(route, { asksForCertificates }, this.remarks),
      part: firstPart(route),
    }));
    if (!redirect) for (const route of routes) this.#followBackends(route, namespace);
    const documents: ResultDocument[] = [];
    for (let i = 0; i < rules.length; i += most.rules) {
      const own = rules.slice(i, i + most.rules);
      const suffix = redirect ? "-to-https" : "";
      const [host = "*"] = hosts;
      documents.push({
        object: {
          apiVersion: `${group}/v1`,
          kind: "HTTPRoute",
          metadata: {
            name: this.#names.take(
              namespace,
              `${source.name}${suffix}`,
              `${source.name}-${slugOf(host)}${suffix}`,
            ),
            namespace,
          },
          spec: compact({
            parentRefs: sections
              .slice(0, most.parents)
              .map((sectionName) => ({ ...this.input.options.gateway, sectionName })),
            hostnames: hosts.includes("*") ? [] : hosts,
            rules: own.map(({ fields }) => fields),
          }),
        },
        comments: [`from ${source.ref}${source.place === "" ? "" : ` (${source.place})`}`],
        members: { list: "rules", comments: own.map(({ part }) => shownPart(part)) },
        source,
      });
    }
    return documents;
  }

  /** Adds the ReferenceGrants and policies that the backends of a route need. */
  #followBackends(route: SourceRoute, namespace: string): void {
    const part = firstPart(route);
    const backends = route.action.kind === "forward" ? route.action.backends : [];
    for (const backend of [...backends, ...route.filters.mirrors.map(({ backend: mirror }) => mirror)]) {
      this.#grant(
        { kind: "HTTPRoute", namespace },
        { kind: "Service", namespace: backend.namespace, name: backend.name },
        part,
      );
      if (backend.validation) this.#policies.set(`${backend.namespace}/${backend.name}`, { backend, part });
    }
  }

  #plainRoute(
    kind: "TLSRoute" | "TCPRoute",
    section: string,
    part: SourcePart,
    backends: readonly SourceBackend[],
    host?: string,
  ): ResultDocument {
    const { object: source } = part;
    for (const { namespace, name } of backends)
      this.#grant({ kind, namespace: source.namespace }, { kind: "Service", namespace, name }, part);
    return {
      object: {
        apiVersion: `${group}/v1alpha2`,
        kind,
        metadata: {
          name: this.#names.take(`${kind}/${source.namespace}`, source.name, `${source.name}-${section}`),
          namespace: source.namespace,
        },
        spec: compact({
          parentRefs: [{ ...this.input.options.gateway, sectionName: section }],
          hostnames: host === undefined || host === "*" ? [] : [host],
          rules: [
            {
              backendRefs: backends.map(({ name, namespace, port, weight }) =>
                compact({ name, namespace, port, weight }),
              ),
            },
          ],
        }),
      },
      comments: [`from ${shownPart(part)}`],
      source,
    };
  }

  #grant(from: Grant["from"], to: Grant["to"], part: SourcePart): void {
    if (from.namespace !== to.namespace) this.#grants.push({ from, to, part });
  }

  #referenceGrants(): ResultDocument[] {
    const groups = new Map<string, Grant[]>();
    for (const grant of this.#grants) {
      const key = JSON.stringify([grant.to.namespace, grant.from]);
      groups.set(key, [...(groups.get(key) ?? []), grant]);
    }
    return [...groups.values()].flatMap((own): ResultDocument[] => {
      const [first] = own;
      if (!first) return [];
      const { from, to, part } = first;
      const targets = new Map(own.map((one) => [`${one.to.kind}/${one.to.name}`, one.to]));
      return [
        {
          object: {
            apiVersion: `${group}/v1beta1`,
            kind: "ReferenceGrant",
            metadata: {
              name: this.#names.take(`ReferenceGrant/${to.namespace}`, `${from.kind}-${from.namespace}`),
              namespace: to.namespace,
            },
            spec: {
              from: [{ group, kind: from.kind, namespace: from.namespace }],
              to: [...targets.values()].map(({ kind, name }) => ({ group: "", kind, name })),
            },
          },
          comments: [`from ${shownPart(part)}`],
          source: part.object,
        },
      ];
    });
  }

  #tlsPolicies(): ResultDocument[] {
    return [...this.#policies.values()].flatMap(({ backend, part }): ResultDocument[] => {
      const { namespace, name, validation } = backend;
      if (!validation) return [];
      return [
        {
          object: {
            apiVersion: `${group}/v1`,
            kind: "BackendTLSPolicy",
            metadata: { name: this.#names.take(`BackendTLSPolicy/${namespace}`, name), namespace },
            spec: {
              targetRefs: [{ group: "", kind: "Service", name }],
              validation: {
                caCertificateRefs: [{ group: "", kind: "Secret", name: validation.caSecret }],
                hostname: validation.subjectName,
              },
            },
          },
          comments: [`from ${shownPart(part)}`],
          source: part.object,
        },
      ];
    });
  }
}
