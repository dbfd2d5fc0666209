import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FrontendTls, Listener } from "../../../schema/gateway.js";
import { readCaBundle, readCaConfigMap } from "../../certificates/secret.js";
import type { Reader } from "../../core/reader.js";
import type { ClientValidation } from "../../policies/client-validation.js";
import type { Gateway } from "./gateway-listener.js";
import { isGranted } from "./grants.js";
import type { ListenerProblem } from "./ports.js";

/**
 * The validation of client certificates on one port of a Gateway (`spec.tls.frontend`); `perPort` takes precedence over
 * `default`.
 */
export function frontendOf({ spec }: Gateway, port: number): FrontendTls["validation"] {
  const { frontend } = spec.tls ?? {};
  const own = frontend?.perPort.find((one) => one.port === port);
  return own ? own.tls.validation : frontend?.default.validation;
}

/**
 * Envoy's client validation for a listener that terminates HTTPS. A CA that can't be used does not affect the others.
 * Without any usable CA the listener is not accepted.
 */
export function readFrontendValidation(
  { protocol, port }: Listener,
  gateway: Gateway,
  reader: Reader,
): { validation?: ClientValidation; problems?: readonly ListenerProblem[] } {
  const asked = protocol === "HTTPS" ? frontendOf(gateway, port) : undefined;
  if (!asked) return {};
  const bundles: string[] = [];
  const problems: ListenerProblem[] = [];
  for (const ref of asked.caCertificateRefs) {
    const { ca, reason, message } = readCa(ref, gateway, reader);
    if (ca !== undefined) bundles.push(ca);
    else
      problems.push({
        type: "ResolvedRefs",
        reason: reason ?? "InvalidCACertificateRef",
        message: message ?? "",
      });
  }
  if (bundles.length === 0)
    problems.push({
      type: "Accepted",
      reason: "NoValidCACertificate",
      message: "no CA for the certificates of clients can be used: without one nobody is let in",
    });
  const isOptional = asked.mode === "AllowInsecureFallback";
  return {
    problems,
    validation: {
      ca: [...new Set(bundles)].join(""),
      crlLeafOnly: false,
      optional: isOptional,
      skipVerification: isOptional,
    },
  };
}

type CaRef = NonNullable<FrontendTls["validation"]>["caCertificateRefs"][number];

function readCa(
  { group, kind, name, namespace: asked }: CaRef,
  { meta }: Gateway,
  reader: Reader,
): { ca?: string | undefined; reason?: ErrorCode; message?: string } {
  if (group !== "" || (kind !== "ConfigMap" && kind !== "Secret")) {
    const message = `caCertificateRefs: kind ${group || "core"}/${kind} is not supported, use ConfigMap or Secret`;
    return { reason: "InvalidCACertificateKind", message };
  }
  const namespace = asked || meta.namespace;
  const from = { kind: "Gateway", namespace: meta.namespace };
  if (!isGranted({ from, to: { kind, namespace, name } }, reader)) {
    const message = `caCertificateRefs: ${kind} ${namespace}/${name} must be in the Gateway's namespace or be covered by a ReferenceGrant`;
    return { reason: "RefNotPermitted", message };
  }
  const read = kind === "Secret" ? readCaBundle : readCaConfigMap;
  const { ca, error } = read(reader, { namespace, name });
  return ca === undefined
    ? { reason: "InvalidCACertificateRef", message: `caCertificateRefs: ${error}` }
    : { ca };
}
