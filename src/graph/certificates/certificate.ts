import type { Ref } from "../../schema/meta.js";
import type { Report } from "../core/reader.js";
import type { KeyPair, SecretName } from "./secret.js";

interface Use {
  readonly about: Ref;
  readonly path: string;
  readonly secret: SecretName;
  /** The host that the certificate is used for; undefined if unknown. */
  readonly host?: string;
}

/**
 * Warns of a certificate that Envoy accepts and clients refuse: it is for other hosts or out of date. The certificate
 * is served nevertheless.
 */
export function warnOfCertificate(
  { facts }: KeyPair,
  { about, path, secret, host }: Use,
  report: Report,
): void {
  const [own] = facts;
  if (!own) return;
  const name = `the certificate of Secret "${secret.namespace}/${secret.name}"`;
  if (host !== undefined && host !== "*" && !own.names.some((one) => isFor(one, host))) {
    const names = own.names.length > 0 ? own.names.slice(0, 8).map(shown).join(", ") : "no host";
    const message = `${name} is for ${names}, not for ${host}: clients will refuse it`;
    report.warn(about, "TLSError", "CertificateNameMismatch", message, path);
  }
  const from = Math.max(...facts.map(({ validFrom }) => validFrom));
  const until = Math.min(...facts.map(({ validUntil }) => validUntil));
  const message = `${name} is valid only from ${dayOf(from)} until ${dayOf(until)}: clients will refuse it`;
  report.warn(about, "TLSError", "CertificateOutOfDate", message, path, [from, until]);
}

/** A name in printable form for a message: a certificate may contain any bytes, and many of them. */
const shown = (name: string): string => name.replace(/[^\x21-\x7e]/g, "?").slice(0, 253);

const dayOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** Whether a name of a certificate covers a host. A wildcard covers one label (RFC 6125 §6.4.3). */
const isFor = (name: string, host: string): boolean =>
  name === host || (name.startsWith("*.") && host.slice(host.indexOf(".")) === name.slice(1));
