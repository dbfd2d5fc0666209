import type { Ref } from "../../schema/meta.js";
import { delegationsKey } from "../core/keys.js";
import type { ObjectByKind, Reader } from "../core/reader.js";
import { isRevocationList } from "./crl.js";
import { usableKeys } from "./jwks.js";
import { type Block, readPem, writePem } from "./pem.js";
import { readPrivateKey } from "./private-key.js";
import {
  type CertificateFacts,
  readServerCertificate,
  type ServerCertificate,
} from "./server-certificate.js";
import { type Certificate, readCertificate } from "./x509.js";

export interface KeyPair {
  /** PEM, certificates only. */
  readonly certificate: string;
  /** PEM, one private key. */
  readonly privateKey: string;
  /** Facts of its certificates, the server's own first; empty if the Secret is assumed. */
  readonly facts: readonly CertificateFacts[];
  /** Whether all its certificates are usual (`Certificate`, `ServerCertificate`). */
  readonly usual: boolean;
}

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** Parses `name` or, for a delegated Secret, `namespace/name`. */
export function secretName(text: string, namespace: string): SecretName {
  const slash = text.indexOf("/");
  return slash < 0
    ? { namespace, name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/**
 * Whether objects of a namespace may use a Secret: it is in the same namespace, or delegated to it (`*` only as sole
 * entry).
 */
export function isDelegated(reader: Reader, secret: SecretName, namespace: string): boolean {
  if (secret.namespace === namespace) return true;
  return reader.claimants(delegationsKey(secret.namespace, secret.name)).some((ref) => {
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

/**
 * Whether a pair is written into the configuration in place of a reference to it. Envoy refuses a listener or cluster
 * that contains a pair which it can't load, and so all hosts of the listener. It refuses only the pair if that comes
 * by SDS. So an unusual pair always goes by SDS, whatever the settings are.
 */
export const isInline = ({ usual }: KeyPair, { settings }: Reader): boolean =>
  settings.secrets === "inline" && usual;

/** The validated certificate and key of a TLS Secret; or why Envoy would refuse them. */
export function readKeyPair(reader: Reader, secret: SecretName): { pair?: KeyPair; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  return reader.cache.of(checkPair, object, reader);
}

function checkPair(secret: ObjectByKind<"Secret">, reader: Reader): { pair?: KeyPair; error?: string } {
  const { data } = secret.spec;
  const typeError = wrongType(secret);
  if (typeError) return { error: typeError };
  const { blocks, error } = readBlocks(data, "tls.crt", "CERTIFICATE");
  const [own, ...others] = blocks;
  if (!own) return { error: error ?? "" };
  const { certificate, problem } = readServerCertificate(own.bytes);
  if (!certificate) return { error: `invalid "tls.crt": ${problem}` };
  const { certificates, bad } = readCertificates(others);
  if (bad !== undefined) return { error: `invalid "tls.crt": certificate ${bad + 1} can't be parsed` };
  const { key, problem: unusable } = readPrivateKey(data["tls.key"] ?? "");
  if (!key) return { error: `invalid "tls.key": ${unusable}` };
  const mismatch = reader.checkKeyPair(writePem(own), key.alone);
  if (mismatch) return { error: mismatch };
  if (key.repeated !== undefined && key.repeated !== certificate.key.bits)
    return { error: 'invalid "tls.key": the public key in it is not the certificate\'s' };
  return {
    pair: {
      certificate: blocks.map(writePem).join(""),
      privateKey: key.pem,
      facts: secret.meta.assumed ? [] : factsOf(certificate, certificates),
      usual: certificate.usual && certificates.every(({ usual }) => usual),
    },
  };
}

const factsOf = (
  { facts }: ServerCertificate,
  others: readonly Certificate[],
): readonly CertificateFacts[] => [
  facts,
  ...others.map(({ validFrom, validUntil }) => ({ validFrom, validUntil, names: [] })),
];

const nouns = { CERTIFICATE: "certificate", "X509 CRL": '"X509 CRL"' };

/** The PEM blocks of a value, all with one label; or none and the problem. */
function readBlocks(
  data: Readonly<Record<string, string | undefined>>,
  key: string,
  label: keyof typeof nouns,
): { blocks: readonly Block[]; error?: string } {
  const { blocks, problem } = readPem(data[key] ?? "");
  const other = blocks?.find((one) => one.label !== label);
  if (!blocks) return { blocks: [], error: `invalid "${key}": ${problem}` };
  if (other) {
    const error = `invalid "${key}": it contains a block of type "${other.label}"; only "${label}" is allowed`;
    return { blocks: [], error };
  }
  return blocks.length > 0
    ? { blocks }
    : { blocks, error: `missing or invalid "${key}": no PEM ${nouns[label]} found` };
}

/** The certificates of a chain behind the first one. Envoy's library checks only their form. `bad` counts from 1. */
function readCertificates(blocks: readonly Block[]): { certificates: readonly Certificate[]; bad?: number } {
  const found = blocks.map(({ bytes }) => readCertificate(bytes));
  const certificates = found.filter((one) => one !== undefined);
  return certificates.length === found.length
    ? { certificates }
    : { certificates, bad: found.indexOf(undefined) + 1 };
}

interface CaBundle {
  readonly ca?: string;
  /** Includes the name of the object. */
  readonly error?: string;
}

/** The PEM certificates of a CA bundle (`ca.crt`). */
export function readCaBundle(reader: Reader, secret: SecretName): CaBundle {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  return reader.cache.of(checkCaBundle, object);
}

/** The PEM certificates of a CA bundle in a ConfigMap (`ca.crt`). */
export function readCaConfigMap(reader: Reader, { namespace, name }: SecretName): CaBundle {
  const object = reader.get("ConfigMap", namespace, name);
  if (!object) return { error: `ConfigMap ${namespace}/${name} not found` };
  return reader.cache.of(checkCaBundle, object);
}

function checkCaBundle(object: ObjectByKind<"Secret" | "ConfigMap">): CaBundle {
  const fail = (problem: string): CaBundle => ({ error: `${object.ref.replace("/", " ")}: ${problem}` });
  const typeError = object.kind === "Secret" ? wrongType(object) : undefined;
  if (typeError) return fail(typeError);
  const { blocks, error } = readBlocks(object.spec.data, "ca.crt", "CERTIFICATE");
  if (error) return fail(error);
  const { bad } = readCertificates(blocks);
  return bad === undefined
    ? { ca: blocks.map(writePem).join("") }
    : fail(`invalid "ca.crt": certificate ${bad} can't be parsed`);
}

/** The certificate revocation lists of a Secret (`crl.pem`). */
export function readCrl(reader: Reader, secret: SecretName): { crl?: string; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  return reader.cache.of(checkCrl, object);
}

function checkCrl(secret: ObjectByKind<"Secret">): { crl?: string; error?: string } {
  const typeError = wrongType(secret);
  if (typeError) return { error: typeError };
  const { blocks, error } = readBlocks(secret.spec.data, "crl.pem", "X509 CRL");
  if (error) return { error };
  const bad = blocks.findIndex(({ bytes }) => !isRevocationList(bytes));
  return bad < 0
    ? { crl: blocks.map(writePem).join("") }
    : { error: `invalid "crl.pem": block ${bad + 1} is not a revocation list` };
}

/** The keys that Envoy can use of a JSON Web Key Set in a Secret of type Opaque. */
export function readJwks(reader: Reader, secret: SecretName, key: string): { jwks?: string; error?: string } {
  const object = reader.get("Secret", secret.namespace, secret.name);
  if (!object) return { error: `Secret ${secret.namespace}/${secret.name} not found` };
  if (object.spec.type !== "Opaque")
    return { error: `Secret type ${JSON.stringify(object.spec.type)} is not "Opaque"` };
  const value = object.spec.data[key];
  if (value === undefined)
    return { error: `key ${JSON.stringify(key)} is missing or not a JSON Web Key Set` };
  const jwks = usableKeys(value);
  if (jwks === undefined) return { error: `key ${JSON.stringify(key)} contains no key that Envoy can use` };
  return { jwks };
}
