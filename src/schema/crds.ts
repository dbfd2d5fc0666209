import { z } from "zod";
import { delegationSpec } from "./delegation.js";
import { extensionServiceSpec } from "./extensionservice.js";
import { httpProxySpec } from "./httpproxy.js";
import { ingressRouteSpec } from "./ingressroute.js";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type Node = { readonly [key: string]: Json };

interface Crd {
  readonly kind: string;
  readonly plural: string;
  readonly group: string;
  readonly version: string;
  readonly shortNames: readonly string[];
  readonly spec: z.ZodType;
  readonly status?: Node;
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly description: string;
}

const text: Node = { type: "string" };

/** A condition. A `detailed` one contains errors and warnings of the same form. */
const condition = (detailed: boolean): Node => ({
  type: "object",
  required: ["status", "type"],
  properties: {
    type: text,
    status: { type: "string", enum: ["True", "False", "Unknown"] },
    reason: text,
    message: { type: "string", maxLength: 32768 },
    ...(detailed
      ? {
          observedGeneration: { type: "integer", format: "int64", minimum: 0 },
          lastTransitionTime: { type: "string", format: "date-time" },
          errors: { type: "array", items: condition(false) },
          warnings: { type: "array", items: condition(false) },
        }
      : {}),
  },
});

const conditions: Node = {
  type: "array",
  items: condition(true),
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["type"],
};

const loadBalancer: Node = {
  type: "object",
  properties: {
    ingress: { type: "array", items: { type: "object", properties: { ip: text, hostname: text } } },
  },
};

const words = { currentStatus: text, description: text };

const statusColumns: readonly Column[] = [
  {
    name: "Status",
    jsonPath: ".status.currentStatus",
    description: "The current status: valid, invalid or orphaned",
  },
  { name: "Status Description", jsonPath: ".status.description", description: "The reason for the status" },
];

const hostColumns: readonly Column[] = [
  { name: "FQDN", jsonPath: ".spec.virtualhost.fqdn", description: "The host" },
  {
    name: "TLS Secret",
    jsonPath: ".spec.virtualhost.tls.secretName",
    description: "The Secret of its certificate",
  },
];

const definitions: readonly Crd[] = [
  {
    kind: "HTTPProxy",
    plural: "httpproxies",
    group: "projectcontour.io",
    version: "v1",
    shortNames: ["proxy", "proxies"],
    spec: httpProxySpec,
    status: { ...words, conditions, loadBalancer },
    columns: [...hostColumns, ...statusColumns],
  },
  {
    kind: "TLSCertificateDelegation",
    plural: "tlscertificatedelegations",
    group: "projectcontour.io",
    version: "v1",
    shortNames: ["tlscerts"],
    spec: delegationSpec,
    columns: [],
  },
  {
    kind: "ExtensionService",
    plural: "extensionservices",
    group: "projectcontour.io",
    version: "v1alpha1",
    shortNames: [],
    spec: extensionServiceSpec,
    status: { conditions },
    columns: [],
  },
  {
    kind: "IngressRoute",
    plural: "ingressroutes",
    group: "contour.heptio.com",
    version: "v1beta1",
    shortNames: [],
    spec: ingressRouteSpec,
    status: { ...words, loadBalancer },
    columns: [...hostColumns, ...statusColumns],
  },
];

/** The CustomResourceDefinitions of the kinds that Isoline reads, generated from their schemas. */
export const customResourceDefinitions = (): readonly Node[] => definitions.map(definition);

function definition({ kind, plural, group, version, shortNames, spec, status, columns }: Crd): Node {
  const properties: Record<string, Json> = {
    apiVersion: text,
    kind: text,
    metadata: { type: "object" },
    spec: structural(z.toJSONSchema(spec, { io: "input", unrepresentable: "any" }) as Node),
    ...(status ? { status: { type: "object", properties: status } } : {}),
  };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames.length > 0 ? { shortNames } : {}),
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", required: ["metadata", "spec"], properties } },
          ...(status ? { subresources: { status: {} } } : {}),
          ...(columns.length > 0
            ? { additionalPrinterColumns: columns.map((column) => ({ ...column, type: "string" })) }
            : {}),
        },
      ],
    },
  };
}

const isNode = (value: Json | undefined): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The keywords of JSON schema that Kubernetes accepts unchanged. */
const kept = new Set([
  "type",
  "enum",
  "pattern",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
  "required",
  "default",
  "x-kubernetes-validations",
]);

/**
 * Converts a JSON schema to a structural one (apiextensions.k8s.io/v1): every node has a type, a node has `properties`
 * or `additionalProperties` but not both, and integers have a format and no bounds of JavaScript's safe integers.
 *
 * @throws Error on a construct without a structural form, which is a bug in Isoline.
 */
function structural(schema: Node): Node {
  if (schema.anyOf || schema.oneOf || schema.allOf || schema.$ref)
    throw new Error(`no structural schema for ${JSON.stringify(schema).slice(0, 200)}`);
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) if (kept.has(key)) result[key] = value;
  if ("const" in schema && schema.const !== undefined) result.enum = [schema.const];
  if (result.type === undefined && Array.isArray(result.enum)) {
    result.type = typeof result.enum[0] === "number" ? "integer" : "string";
  }
  if (result.type === "number" && Array.isArray(result.enum)) result.type = "integer";
  if (result.type === "integer") Object.assign(result, integer(schema));
  if (isNode(schema.items)) result.items = structural(schema.items);
  if (isNode(schema.properties)) {
    const properties = Object.entries(schema.properties).map(([key, value]) => [
      key,
      structural(value as Node),
    ]);
    result.properties = Object.fromEntries(properties) as Node;
  } else if (isNode(schema.additionalProperties)) {
    result.additionalProperties = structural(schema.additionalProperties);
  }
  return result;
}

function integer({ minimum, maximum }: Node): Record<string, Json> {
  const [min, max] = [Number(minimum ?? Number.MIN_SAFE_INTEGER), Number(maximum ?? Number.MAX_SAFE_INTEGER)];
  return {
    format: max > 2_147_483_647 ? "int64" : "int32",
    ...(min > Number.MIN_SAFE_INTEGER ? { minimum: min } : {}),
    ...(max < Number.MAX_SAFE_INTEGER ? { maximum: max } : {}),
  };
}
