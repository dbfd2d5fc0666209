import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import type { ClientCertificates, SourcePart, SourceSite } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { slugOf } from "../../writers/common.js";
import { group } from "./middlewares.js";
import { tlsOptionTable, tlsStoreTable } from "./table.js";

interface TlsFields {
  readonly parts: SourcePart[];
  readonly site: Omit<Extract<SourceSite["tls"], { kind: "terminate" }>, "secret" | "kind">;
  closed: boolean;
}

/**
 * Adds the sites of hosts whose routes use TLS. Returns the objects that the sites depend on, and whether the routes
 * must be closed.
 */
export function addTls(
  owner: SourceObject,
  tls: Field,
  hosts: readonly string[],
  conversion: Conversion,
): { parts: SourcePart[]; closed: boolean } {
  const options = optionsOf(owner, tls, hosts, conversion);
  const name = tls.at("secretName").text();
  tls.use();
  const store = name ? undefined : storeOf(conversion);
  for (const host of hosts) {
    if (host === "*") continue;
    const secret = name
      ? { namespace: owner.namespace, name }
      : (store ?? { namespace: owner.namespace, name: `${slugOf(host)}-tls` });
    if (!name && !store)
      conversion.remark(
        "warning",
        partOf(owner, tls),
        `the certificate of ${host} is expected in the Secret ${secret.namespace}/${secret.name}`,
        {
          hosts: [host],
          todo: "make it, such as by a Certificate of cert-manager",
        },
      );
    conversion.sites.push({
      part: partOf(owner, tls),
      host,
      tls: { kind: "terminate", secret, ...options.site },
    });
  }
  return options;
}

function storeOf(conversion: Conversion): { namespace: string; name: string } | undefined {
  for (const store of conversion.ofKind(group, "TLSStore")) {
    if (store.name !== "default") continue;
    conversion.take(store, tlsStoreTable);
    const name = store.root.at("spec", "defaultCertificate", "secretName").text();
    if (name) return { namespace: store.namespace, name };
  }
  return undefined;
}

/** The named TLSOption; without a name, the TLSOption `default`. */
function optionsOf(
  owner: SourceObject,
  tls: Field,
  hosts: readonly string[],
  conversion: Conversion,
): TlsFields {
  const name = tls.at("options", "name").text();
  const namespace = tls.at("options", "namespace").text() || owner.namespace;
  const found =
    name === undefined
      ? conversion.ofKind(group, "TLSOption").find((option) => option.name === "default")
      : conversion.find(group, "TLSOption", namespace, name);
  const fields: TlsFields = { parts: [], site: {}, closed: false };
  if (!found) {
    if (name === undefined || name === "default") return fields;
    fields.closed = true;
    conversion.remark(
      "error",
      partOf(owner, tls.at("options")),
      `TLSOption ${namespace}/${name} is not among the input; answered 503`,
      {
        hosts,
        closes: true,
        todo: "give it, too",
      },
    );
    return fields;
  }
  conversion.take(found, tlsOptionTable);
  fields.parts.push(partOf(found));
  const spec = found.root.at("spec");
  const minimum = versionOf(spec.at("minVersion").text());
  const maximum = versionOf(spec.at("maxVersion").text());
  const client = clientOf(found, spec.at("clientAuth"), hosts, conversion);
  return {
    parts: fields.parts,
    closed: client === "closed",
    site: {
      ...(minimum ? { minimum } : {}),
      ...(maximum ? { maximum } : {}),
      ...(client && client !== "closed" ? { client } : {}),
    },
  };
}

const versionOf = (text: string | undefined): "1.2" | "1.3" | undefined =>
  text === "VersionTLS12" ? "1.2" : text === "VersionTLS13" ? "1.3" : undefined;

function clientOf(
  owner: SourceObject,
  field: Field,
  hosts: readonly string[],
  conversion: Conversion,
): ClientCertificates | "closed" | undefined {
  const type = field.at("clientAuthType").text() ?? "NoClientCert";
  const secrets = field.at("secretNames").texts();
  if (!field.given || type === "NoClientCert") return undefined;
  const [name] = secrets;
  const ca = name === undefined ? {} : { ca: { namespace: owner.namespace, name } };
  const close = (message: string): "closed" => {
    conversion.remark("error", partOf(owner, field), `${message}; answered 503`, { hosts, closes: true });
    return "closed";
  };
  if (secrets.length > 1)
    return close("several authorities of client certificates can't be named; put them in one Secret");
  switch (type) {
    case "RequireAndVerifyClientCert":
      return name === undefined
        ? close("asks for client certificates without an authority")
        : { ...ca, optional: false };
    case "VerifyClientCertIfGiven":
      return name === undefined
        ? close("checks client certificates without an authority")
        : { ...ca, optional: true };
    case "RequireAnyClientCert":
      return { ...ca, optional: false, unchecked: true };
    case "RequestClientCert":
      return { ...ca, optional: true, unchecked: true };
    default:
      return close(`${type} is no kind of client authentication that is known here`);
  }
}
