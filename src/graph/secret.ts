import type { Ref } from "../schema/meta.js";
import { isRevocationList } from "./crl.js";
import { usableKeys } from "./jwks.js";
import type { ObjectByKind, Reader } from "./reader.js";
import { type CertificateFacts, factsOf, isCertificate } from "./x509.js";

export interface KeyPair {
  /** PEM, certificates only. */
  readonly certificate: string;
  /** PEM, one private key. */
  readonly privateKey: string;
  /** What its certificates say of themselves, the first being the server's own. */
  readonly facts: readonly CertificateFacts[];
}

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** `name` or, where delegation allows it, `namespace/name`. */
export function secretName(text: string, namespace: string): SecretName {
  const slash = text.indexOf("/");
  return slash < 0
    ? { namespace, name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** Whether objects of a namespace may use a Secret: their own, or one delegated to them (`*` only as sole entry). */
export function isDelegated(reader: Reader, secret: SecretName, namespace: string): boolean {
  if (secret.namespace === namespace) return true;
  return reader.claimants(`delegations:${secret.namespace}/${secret.name}`).some((ref) => {
    const delegation = reader.get("TLSCertificateDelegation", secret.namespace, nameOf(ref));
    return delegation?.spec.delegations.some(
      ({ secretName: name, targetNamespaces: targets }) =>
        name === secret.name && (targets.includes(namespace) || (targets.length === 1 && targets[0] === "*")),
    );
  });
}

const nameOf = (ref: Ref): string => ref.slice(ref.lastIndexOf("/") + 1);

const usualTypes = ["kubernetes.io/tls", "Opaque"];

const wrongType = ({ spec }: ObjectByKind<"Secret">): string | undefined =>
  usualTypes.includes(spec.type)
    ? undefined
    : `Secret type ${JSON.stringify(spec.type)} is neither "kubernetes.io/tls" nor "Opaque"`;

const block = (label: string): RegExp =>
  new RegExp(`-----BEGIN ${label}-----\\r?\\n[A-Za-z0-9+/=\\s]+-----END ${label}-----`, "g");
const certificates = block("CERTIFICATE");
const privateKeys = block("(?:RSA |EC )?PRIVATE KEY");
const revocationLists = block("X509 CRL");
const maxPem = 64 * 1024;

const pairs = new WeakMap<object, { pair?: KeyPair; error?: string }>();

/** The certificate and key of a TLS Secret, checked; or why Envoy would refuse them. */
export function readKeyPair(reader: Reader, secret: SecretName): { pair?: KeyPair; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  let found = pairs.get(object);
  if (!found) {
    found = checkPair(reader, object);
    pairs.set(object, found);
  }
  return found;
}

function checkPair(reader: Reader, secret: ObjectByKind<"Secret">): { pair?: KeyPair; error?: string } {
  const { spec } = secret;
  const stranger = wrongType(secret) ?? otherBlock(spec.data["tls.crt"], "tls.crt", "CERTIFICATE");
  if (stranger) return { error: stranger };
  const certificate = pemBlocks(spec.data["tls.crt"], certificates);
  const key = pemBlocks(spec.data["tls.key"], privateKeys);
  if (certificate.length === 0) return { error: 'missing or invalid "tls.crt": no PEM certificate found' };
  if (!certificate.every((one) => holds(one, isCertificate)))
    return { error: 'invalid "tls.crt": the certificate can\'t be parsed' };
  if (key.length !== 1)
    return { error: `invalid "tls.key": ${key.length} private keys found, one is needed` };
  const facts = certificate.flatMap((one) => factsOf(bytesOf(one)) ?? []);
  if (facts[0]?.named === false)
    return { error: 'invalid "tls.crt": the certificate has no common name and no alternative name' };
  const pair = { certificate: `${certificate.join("\n")}\n`, privateKey: `${key[0]}\n`, facts };
  const error = reader.checkKeyPair(pair.certificate, pair.privateKey);
  return error ? { error } : { pair };
}

/** The PEM certificates of a CA bundle (`ca.crt`). */
export function readCaBundle(reader: Reader, secret: SecretName): { ca?: string; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  const wrong = wrongType(object);
  return wrong ? { error: wrong } : readBundle(reader, object);
}

/** The same of a ConfigMap. */
export function readCaConfigMap(
  reader: Reader,
  { namespace, name }: SecretName,
): { ca?: string; error?: string } {
  const object = reader.get("ConfigMap", namespace, name);
  if (!object) return { error: `ConfigMap ${namespace}/${name} not found` };
  return readBundle(reader, object);
}

const bundles = new WeakMap<object, { ca?: string; error?: string }>();

/** The bundle of an object, which very many hosts and backends may name: it is read once. */
function readBundle(
  reader: Reader,
  object: ObjectByKind<"Secret" | "ConfigMap">,
): { ca?: string; error?: string } {
  const found = bundles.get(object) ?? checkCaBundle(reader, object.spec.data["ca.crt"]);
  bundles.set(object, found);
  return found;
}

function checkCaBundle(reader: Reader, text: string | undefined): { ca?: string; error?: string } {
  const stranger = otherBlock(text, "ca.crt", "CERTIFICATE");
  if (stranger) return { error: stranger };
  const ca = pemBlocks(text, certificates);
  if (ca.length === 0) return { error: 'missing or invalid "ca.crt": no PEM certificate found' };
  const wrong = ca.every((one) => holds(one, isCertificate))
    ? ca.map((one) => reader.checkKeyPair(one, "")).find((problem) => problem)
    : "the certificate can't be parsed";
  return wrong ? { error: `invalid "ca.crt": ${wrong}` } : { ca: `${ca.join("\n")}\n` };
}

/** The certificate revocation lists of a Secret (`crl.pem`). */
export function readCrl(reader: Reader, secret: SecretName): { crl?: string; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  const stranger = wrongType(object) ?? otherBlock(object.spec.data["crl.pem"], "crl.pem", "X509 CRL");
  if (stranger) return { error: stranger };
  const found = pemBlocks(object.spec.data["crl.pem"], revocationLists);
  if (found.length === 0) return { error: 'missing or invalid "crl.pem": no PEM "X509 CRL" found' };
  if (!found.every((one) => holds(one, isRevocationList)))
    return { error: 'invalid "crl.pem": a block is not a revocation list' };
  return { crl: `${found.join("\n")}\n` };
}

/** Whether what a PEM block encodes has a form; Envoy drops far more than one Secret when it has not. */
function holds(pem: string, form: (bytes: string) => boolean): boolean {
  try {
    return form(bytesOf(pem));
  } catch {
    return false;
  }
}

const bytesOf = (pem: string): string => atob(pem.replace(/-----[^-]+-----|\s/g, ""));

/** The JSON Web Key Set under a key of a Secret of type Opaque, as far as Envoy can use it. */
export function readJwks(reader: Reader, secret: SecretName, key: string): { jwks?: string; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  if (object.spec.type !== "Opaque")
    return { error: `Secret type ${JSON.stringify(object.spec.type)} is not "Opaque"` };
  const value = object.spec.data[key];
  if (value === undefined)
    return { error: `key ${JSON.stringify(key)} is missing or not a JSON Web Key Set` };
  const jwks = usableKeys(value);
  if (jwks === undefined) return { error: `key ${JSON.stringify(key)} holds no key that Envoy can use` };
  return { jwks };
}

const pemBlocks = (text: string | undefined, pattern: RegExp): string[] =>
  text && text.length <= maxPem ? (text.match(pattern) ?? []) : [];

/** What is wrong with PEM that has a block of another kind than it should, such as a key among certificates. */
function otherBlock(text: string | undefined, key: string, label: string): string | undefined {
  if (!text || text.length > maxPem) return undefined;
  for (const [, found] of text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g))
    if (found !== label) return `invalid "${key}": it holds a block of type "${found}", not only "${label}"`;
  return undefined;
}
