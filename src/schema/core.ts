import { z } from "zod";
import { port, text } from "./fields.js";
import { areParameters } from "./gateway-parameters.js";
import { holdsPasswords } from "./htpasswd.js";
import { isNginxOption } from "./ingress-nginx-options.js";

const protocol = z.string().default("TCP");

/** v1 Namespace: its labels, for namespace selectors. */
export const namespaceSpec = z.object({ labels: z.record(z.string(), z.string()).optional() });

interface PortFields {
  readonly name?: string | undefined;
  readonly port: number;
  readonly protocol: string;
}

/** Refuses two ports with the same protocol and number, or the same name, as the API server does. */
function checkPorts(ports: readonly PortFields[], context: z.core.$RefinementCtx): void {
  const numbers = new Set<string>();
  const names = new Set<string>();
  for (const [i, { name, port, protocol }] of ports.entries()) {
    const refuse = (field: string, message: string): void =>
      context.addIssue({ code: "custom", message, path: [i, field] });
    if (numbers.has(`${protocol} ${port}`))
      refuse("port", `must be a number that no other ${protocol} port has`);
    if (name && names.has(name)) refuse("name", "must be a name that no other port has");
    numbers.add(`${protocol} ${port}`);
    names.add(name ?? "");
  }
}

/** v1 Service. */
export const serviceSpec = z.object({
  type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).default("ClusterIP"),
  externalName: text,
  clusterIP: text,
  ports: z
    .array(
      z.object({
        name: text,
        port,
        protocol,
        appProtocol: text,
        targetPort: z.union([z.int(), z.string()], { error: "must be a port number or name" }).optional(),
      }),
    )
    .superRefine(checkPorts)
    .optional(),
});

/**
 * discovery.k8s.io EndpointSlice. `service` is the label `kubernetes.io/service-name` (empty without the label);
 * `ready` is `conditions.ready`, true when absent. A port without a number stands for all ports.
 */
export const endpointSliceSpec = z.object({
  service: z.string(),
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]).default("IPv4"),
  endpoints: z
    .array(
      z
        .object({
          addresses: z.array(z.string()),
          conditions: z.object({ ready: z.boolean().optional() }).optional(),
        })
        .transform(({ addresses, conditions }) => ({ addresses, ready: conditions?.ready ?? true })),
    )
    .default([]),
  ports: z.array(z.object({ name: z.string().default(""), port: port.optional(), protocol })).default([]),
});

/** v1 Endpoints: only the ready addresses are kept. */
export const endpointsSpec = z.object({
  subsets: z
    .array(
      z.object({
        addresses: z.array(z.object({ ip: z.string() })).optional(),
        ports: z.array(z.object({ name: text, port, protocol })).optional(),
      }),
    )
    .optional(),
});

const keys = ["tls.crt", "tls.key", "ca.crt", "crl.pem", "ca.crl"] as const;

/**
 * v1 Secret: only the decoded data that routing can use is kept. A value is a byte string (one character per byte), so
 * that `btoa` returns the exact bytes. A JSON Web Key Set may have any key.
 */
export const secretSpec = z
  .object({
    type: z.string().default("Opaque"),
    data: z.record(
      z.string(),
      z.string().transform((encoded, context) => {
        const decoded = decodeBase64(encoded);
        if (decoded !== undefined) return decoded;
        context.addIssue("is not base64; encode the value or move it to stringData");
        return z.NEVER;
      }),
    ),
    stringData: z.record(z.string(), z.string()),
  })
  .transform(({ type, data, stringData }): { type: string; data: Record<string, string> } => ({
    type,
    data: { ...data, ...mapValues(stringData, byteString) },
  }));

const maxJwks = 64 * 1024;

/** Whether text has the form of a JSON Web Key Set (RFC 7517 §5): an object with a list of `keys`. */
function isJwks(text: string): boolean {
  if (text.length > maxJwks || !/^\s*\{/.test(text)) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && Array.isArray((value as { keys?: unknown }).keys);
  } catch {
    return false;
  }
}

/** The members of a Secret's `data` (base64) or `stringData` that `secretSpec` keeps. */
export function knownKeys(map: unknown, encoded: boolean): Record<string, unknown> {
  if (typeof map !== "object" || map === null) return {};
  const mayBeJwks = (value: unknown): boolean => {
    if (typeof value !== "string" || value.length > 2 * maxJwks) return false;
    return isJwks(encoded ? (decodeBase64(value) ?? "") : value);
  };
  return Object.fromEntries(
    Object.entries(map).filter(
      ([key, value]) =>
        (keys as readonly string[]).includes(key) || mayBeJwks(value) || mayBePasswords(value),
    ),
  );
  function mayBePasswords(value: unknown): boolean {
    if (typeof value !== "string" || value.length > 2 * maxJwks) return false;
    return holdsPasswords(encoded ? (decodeBase64(value) ?? "") : value);
  }
}

/** The members of a ConfigMap's `data` that are kept: all of them if they are parameters of Gateways. */
export function knownOptions(data: unknown): Record<string, unknown> {
  if (typeof data !== "object" || data === null) return {};
  if (areParameters(data)) return { ...data };
  return Object.fromEntries(Object.entries(data).filter(([key]) => key === "ca.crt" || isNginxOption(key)));
}

/** v1 ConfigMap: a CA bundle, as a byte string, options of ingress-nginx, and parameters of Gateways. */
export const configMapSpec = z
  .object({ data: z.record(z.string(), z.string()) })
  .transform(({ data }): { data: Record<string, string> } => ({ data: mapValues(data, byteString) }));

const mapValues = (
  map: Readonly<Record<string, string | undefined>>,
  change: (value: string) => string,
): Record<string, string> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value ?? "")]));

function decodeBase64(encoded: string): string | undefined {
  try {
    return atob(encoded);
  } catch {
    return undefined;
  }
}

const byteString = (value: string): string =>
  /^[\0-\x7f]*$/.test(value)
    ? value
    : Array.from(new TextEncoder().encode(value), (byte) => String.fromCharCode(byte)).join("");
