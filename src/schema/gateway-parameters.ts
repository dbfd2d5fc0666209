import { z } from "zod";
import { memoized } from "./memoized.js";
import { quote } from "./words.js";

/** The keys of a ConfigMap of parameters begin with this, so that other ConfigMaps are not kept in memory. */
const prefix = "envoy.";

/** Whether the data of a ConfigMap are parameters of Gateways. */
export const areParameters = (data: object): boolean =>
  Object.keys(data).some((key) => key.startsWith(prefix));

const annotations = z.record(
  z.string().regex(/^(?:[a-z0-9.-]+\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/),
  z.string(),
);

const annotationLines = z.string().transform((text, context) => {
  const entries = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, Math.max(at, 0)).trim(), line.slice(at + 1).trim()] as const;
    });
  const read = annotations.safeParse(Object.fromEntries(entries));
  if (read.success) return read.data;
  context.addIssue({ code: "custom", message: 'must be lines of annotations, such as "example.com/a: b"' });
  return z.NEVER;
});

const fields = {
  "envoy.workload": z.enum(["DaemonSet", "Deployment"]),
  "envoy.replicas": z
    .string()
    .regex(/^(?:[1-9]|[1-9]\d|100)$/, { error: "must be a number from 1 to 100" })
    .transform(Number),
  "envoy.image": z.string().regex(/^\S+$/, { error: "must be the name of an image" }),
  "envoy.service-type": z.enum(["ClusterIP", "LoadBalancer", "NodePort"]),
  "envoy.external-traffic-policy": z.enum(["Cluster", "Local"]),
  "envoy.service-annotations": annotationLines,
};
const parameters = z.strictObject(fields).partial();

/** How `isoline manifests envoy` prints the Envoys of a Gateway. */
export type GatewayParameters = z.output<typeof parameters>;

/** Reads the data of a ConfigMap that `parametersRef` of a Gateway or GatewayClass names. */
export const readParameters = memoized(
  (
    data: Readonly<Record<string, string>>,
  ): { readonly parameters: GatewayParameters } | { readonly problem: string } => {
    const unknown = Object.keys(data).find((key) => !Object.hasOwn(fields, key));
    const keys = Object.keys(fields).join(", ");
    if (unknown !== undefined) return { problem: `key ${quote(unknown)} is not supported, use ${keys}` };
    const read = parameters.safeParse(data);
    if (!read.success) {
      const [issue] = read.error.issues;
      return { problem: `${String(issue?.path[0])}: ${issue?.message}` };
    }
    return Object.keys(data).length > 0
      ? { parameters: read.data }
      : { problem: `has none of the keys ${keys}` };
  },
);
