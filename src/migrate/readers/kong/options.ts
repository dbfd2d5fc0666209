import type { Conversion } from "../../conversion.js";
import type { SourceBalancing } from "../../model.js";
import type { SourceObject } from "../../source.js";
import { IngressAnnotations } from "../ingress-rules.js";
import { group } from "./plugins.js";
import { kongIngressTable, prefix, upstreamPolicyTable } from "./table.js";

/**
 * The options of an Ingress or a Service: an annotation, otherwise the field of the KongIngress that the object names.
 */
export class KongOptions {
  readonly annotations: IngressAnnotations;
  readonly kongIngress: SourceObject | undefined;

  constructor(
    readonly object: SourceObject,
    conversion: Conversion,
    /** The sections of a KongIngress that apply to the object. */
    sections: readonly ("route" | "proxy" | "upstream")[],
  ) {
    this.annotations = new IngressAnnotations(object, prefix);
    const name = this.annotations.text("override");
    this.kongIngress =
      name === undefined ? undefined : conversion.find(group, "KongIngress", object.namespace, name);
    if (this.kongIngress) {
      conversion.take(this.kongIngress, kongIngressTable);
      for (const section of ["route", "proxy", "upstream"] as const)
        if (!sections.includes(section)) this.kongIngress.root.at(section).use();
    } else if (name !== undefined)
      conversion.remark(
        "error",
        this.annotations.partOf("override"),
        `KongIngress ${name} is not among the input: its options are not known`,
        {
          todo: "give it, too",
        },
      );
  }

  text(name: string, field: readonly string[]): string | undefined {
    const own = this.annotations.text(name);
    const value = this.kongIngress?.root.at(...field).use();
    if (own !== undefined) return own;
    if (Array.isArray(value)) return value.map(String).join(",");
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined;
  }

  list(name: string, field: readonly string[]): string[] {
    return (this.text(name, field) ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter((one) => one !== "");
  }
}

/** The load balancing and the health checks of a Service. */
export function balancingOf(
  service: KongOptions,
  conversion: Conversion,
): { balancing?: SourceBalancing; path?: string; interval?: number } {
  const name = service.annotations.text("upstream-policy");
  const policy =
    name === undefined
      ? undefined
      : conversion.find(group, "KongUpstreamPolicy", service.object.namespace, name);
  const upstream = service.kongIngress?.root.at("upstream");
  if (name !== undefined && !policy)
    conversion.remark(
      "warning",
      service.annotations.partOf("upstream-policy"),
      `KongUpstreamPolicy ${name} is not among the input`,
      { todo: "give it, too" },
    );
  if (policy) conversion.take(policy, upstreamPolicyTable);
  const spec = policy?.root.at("spec");
  const headerName = spec?.at("hashOn", "header").text() ?? upstream?.at("hash_on_header").text();
  const queryName = spec?.at("hashOn", "queryArg").text();
  const cookie = spec?.at("hashOn", "cookie").text() ?? upstream?.at("hash_on_cookie").text();
  const input = spec?.at("hashOn", "input").text() ?? upstream?.at("hash_on").text();
  const algorithm = spec?.at("algorithm").text() ?? upstream?.at("algorithm").text();
  const path = spec?.at("healthchecks", "active", "httpPath").text();
  const interval = spec?.at("healthchecks", "active", "healthy", "interval").number();
  const check = { ...(path === undefined ? {} : { path }), ...(interval ? { interval } : {}) };
  if (headerName) return { ...check, balancing: { strategy: "RequestHash", hash: [{ header: headerName }] } };
  if (queryName) return { ...check, balancing: { strategy: "RequestHash", hash: [{ query: queryName }] } };
  if (cookie) return { ...check, balancing: { strategy: "Cookie" } };
  if (input === "ip") return { ...check, balancing: { strategy: "RequestHash", hash: [{ source: true }] } };
  return algorithm === "least-connections"
    ? { ...check, balancing: { strategy: "WeightedLeastRequest" } }
    : check;
}
