import { type NginxAnnotation, nginxAnnotations } from "../../../schema/ingress-nginx.js";
import type { TcpTerms } from "../../core/nodes.js";
import { type AnnotatedIngress, fieldOf, type NginxHostContext, type } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";
import { readBackend } from "./upstream.js";

/** `ssl-passthrough`: TLS connections of the host are passed through to the Service of its path `/`. */
export function passThrough(
  mains: readonly AnnotatedIngress[],
  locations: readonly NginxLocation[],
  context: NginxHostContext,
): TcpTerms | undefined {
  const of = mains.find(
    ({ ingress, values }) => values["ssl-passthrough"] && ingress.meta.namespace === context.owner,
  );
  if (!of) return undefined;
  const root = locations.find(({ path, backend }) => path === "/" && backend !== undefined);
  const cluster = root?.backend && readBackend(root.backend, root, { loadBalancing: "round-robin" }, context);
  const lost = (Object.keys(of.values) as NginxAnnotation[]).filter(
    (name) => name !== "ssl-passthrough" && nginxAnnotations[name].invalid === "refuse",
  );
  if (lost.length > 0) {
    const message = `ssl-passthrough: ${lost.sort().join(", ")} hold for plain HTTP alone, as with ingress-nginx`;
    context.report.warn(of.ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf("ssl-passthrough"));
  }
  if (cluster) return { kind: "tcp", owner: of.ingress.ref, backends: [{ cluster, weight: 1 }] };
  const message = "ssl-passthrough has no effect: the host has no Service for the path /";
  context.report.warn(of.ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf("ssl-passthrough"));
  return undefined;
}
