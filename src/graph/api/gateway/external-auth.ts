import type { ExternalAuthFields } from "../../../schema/gateway-rules.js";
import type { ExternalAuth } from "../../policies/external-auth.js";
import { readReference } from "./backends.js";
import type { GatewayRouteContext } from "./problems.js";

/**
 * Reads a filter of type ExternalAuth. Undefined, with a finding, if its backend can't be used: requests of the rule
 * must be refused.
 */
export function readExternalAuth(
  context: GatewayRouteContext,
  { protocol, backendRef, grpc, http, forwardBody }: ExternalAuthFields,
  path: string,
): ExternalAuth | undefined {
  const usual = protocol === "GRPC" ? { usualProtocol: "h2c" as const } : {};
  const cluster = readReference(context, backendRef, `${path}.backendRef`, { ...usual, withTls: true });
  if (!cluster) return undefined;
  return {
    cluster,
    ...(protocol === "HTTP"
      ? { http: { pathPrefix: http?.path ?? "", upstreamHeaders: http?.allowedResponseHeaders ?? [] } }
      : {}),
    requestHeaders: (protocol === "HTTP" ? http : grpc)?.allowedHeaders ?? [],
    ...(forwardBody?.maxSize ? { maxBody: forwardBody.maxSize } : {}),
  };
}
