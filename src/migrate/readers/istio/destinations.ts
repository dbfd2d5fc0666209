import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { SourceBackend, SourceBalancing, SourcePart } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { migratedLabel } from "../../source.js";
import { destinationRuleTable } from "./table.js";

export const networking = "networking.istio.io";

export interface Destination {
  readonly backend: SourceBackend;
  readonly parts: readonly SourcePart[];
  readonly balancing?: SourceBalancing;
}

interface Context {
  readonly owner: SourceObject;
  readonly hosts: readonly string[];
  readonly conversion: Conversion;
}

/**
 * The Service of a destination, with the settings of its DestinationRule. If it cannot be converted, adds a remark and
 * returns undefined.
 */
export function destinationOf(field: Field, context: Context): Destination | undefined {
  const { owner, hosts, conversion } = context;
  const part = partOf(owner, field);
  const close = (message: string, todo?: string): undefined => {
    conversion.remark("error", part, `${message}; answered 503`, {
      hosts,
      closes: true,
      ...(todo ? { todo } : {}),
    });
    return undefined;
  };
  const host = field.at("host").text() ?? "";
  const subset = field.at("subset").text();
  const asked = field.at("port", "number").number();
  const named = serviceNamed(host, owner.namespace);
  if (!named)
    return close(
      `the destination ${host} is no Service of the cluster`,
      "make an ExternalName Service for it",
    );
  const { namespace, name } = named;
  const port = asked ?? conversion.onlyPort(namespace, name);
  if (port === undefined)
    return close(
      `the port of Service ${namespace}/${name} is not known`,
      "give the Service among the input, or write the number of the port",
    );
  const rule = ruleOf(host, named, context);
  if (rule) conversion.take(rule, destinationRuleTable);
  const chosen =
    subset === undefined
      ? undefined
      : rule?.root
          .at("spec", "subsets")
          .items()
          .find((one) => one.at("name").text() === subset);
  const service = subset === undefined ? name : chosen && subsetService(named, subset, chosen, context);
  if (service === undefined)
    return close(
      `the subset ${subset} of ${namespace}/${name} is not known`,
      "give its DestinationRule and its Service among the input",
    );
  const policies = [chosen?.at("trafficPolicy"), rule?.root.at("spec", "trafficPolicy")].filter(
    (one) => one !== undefined,
  );
  const tls = policies.map((policy) => policy.at("tls")).find((one) => one.given);
  const balancer = policies.map((policy) => policy.at("loadBalancer")).find((one) => one.given);
  const protocol = tls ? tlsOf(tls, named, rule ?? owner, context) : undefined;
  const balancing = balancer ? balancingOf(balancer, rule ?? owner, context) : undefined;
  return {
    backend: { namespace, name: service, port, ...(protocol ?? clearProtocol(named, port, conversion)) },
    parts: rule ? [ruleParts(rule, chosen)] : [],
    ...(balancing ? { balancing } : {}),
  };
}

const ruleParts = (rule: SourceObject, subset: Field | undefined): SourcePart =>
  subset ? partOf(rule, subset) : { object: rule, path: "spec.trafficPolicy" };

interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

function serviceNamed(host: string, namespace: string): ServiceName | undefined {
  if (/^[a-z0-9-]+$/.test(host)) return { namespace, name: host };
  const [, name, own] = /^([a-z0-9-]+)\.([a-z0-9-]+)(?:\.svc(?:\.[a-z0-9.-]+)?)$/.exec(host) ?? [];
  return name !== undefined && own !== undefined ? { namespace: own, name } : undefined;
}

function ruleOf(
  host: string,
  { namespace, name }: ServiceName,
  { owner, conversion }: Context,
): SourceObject | undefined {
  return conversion.ofKind(networking, "DestinationRule").find((rule) => {
    const own = rule.root.at("spec", "host").text() ?? "";
    const found = serviceNamed(own, rule.namespace);
    return own === host
      ? rule.namespace === owner.namespace || own.includes(".")
      : found?.name === name && found.namespace === namespace;
  });
}

