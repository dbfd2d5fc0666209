import { warnOfCertificate } from "../../certificates/certificate.js";
import {
  readCaBundle,
  readCrl,
  readKeyPair,
  type SecretName,
  secretName,
} from "../../certificates/secret.js";
import type { Tls } from "../../core/nodes.js";
import type { ClientValidation } from "../../policies/client-validation.js";
import type { Ingress } from "../ingress/ingress.js";
import { tlsRange } from "../roots/tls.js";
import { type AnnotatedIngress, fieldOf, type NginxHostContext, type } from "./annotated-ingress.js";

type Header = { readonly name: string; readonly value: string };

export interface HostTls {
  readonly tls?: Tls;
  /** Whether plain HTTP is redirected: the host has a certificate, and an Ingress has a `tls` entry for it. */
  readonly isAsked: boolean;
  /** The Ingress that names the certificate. */
  readonly owner?: AnnotatedIngress;
  /** Set if client certificates are required and can't be validated: the whole host answers 403. */
  readonly refused?: true;
  /** Request headers for backends with the data of the client certificate. */
  readonly headers: readonly Header[];
}

/**
 * Reads the certificate of a host and the validation of its clients from the Ingresses of the owner's namespace, the
 * oldest first.
 */
export function readHostTls(mains: readonly AnnotatedIngress[], context: NginxHostContext): HostTls {
  const own = mains.filter(({ ingress }) => ingress.meta.namespace === context.owner);
  reportGuests(mains, context);
  const client = readClient(own, context);
  const found = readCertificate(own, context);
  const range = tlsRange(undefined, undefined, context.reader);
  const { validation, headers = [] } = client;
  // Without HTTPS no client can show a certificate. Plain HTTP must not be open instead.
  const isUnchecked = validation !== undefined && !(found && range);
  const refused = client.refused || isUnchecked;
  if (isUnchecked) reportUnchecked(own, context);
  return {
    ...(found && range
      ? {
          owner: found.owner,
          tls: { secret: found.secret, ...range, ...(validation ? { clientValidation: validation } : {}) },
        }
      : {}),
    isAsked: found !== undefined && own.some(({ ingress }) => asksForTls(ingress, context.host)),
    ...(refused ? { refused } : {}),
    headers,
  };
}

function reportUnchecked(own: readonly AnnotatedIngress[], { host, report }: NginxHostContext): void {
  const of = own.find(({ values }) => values["auth-tls-secret"]);
  if (!of) return;
  const message = `auth-tls-secret: the host ${JSON.stringify(host)} has no certificate, so that no client can show one: the host answers 403`;
  report.error(of.ingress.ref, type, "NginxAnnotationRefused", message, fieldOf("auth-tls-secret"));
}

function reportGuests(mains: readonly AnnotatedIngress[], { owner, host, report }: NginxHostContext): void {
  for (const { ingress, values } of mains) {
    if (ingress.meta.namespace === owner) continue;
    const quoted = JSON.stringify(host);
    const entry = (ingress.spec.tls ?? []).findIndex(({ hosts }) =>
      hosts?.some((one) => one.toLowerCase() === host),
    );
    if (entry >= 0) {
      const message = `host ${quoted}: the certificate is that of namespace ${owner}, whose Ingress is the oldest`;
      report.warn(ingress.ref, type, "HostOfAnotherNamespace", message, `spec.tls[${entry}]`);
    }
    for (const name of ["server-alias", "from-to-www-redirect", "ssl-passthrough", "server-snippet"] as const)
      if (values[name]) {
        const message = `${name} has no effect: the host ${quoted} is that of namespace ${owner}, whose Ingress is the oldest`;
        report.warn(ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf(name));
      }
  }
}

/** Whether an Ingress has a `tls` entry for a host, or an entry without hosts, which applies to all its hosts. */
const asksForTls = ({ spec }: Ingress, host: string): boolean =>
  (spec.tls ?? []).some(({ hosts }) => !hosts?.length || hosts.some((one) => one.toLowerCase() === host));

interface Found {
  readonly secret: string;
  readonly owner: AnnotatedIngress;
}

function readCertificate(own: readonly AnnotatedIngress[], context: NginxHostContext): Found | undefined {
  const { host, alias, reader, report } = context;
  for (const annotated of own) {
    const { ingress } = annotated;
    const { namespace } = ingress.meta;
    for (const [i, { hosts, secretName: name }] of (ingress.spec.tls ?? []).entries()) {
      const isNamed = hosts?.some((one) => one.toLowerCase() === host) ?? false;
      const isForAll = !hosts?.length;
      if (!isNamed && !isForAll) continue;
      if (!name) continue;
      const path = `spec.tls[${i}].secretName`;
      const secret = { namespace, name };
      const { pair, error } = readKeyPair(reader, secret);
      if (!pair) {
        const message = `Secret "${namespace}/${name}" is invalid: ${error}`;
        report.error(ingress.ref, type, "SecretNotValid", message, path);
        continue;
      }
      const names = pair.facts[0]?.names ?? [];
      if (isForAll && !isGoodFor(names, host)) continue;
      if (alias !== undefined && !isGoodFor(names, alias)) continue;
      warnOfCertificate(pair, { about: ingress.ref, path, secret, host }, report);
      return { secret: `${namespace}/${name}`, owner: annotated };
    }
  }
  return defaultCertificate(own, context);
}

