import { kindOf, namespaceOf, type Ref } from "../schema/meta.js";
import { isLabel, isSubdomain } from "../schema/names.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import {
  placeholderAuthority,
  placeholderCertificate,
  placeholderKey,
  placeholderRevocations,
} from "./placeholder-pair.js";
import type { ReferencedPorts, References } from "./references.js";

/** The first port number for ports that the input references only by name. */
const firstNamedPort = 60_000;

/**
 * Whether an object can have this name. An object whose name is not valid, or has a variable such as `${NAME}`, can't
 * exist.
 */
export function canExist(ref: Ref): boolean {
  const [kind, namespace = "", name = "", ...more] = ref.split("/");
  return (
    isSubdomain(name) &&
    more.length === 0 &&
    (kind === "GatewayClass" ? namespace === "" : isLabel(namespace))
  );
}

/** A placeholder for a ref with a valid name. Its contents satisfy all references to it. */
export function placeholderOf(ref: Ref, ports: References["ports"]): KubeObject {
  const metadata = { namespace: namespaceOf(ref), name: ref.split("/")[2] };
  switch (kindOf(ref)) {
    case "Service":
      return parsed({
        apiVersion: "v1",
        kind: "Service",
        metadata,
        spec: { ports: portsOf(ports.get(ref)) },
      });
    case "Secret": {
      const stringData = {
        "tls.crt": placeholderCertificate,
        "tls.key": placeholderKey,
        "ca.crt": placeholderAuthority,
        "crl.pem": placeholderRevocations,
      };
      const secret = parsed({
        apiVersion: "v1",
        kind: "Secret",
        metadata,
        type: "kubernetes.io/tls",
        stringData,
      });
      return { ...secret, meta: { ...secret.meta, assumed: true } };
    }
    default:
      return parsed({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata,
        data: { "ca.crt": placeholderAuthority },
      });
  }
}

function portsOf(ports: ReferencedPorts | undefined): object[] {
  const numbers = [...(ports?.numbers ?? [])]
    .filter((port) => port >= 1 && port <= 65535)
    .sort((a, b) => a - b);
  const names = [...(ports?.names ?? [])].filter(isLabel).sort();
  return [
    ...numbers.map((port) => ({ name: `port-${port}`, port })),
    ...names.map((name, i) => ({ name, port: firstNamedPort + i })),
  ];
}

/** @throws Error when a placeholder is not valid, which is a bug in this folder. */
export function parsed(manifest: object): KubeObject {
  const read = parseObject(manifest);
  if ("object" in read) return read.object;
  throw new Error(`a placeholder is not valid: ${JSON.stringify(read)}`);
}
