import { settingsRef } from "../../schema/settings.js";
import { extensionCluster, readExtensionService } from "../backends/extension-service.js";
import type { Reader, Report } from "../core/reader.js";
import { type Authorization, readGlobalAuthorization } from "./authorization.js";

/** Services that the settings configure for all requests of all hosts. */
export interface GlobalServices {
  readonly authorization?: Authorization;
  readonly rateLimits?: RateLimitService;
  readonly tracing?: Tracing;
}

/** A gRPC service as an extension cluster. */
interface Service {
  readonly cluster: string;
  readonly authority: string;
  /** In ms; undefined is the default of the filter that uses it. */
  readonly timeoutMs?: number;
}

export interface RateLimitService extends Service {
  readonly domain: string;
  readonly failOpen: boolean;
  readonly limitHeaders: boolean;
  readonly resourceExhausted: boolean;
}

export interface Tracing extends Service {
  readonly serviceName: string;
  /** Percentages. */
  readonly overall: number;
  readonly client: number;
  readonly random: number;
  readonly maxPathTagLength: number;
  readonly tags: readonly TracingTag[];
}

export interface TracingTag {
  readonly tag: string;
  readonly kind: "literal" | "request-header" | "environment";
  readonly value: string;
}

/**
 * Reads the services. If an ExtensionService is missing, its filter stays (and refuses or allows requests according to
 * `failOpen`), except for tracing, which is off. Adds findings to the report, if there is one.
 */
export function readGlobalServices(reader: Reader, report?: Report): GlobalServices {
  const authorization = readGlobalAuthorization(reader);
  const fields = reader.settings.globalExtAuth;
  if (authorization && "problem" in authorization) {
    const { reason, message, field } = authorization.problem;
    const refused = `${message}; all requests are refused`;
    report?.error(settingsRef, "AuthError", reason, refused, `globalExtAuth${field}`);
  } else if (authorization && !authorization.found) {
    missing(
      report,
      "globalExtAuth",
      fields?.failOpen ? "all requests are let through" : "all requests are refused",
    );
  }
  const rateLimits = readRateLimitService(reader, report);
  const tracing = readTracing(reader, report);
  return {
    ...(authorization
      ? { authorization: "authorization" in authorization ? authorization.authorization : unavailable }
      : {}),
    ...(rateLimits ? { rateLimits } : {}),
    ...(tracing ? { tracing } : {}),
  };
}

/** A service that does not exist: invalid settings must not disable authorization. */
const unavailable: Authorization = {
  cluster: extensionCluster({ namespace: "", name: "" }),
  authority: "nobody",
  failOpen: false,
};

function missing(report: Report | undefined, setting: string, effect: string): void {
  const message = `the ExtensionService of ${setting} is not found or not valid: ${effect}`;
  report?.error(settingsRef, "SpecError", "ExtensionServiceNotFound", message, `${setting}.extensionService`);
}

function readService(reader: Reader, text: string | undefined): { service: Service; found: boolean } {
  const [namespace = "", name = ""] = (text ?? "").split("/");
  const cluster = extensionCluster({ namespace, name });
  const extension = readExtensionService(reader, namespace, name);
  const service: Service = {
    cluster,
    authority: extension?.cluster.sni || cluster.replaceAll("/", "."),
    ...(extension?.responseMs === undefined ? {} : { timeoutMs: extension.responseMs }),
  };
  return { service, found: extension !== undefined };
}

function readRateLimitService(reader: Reader, report: Report | undefined): RateLimitService | undefined {
  const fields = reader.settings.rateLimitService;
  if (!fields) return undefined;
  const { service, found } = readService(reader, fields.extensionService);
  if (!found) {
    const effect = fields.failOpen ? "nothing is limited" : "requests with a global rate limit are refused";
    missing(report, "rateLimitService", effect);
  }
  return {
    ...service,
    domain: fields.domain || "contour",
    failOpen: fields.failOpen,
    limitHeaders: fields.enableXRateLimitHeaders,
    resourceExhausted: fields.enableResourceExhaustedCode,
  };
}

/** Contour's span tags: the pod's name and namespace from Envoy's environment. */
const podTags: readonly TracingTag[] = [
  { tag: "podName", kind: "environment", value: "HOSTNAME" },
  { tag: "podNamespace", kind: "environment", value: "CONTOUR_NAMESPACE" },
];

function readTracing(reader: Reader, report: Report | undefined): Tracing | undefined {
  const fields = reader.settings.tracing;
  if (!fields) return undefined;
  const { service, found } = readService(reader, fields.extensionService);
  if (!found) {
    missing(report, "tracing", "nothing is traced");
    return undefined;
  }
  const tags = fields.customTags.flatMap(({ tagName, literal, requestHeaderName }): TracingTag[] => {
    if (literal) return [{ tag: tagName, kind: "literal", value: literal }];
    return requestHeaderName ? [{ tag: tagName, kind: "request-header", value: requestHeaderName }] : [];
  });
  return {
    ...service,
    serviceName: fields.serviceName,
    overall: fields.overallSampling,
    client: fields.clientSampling,
    random: fields.randomSampling,
    maxPathTagLength: fields.maxPathTagLength,
    tags: [...(fields.includePodDetail ? podTags : []), ...tags],
  };
}