/**
 * The certificate of the setting `ingressNginx.defaultCertificate`: as in ingress-nginx, for every host without its
 * own.
 */
function defaultCertificate(
  own: readonly AnnotatedIngress[],
  { reader, host }: NginxHostContext,
): Found | undefined {
  const name = reader.settings.ingressNginx?.defaultCertificate;
  const [owner] = own;
  if (!name || !owner || host === "*") return undefined;
  const secret = secretName(name, "default");
  return readKeyPair(reader, secret).pair
    ? { secret: `${secret.namespace}/${secret.name}`, owner }
    : undefined;
}

const isGoodFor = (names: readonly string[], host: string): boolean =>
  names.some(
    (name) => name === host || (name.startsWith("*.") && host.slice(host.indexOf(".")) === name.slice(1)),
  );

interface Client {
  readonly validation?: ClientValidation;
  readonly refused?: true;
  readonly headers?: readonly Header[];
}

/** Reads `auth-tls-*` of the first Ingress with `auth-tls-secret`. */
function readClient(own: readonly AnnotatedIngress[], context: NginxHostContext): Client {
  const of = own.find(({ values }) => values["auth-tls-secret"]);
  const name = of?.values["auth-tls-secret"];
  if (!of || !name) return {};
  const { ingress, values } = of;
  const verify = values["auth-tls-verify-client"] ?? "on";
  if (verify === "off") return {};
  const { ca, crl, problem } = readAuthorities(of, name, verify, context.reader);
  if (problem) {
    const message = `${problem.message}: the host answers 403`;
    const reason = problem.isMissing ? "NginxReferenceUnresolved" : "NginxAnnotationRefused";
    context.report.error(ingress.ref, type, reason, message, fieldOf(problem.annotation));
    return { refused: true };
  }
  const optional = verify === "optional";
  if (optional) {
    const message = "optional: backends do not get ssl-client-verify";
    context.report.warn(
      ingress.ref,
      type,
      "NginxAnnotationNoEffect",
      message,
      fieldOf("auth-tls-verify-client"),
    );
  }
  const passed = values["auth-tls-pass-certificate-to-upstream"];
  return {
    validation: {
      ...(ca ? { ca } : {}),
      ...(crl ? { crl } : {}),
      crlLeafOnly: false,
      optional,
      skipVerification: false,
      maxDepth: Math.max(0, values["auth-tls-verify-depth"] ?? 1),
    },
    headers: [
      ...(optional ? [] : [{ name: "ssl-client-verify", value: "SUCCESS" }]),
      { name: "ssl-client-subject-dn", value: "%DOWNSTREAM_PEER_SUBJECT%" },
      { name: "ssl-client-issuer-dn", value: "%DOWNSTREAM_PEER_ISSUER%" },
      ...(passed ? [{ name: "ssl-client-cert", value: "%DOWNSTREAM_PEER_CERT%" }] : []),
    ],
  };
}

interface Authorities {
  readonly ca?: string;
  readonly crl?: string;
  readonly problem?: { readonly annotation: string; readonly message: string; readonly isMissing?: boolean };
}

/** Reads the CAs and revocation lists for client certificates, or the problem with them. */
function readAuthorities(
  { ingress, values }: AnnotatedIngress,
  name: string,
  verify: string,
  reader: NginxHostContext["reader"],
): Authorities {
  const fail = (annotation: string, message: string): Authorities => ({ problem: { annotation, message } });
  const secret = secretName(name, ingress.meta.namespace);
  if (secret.namespace !== ingress.meta.namespace)
    return fail("auth-tls-secret", "auth-tls-secret is of another namespace");
  if (verify === "optional_no_ca")
    return fail(
      "auth-tls-verify-client",
      "optional_no_ca leaves the check to the backend, which Envoy does not say the result",
    );
  if (values["auth-tls-match-cn"])
    return fail("auth-tls-match-cn", "auth-tls-match-cn compares the subject, which Envoy does not");
  const { ca, error } = readCaBundle(reader, secret);
  if (!ca) {
    const isMissing = reader.get("Secret", secret.namespace, secret.name) === undefined;
    const message = error ?? "there is no CA certificate";
    return { problem: { annotation: "auth-tls-secret", message, isMissing } };
  }
  const revoked = readNginxCrl(secret, { reader });
  return revoked.error ? fail("auth-tls-secret", revoked.error) : { ca, ...revoked };
}

/** The revocation lists of the Secret, if it has any. */
function readNginxCrl(
  secret: SecretName,
  { reader }: Pick<NginxHostContext, "reader">,
): { readonly crl?: string; readonly error?: string } {
  const has = reader.get("Secret", secret.namespace, secret.name)?.spec.data["ca.crl"] !== undefined;
  return has ? readCrl(reader, secret, "ca.crl") : {};
}

/**
 * Headers with data of a client certificate. Those that a client sends are removed before a backend gets the request.
 */
export const certificateHeaders = [
  "ssl-client-verify",
  "ssl-client-subject-dn",
  "ssl-client-issuer-dn",
  "ssl-client-cert",
] as const;