/** Adds a Service for the endpoints of a subset, once. Returns its name. */
function subsetService(
  { namespace, name }: ServiceName,
  subset: string,
  field: Field,
  { conversion, owner }: Context,
): string | undefined {
  const service = conversion.find("", "Service", namespace, name);
  if (!service) return undefined;
  const made = `${name}-${subset}`;
  const labels = field.at("labels").record();
  const selector = service.root.at("spec", "selector").record();
  if (selector.length === 0) return undefined;
  const isMade = conversion.results.some(
    ({ object }) =>
      object.kind === "Service" &&
      JSON.stringify(object.metadata).includes(`"${made}","namespace":"${namespace}"`),
  );
  if (!isMade)
    conversion.results.push({
      part: { object: owner, path: "" },
      object: {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: made, namespace, labels: { [migratedLabel]: "true" } },
        spec: {
          selector: Object.fromEntries([...selector, ...labels]),
          ports: service.root.at("spec", "ports").use(),
        },
      },
    });
  return made;
}

/** Istio determines the protocol of a port by its `appProtocol` or its name. */
function clearProtocol(
  { namespace, name }: ServiceName,
  port: number,
  conversion: Conversion,
): Pick<SourceBackend, "protocol"> {
  const ports = conversion.find("", "Service", namespace, name)?.root.at("spec", "ports").items() ?? [];
  const found = ports.find((one) => one.at("port").number() === port);
  const protocol = found?.at("appProtocol").text() ?? found?.at("name").text() ?? "";
  return /^(?:grpc|http2|kubernetes\.io\/h2c)/.test(protocol) && !protocol.startsWith("grpc-web")
    ? { protocol: "h2c" }
    : {};
}

function tlsOf(
  field: Field,
  { namespace }: ServiceName,
  rule: SourceObject,
  { conversion, hosts }: Context,
): Pick<SourceBackend, "protocol" | "validation"> | undefined {
  const mode = (field.at("mode").text() ?? "DISABLE").toUpperCase();
  const part = partOf(rule, field);
  const credential = field.at("credentialName").text();
  const [name] = field.at("subjectAltNames").texts();
  const sni = field.at("sni").text();
  if (mode === "DISABLE") return undefined;
  if (mode === "ISTIO_MUTUAL") {
    conversion.remark(
      "error",
      part,
      "the backend asks for a certificate of the mesh, which Envoy of Isoline does not have",
      {
        hosts,
        todo: "let the workload take plain connections of Envoy (PeerAuthentication PERMISSIVE)",
      },
    );
    return undefined;
  }
  const subjectName = name ?? sni;
  const isKnown = credential !== undefined && subjectName !== undefined && rule.namespace === namespace;
  if (!isKnown)
    conversion.remark(
      "warning",
      part,
      "the backend's certificate is not verified: that needs credentialName with ca.crt, a name, and a Secret of the Service's namespace",
      { hosts },
    );
  if (mode === "MUTUAL")
    conversion.remark("warning", part, "a client certificate for backends is a setting, for all of them", {
      hosts,
      todo: "set tls.envoyClientCertificate",
    });
  return { protocol: "tls", ...(isKnown ? { validation: { caSecret: credential, subjectName } } : {}) };
}

function balancingOf(
  field: Field,
  rule: SourceObject,
  { conversion, hosts }: Context,
): SourceBalancing | undefined {
  const simple = field.at("simple").text();
  const hash = field.at("consistentHash");
  if (hash.seen()) {
    const headerName = hash.at("httpHeaderName").text();
    const queryName = hash.at("httpQueryParameterName").text();
    if (headerName) return { strategy: "RequestHash", hash: [{ header: headerName }] };
    if (queryName) return { strategy: "RequestHash", hash: [{ query: queryName }] };
    if (hash.at("useSourceIp").flag()) return { strategy: "RequestHash", hash: [{ source: true }] };
    conversion.remark(
      "warning",
      partOf(rule, hash),
      "the cookie is X-Contour-Session-Affinity for the path /",
      { hosts },
    );
    return { strategy: "Cookie" };
  }
  if (simple === "RANDOM") return { strategy: "Random" };
  if (simple === "LEAST_REQUEST" || simple === "LEAST_CONN") return { strategy: "WeightedLeastRequest" };
  if (simple === "PASSTHROUGH")
    conversion.remark("warning", partOf(rule, field), "PASSTHROUGH is not there: round robin is used", {
      hosts,
    });
  return simple === "ROUND_ROBIN" ? { strategy: "RoundRobin" } : undefined;
}
