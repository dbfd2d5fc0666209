import { z } from "zod";
import { port, text } from "./fields.js";

const protocol = z.string().default("TCP");

/** Labels, for selectors of namespaces. */
export const namespaceSpec = z.object({ labels: z.record(z.string(), z.string()).optional() });

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
    .optional(),
});

/**
 * discovery.k8s.io EndpointSlice. `service` is the label `kubernetes.io/service-name` (empty when there is none);
 * `ready` is `conditions.ready`, which counts as true when it is absent. A port without a number means all ports.
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

/** v1 Endpoints: addresses that are ready; the others are not kept. */
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

const keys = ["tls.crt", "tls.key", "ca.crt", "crl.pem"] as const;

/**
 * The keys that routing can use, decoded; others are never kept. A value is a byte string (one character per byte),
 * so that `btoa` gives back the exact bytes whatever they are.
 */
const secretData = z.partialRecord(z.enum(keys), z.string());

export const secretSpec = z
  .object({
    type: z.string().default("Opaque"),
    data: z.partialRecord(
      z.enum(keys),
      z.string().transform((encoded, context) => {
        const decoded = decodeBase64(encoded);
        if (decoded !== undefined) return decoded;
        context.addIssue("is not base64; encode the value or put it under stringData");
        return z.NEVER;
      }),
    ),
    stringData: secretData,
  })
  .transform(({ type, data, stringData }): { type: string; data: Record<string, string> } => ({
    type,
    data: { ...data, ...mapValues(stringData, byteString) },
  }));

/** v1 ConfigMap: a CA bundle, as a byte string. */
export const configMapSpec = z
  .object({ data: z.partialRecord(z.enum(["ca.crt"]), z.string()) })
  .transform(({ data }): { data: Record<string, string> } => ({ data: mapValues(data, byteString) }));

/** The members of a map under keys that a Secret or ConfigMap is read for. */
export function knownKeys(map: unknown): Record<string, unknown> {
  if (typeof map !== "object" || map === null) return {};
  return Object.fromEntries(Object.entries(map).filter(([key]) => (keys as readonly string[]).includes(key)));
}

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
