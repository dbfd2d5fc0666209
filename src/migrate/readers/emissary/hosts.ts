import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { ClientCertificates, Name, SourcePart, SourceRoute, SourceSite } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { meet } from "../istio/hosts.js";

export const group = "getambassador.io";

/** A Host, or one host name of a TLSContext. */
export interface EmissaryHost {
  readonly object: SourceObject;
  readonly hostname: string;
  readonly selector: readonly (readonly [string, string])[];
  readonly hasTls: boolean;
  /** The treatment of requests without TLS. */
  readonly http: SourceRoute["http"];
  readonly parts: readonly SourcePart[];
  readonly closed: boolean;
}

/** Reads all Hosts and adds their sites. Host names of TLSContexts that no Host has count as Hosts. */
export function readHosts(objects: readonly SourceObject[], conversion: Conversion): EmissaryHost[] {
  const hosts = objects.filter(({ kind }) => kind === "Host").map((object) => readHost(object, conversion));
  const contexts = objects
    .filter(({ kind }) => kind === "TLSContext")
    .flatMap((object): EmissaryHost[] => {
      const spec = object.root.at("spec");
      const secret = secretOf(spec.at("secret").text(), object);
      const own = spec
        .at("hosts")
        .texts()
        .map((host) => host.toLowerCase())
        .filter((host) => !hosts.some(({ hostname }) => hostname === host));
      const { tls, closed } = tlsOf(object, spec, conversion, own);
      if (secret)
        for (const host of own)
          addSite(partOf(object), host, { kind: "terminate", secret, ...tls }, conversion);
      return own.map((hostname) => ({
        object,
        hostname,
        selector: [],
        hasTls: secret !== undefined,
        http: "serve",
        parts: [partOf(object)],
        closed,
      }));
    });
  return [...hosts, ...contexts];
}

function readHost(object: SourceObject, conversion: Conversion): EmissaryHost {
  const spec = object.root.at("spec");
  const hostname = spec.at("hostname").text()?.toLowerCase() ?? "*";
  const name = spec.at("tlsSecret", "name").text();
  const namespace = spec.at("tlsSecret", "namespace").text() ?? object.namespace;
  const contextName = spec.at("tlsContext", "name").text();
  const context =
    contextName === undefined
      ? undefined
      : conversion.find(group, "TLSContext", object.namespace, contextName);
  const authority = spec.at("acmeProvider", "authority").text();
  spec.at("acmeProvider").use();
  const isAcme = spec.at("acmeProvider").given && authority !== "none";
  const own = secretOf(context?.root.at("spec", "secret").text(), context ?? object);
  const secret = name
    ? { namespace, name }
    : (own ?? (isAcme ? { namespace: object.namespace, name: `${object.name}-tls` } : undefined));
  const fields = context ? context.root.at("spec") : spec.at("tls");
  const { tls, closed } = tlsOf(context ?? object, fields, conversion, [hostname]);
  const selector = [
    ...spec.at("mappingSelector", "matchLabels").record(),
    ...spec.at("selector", "matchLabels").record(),
  ];
  const action = spec.at("requestPolicy", "insecure", "action").text() ?? "Redirect";
  if (contextName !== undefined && !context)
    conversion.remark(
      "error",
      partOf(object, spec.at("tlsContext")),
      `TLSContext ${contextName} is not among the input: it may ask for client certificates`,
      {
        hosts: [hostname],
        closes: true,
        todo: "give it, too",
      },
    );
  if (secret) addSite(partOf(object), hostname, { kind: "terminate", secret, ...tls }, conversion);
  return {
    object,
    hostname,
    selector,
    hasTls: secret !== undefined,
    http: !secret || action === "Route" ? "serve" : action === "Reject" ? "none" : 301,
    parts: [partOf(object), ...(context ? [partOf(context)] : [])],
    closed: closed || (contextName !== undefined && !context),
  };
}

function addSite(part: SourcePart, host: string, tls: SourceSite["tls"], { sites }: Conversion): void {
  if (host !== "*") sites.push({ part, host, tls });
}

/** `NAME` or `NAME.NAMESPACE`. */
function secretOf(text: string | undefined, { namespace }: SourceObject): Name | undefined {
  if (!text) return undefined;
  const dot = text.indexOf(".");
  return dot < 0 ? { namespace, name: text } : { namespace: text.slice(dot + 1), name: text.slice(0, dot) };
}

type Tls = Omit<Extract<SourceSite["tls"], { kind: "terminate" }>, "kind" | "secret">;

function tlsOf(
  object: SourceObject,
  fields: Field,
  conversion: Conversion,
  hosts: readonly string[],
): { tls: Tls; closed: boolean } {
  const [minimum, maximum] = [
    versionOf(fields.at("min_tls_version")),
    versionOf(fields.at("max_tls_version")),
  ];
  const ca = secretOf(fields.at("ca_secret").text(), object);
  const crl = secretOf(fields.at("crl_secret").text(), object);
  const isRequired = fields.at("cert_required").flag() ?? false;
  const closed = isRequired && !ca;
  if (closed)
    conversion.remark(
      "error",
      partOf(object, fields),
      "asks for client certificates without ca_secret; answered 503",
      { hosts, closes: true },
    );
  const client: ClientCertificates | undefined = ca && { ca, optional: !isRequired, ...(crl ? { crl } : {}) };
  return {
    tls: { ...(minimum ? { minimum } : {}), ...(maximum ? { maximum } : {}), ...(client ? { client } : {}) },
    closed,
  };
}

function versionOf(field: Field): "1.2" | "1.3" | undefined {
  const text = field.text();
  return text === "v1.2" ? "1.2" : text === "v1.3" ? "1.3" : undefined;
}

/** The hosts of a Mapping, each with its Host. If there are no Hosts at all, `of` is undefined. */
export function hostsOf(
  object: SourceObject,
  all: readonly EmissaryHost[],
  conversion: Conversion,
): { host: string; of: EmissaryHost | undefined }[] {
  const spec = object.root.at("spec");
  const own = (spec.at("hostname").text() ?? spec.at("host").text())?.toLowerCase();
  const isPattern = spec.at("host_regex").flag() ?? false;
  const note = (message: string): void =>
    conversion.remark("error", partOf(object), `${message}; left out`, {
      hosts: own === undefined ? [] : [own],
      closes: true,
    });
  if (isPattern || (own !== undefined && /\*/.test(own.replace(/^\*(?:\.|$)/, "")))) {
    note(`hosts like ${own} can't be said`);
    return [];
  }
  if (all.length === 0) return [{ host: own ?? "*", of: undefined }];
  const found = new Map<string, EmissaryHost>();
  for (const of of all) {
    const isSelected = of.selector.every(([name, value]) => object.labels[name] === value);
    const host =
      isSelected && (own !== undefined || of.selector.length > 0 || object.version !== "v3alpha1")
        ? meet(own ?? "*", of.hostname)
        : undefined;
    const before = host === undefined ? undefined : found.get(host);
    // The most specific of several Hosts wins.
    if (host !== undefined && (!before || of.hostname.length > before.hostname.length)) found.set(host, of);
  }
  if (found.size === 0)
    conversion.remark("warning", partOf(object), "no Host takes it, so that it gets no requests; left out", {
      hosts: own === undefined ? [] : [own],
    });
  return [...found].map(([host, of]) => ({ host, of }));
}
