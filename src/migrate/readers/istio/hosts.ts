import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { Name, SourcePart, SourceRoute, SourceSite } from "../../model.js";
import type { SourceObject } from "../../source.js";

/** A server of a Gateway. */
export interface Server {
  readonly gateway: SourceObject;
  readonly field: Field;
  readonly protocol: string;
  readonly port: number;
  /** `NAMESPACE/HOST` or `HOST`, in lower case. */
  readonly hosts: readonly string[];
  readonly mode: string;
  readonly redirects: boolean;
}

export const serversOf = (gateway: SourceObject, conversion: Conversion): Server[] =>
  gateway.root
    .at("spec", "servers")
    .items()
    .map((field) => serverOf(gateway, field, conversion));

const usualPorts = [80, 443, 8080, 8443];

function serverOf(gateway: SourceObject, field: Field, conversion: Conversion): Server {
  const port = field.at("port", "number").number() ?? 0;
  const protocol = (field.at("port", "protocol").text() ?? "HTTP").toUpperCase();
  if (protocol !== "TCP" && !usualPorts.includes(port))
    conversion.remark(
      "warning",
      partOf(gateway, field),
      `port ${port} is not kept: HTTP is on 80, and TLS on 443`,
      {
        todo: "let clients use these, or add listeners to a Gateway of the Gateway API",
      },
    );
  return {
    gateway,
    field,
    protocol,
    port,
    hosts: field
      .at("hosts")
      .texts()
      .map((host) => host.toLowerCase()),
    mode: (field.at("tls", "mode").text() ?? "PASSTHROUGH").toUpperCase(),
    redirects: field.at("tls", "httpsRedirect").flag() ?? false,
  };
}

/** The hosts that two host names have in common: the more specific name. */
export function meet(a: string, b: string): string | undefined {
  if (a === b || b === "*") return a;
  if (a === "*") return b;
  if (a.startsWith("*.") && b.endsWith(a.slice(1))) return b;
  return b.startsWith("*.") && a.endsWith(b.slice(1)) ? a : undefined;
}

/** The hosts that a server has in common with a VirtualService of a namespace. */
export const hostsAt = ({ hosts, gateway }: Server, own: readonly string[], namespace: string): string[] =>
  hosts.flatMap((text) => {
    const slash = text.indexOf("/");
    const of = slash < 0 ? "*" : text.slice(0, slash);
    const isOpen = of === "*" || of === namespace || (of === "." && gateway.namespace === namespace);
    return isOpen ? own.flatMap((host) => meet(host, text.slice(slash + 1)) ?? []) : [];
  });

/** Hosts of a VirtualService that the same servers serve in the same way. */
export interface ReachedHosts {
  readonly hosts: string[];
  readonly http: SourceRoute["http"];
  readonly https: boolean;
  readonly parts: SourcePart[];
}

const isPlain = ({ protocol }: Server): boolean => ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].includes(protocol);

/** Groups hosts by the servers that serve them, and by HTTP and HTTPS. */
export function reachedBy(
  servers: readonly Server[],
  own: readonly string[],
  namespace: string,
): ReachedHosts[] {
  const byHost = new Map<string, { http: SourceRoute["http"]; https: boolean; parts: SourcePart[] }>();
  for (const server of servers) {
    if (!isPlain(server) && server.protocol !== "HTTPS") continue;
    if (!isPlain(server) && server.mode === "PASSTHROUGH") continue;
    for (const host of hostsAt(server, own, namespace)) {
      const before = byHost.get(host) ?? { http: "none" as const, https: false, parts: [] };
      byHost.set(host, {
        http: isPlain(server) ? (server.redirects ? 301 : "serve") : before.http,
        https: before.https || !isPlain(server),
        parts: [...before.parts, partOf(server.gateway, server.field)],
      });
    }
  }
  const groups = new Map<string, ReachedHosts>();
  for (const [host, { http, https, parts }] of byHost) {
    const key = JSON.stringify([http, https, parts.map(({ object, path }) => [object.ref, path])]);
    const group = groups.get(key) ?? { hosts: [], http, https, parts };
    group.hosts.push(host);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const systemNamespace = "istio-system";

/**
 * The Secret of a server. Istio requires it in the namespace of the gateway's pods: the namespace of the Gateway if the
 * input has the Secret there, otherwise Istio's own.
 */
function secretNamed(name: string, gateway: SourceObject, conversion: Conversion): Name {
  const own = [gateway.namespace, systemNamespace].find((namespace) =>
    conversion.find("", "Secret", namespace, name),
  );
  return { namespace: own ?? systemNamespace, name };
}

/** Adds the sites of the hosts of a server with TLS. */
export function addSites(server: Server, hosts: readonly string[], conversion: Conversion): void {
  const { gateway, field, mode } = server;
  const part = partOf(gateway, field);
  if (server.protocol !== "HTTPS" && server.protocol !== "TLS") return;
  if (mode === "PASSTHROUGH" || mode === "AUTO_PASSTHROUGH" || mode === "ISTIO_MUTUAL") {
    if (mode !== "PASSTHROUGH")
      conversion.remark("error", part, `${mode} is TLS of the mesh; left out`, { hosts });
    return;
  }
  const credential = field
    .at("tls", "credentialName")
    .text()
    ?.replace(/^kubernetes(?:-gateway)?:\/\//, "");
  field.at("tls", "serverCertificate").text();
  field.at("tls", "privateKey").text();
  const [minimum, maximum] = [
    versionOf(field.at("tls", "minProtocolVersion")),
    versionOf(field.at("tls", "maxProtocolVersion")),
  ];
  const slash = credential?.indexOf("/") ?? -1;
  const name = credential?.slice(slash + 1) || `${gateway.name}-cert`;
  const secret =
    slash > 0 && credential
      ? { namespace: credential.slice(0, slash), name }
      : secretNamed(name, gateway, conversion);
  if (!credential)
    conversion.remark(
      "error",
      part,
      `the certificate is expected in the Secret ${secret.namespace}/${secret.name}`,
      { hosts, todo: "make it" },
    );
  const authority = conversion.find("", "Secret", secret.namespace, `${name}-cacert`)
    ? { ...secret, name: `${name}-cacert` }
    : secret;
  const asks = mode === "MUTUAL" || mode === "OPTIONAL_MUTUAL";
  for (const host of new Set(hosts)) {
    const site: SourceSite = {
      part,
      host,
      tls: {
        kind: "terminate",
        secret,
        ...(minimum ? { minimum } : {}),
        ...(maximum ? { maximum } : {}),
        ...(asks
          ? {
              client: {
                ca: authority,
                optional: mode === "OPTIONAL_MUTUAL",
                forward: ["cert", "subject", "dns", "uri"],
              },
            }
          : {}),
      },
    };
    conversion.sites.push(site);
  }
}

function versionOf(field: Field): "1.2" | "1.3" | undefined {
  const text = field.text();
  return text === "TLSV1_2" ? "1.2" : text === "TLSV1_3" ? "1.3" : undefined;
}
