import { readCluster } from "../../backends/backend.js";
import type { Cluster } from "../../backends/cluster.js";
import type { NginxErrorPages } from "../../policies/nginx-phases.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

/** Reads `custom-http-errors` and `default-backend`: pages of another Service in the namespace of the Ingress. */
export function readErrorPages(
  location: NginxLocation,
  context: NginxHostContext,
  notes: Notes,
): NginxErrorPages | undefined {
  const { values, ingress } = location.of;
  const codes = values["custom-http-errors"] ?? context.config.options["custom-http-errors"] ?? [];
  const cluster = readDefaultBackend(location, context, notes);
  if (!cluster)
    return codes.length > 0 && values["default-backend"] === undefined
      ? notes.ignore("custom-http-errors", "custom-http-errors has no effect without default-backend")
      : undefined;
  const { service } = location.backend ?? {};
  const port = service?.port?.number ?? service?.port?.name;
  return {
    codes,
    ...(values["disable-proxy-intercept-errors"] ? { ownOnly: true as const } : {}),
    cluster,
    headers: [
      { name: "x-namespace", value: ingress.meta.namespace },
      { name: "x-ingress-name", value: ingress.meta.name },
      ...(service ? [{ name: "x-service-name", value: service.name }] : []),
      ...(port === undefined ? [] : [{ name: "x-service-port", value: String(port) }]),
    ],
  };
}

function readDefaultBackend(
  { of: { values, ingress } }: NginxLocation,
  { reader }: NginxHostContext,
  notes: Notes,
): Cluster | undefined {
  const name = values["default-backend"];
  if (!name) return undefined;
  const { namespace } = ingress.meta;
  if (name.includes("/"))
    return notes.ignore("default-backend", "default-backend must be the name of a Service");
  const port = reader.get("Service", namespace, name)?.spec.ports?.[0]?.port;
  const { cluster, error } = readCluster(reader, namespace, name, port ?? 0);
  return cluster ?? notes.ignore("default-backend", `default-backend can't be used: ${error}`);
}
