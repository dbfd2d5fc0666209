import { readSize } from "../../../schema/ingress-nginx.js";
import type { NginxPhases } from "../../policies/nginx-phases.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import type { NginxLocation } from "./locations.js";

const mebibyte = 1024 * 1024;
/** Envoy's buffer for a connection, without the setting. */
const usualBuffer = mebibyte;
/** Bodies of unknown length are kept in Envoy's memory up to this limit. */
const maxWhole = 16 * mebibyte;

/** Reads `proxy-body-size`: the limit for bodies of requests. */
export function readBodies(
  { of: { values } }: NginxLocation,
  { config: { options }, reader: { settings } }: NginxHostContext,
  notes: Notes,
): Pick<NginxPhases, "bodyLimit" | "wholeBodies"> {
  if (values["proxy-request-buffering"] === "on")
    notes.ignore(
      "proxy-request-buffering",
      "proxy-request-buffering: bodies with Content-Length are sent on as they come",
    );
  const asked = values["proxy-body-size"] ?? readSize(options["proxy-body-size"] ?? "");
  const bodyLimit = asked ?? mebibyte;
  if (bodyLimit === 0) return {};
  const protocol = values["backend-protocol"] ?? "HTTP";
  const isStreamed = (values["proxy-request-buffering"] ?? options["proxy-request-buffering"]) === "off";
  const lost = protocol.startsWith("GRPC")
    ? "gRPC"
    : isStreamed || bodyLimit > maxWhole
      ? "requests without Content-Length"
      : undefined;
  if (lost && values["proxy-body-size"] !== undefined)
    notes.ignore(
      "proxy-body-size",
      `proxy-body-size: bodies of ${lost} are not limited${bodyLimit > maxWhole ? `, because the limit exceeds ${maxWhole / mebibyte} MiB` : ""}`,
    );
  if (lost) return { bodyLimit };
  const buffer = settings.listener.perConnectionBufferLimitBytes ?? usualBuffer;
  return { bodyLimit, wholeBodies: { raised: bodyLimit > buffer } };
}
