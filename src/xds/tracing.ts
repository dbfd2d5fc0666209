import type { HttpConnectionManager } from "../gen/envoy.js";
import type { Tracing, TracingTag } from "../graph/policies/global-services.js";
import { grpcService } from "./grpc-service.js";

type WrittenTracing = NonNullable<HttpConnectionManager["tracing"]>;

function writeTag({ tag, kind, value }: TracingTag): NonNullable<WrittenTracing["custom_tags"]>[number] {
  if (kind === "literal") return { tag, literal: { value } };
  return kind === "environment"
    ? { tag, environment: { name: value } }
    : { tag, request_header: { name: value } };
}

/** Sends spans to an OpenTelemetry collector. */
export const writeTracing = (tracing: Tracing): WrittenTracing => ({
  client_sampling: { value: tracing.client },
  random_sampling: { value: tracing.random },
  overall_sampling: { value: tracing.overall },
  max_path_tag_length: tracing.maxPathTagLength,
  ...(tracing.tags.length > 0 ? { custom_tags: tracing.tags.map(writeTag) } : {}),
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      grpc_service: grpcService(tracing),
      service_name: tracing.serviceName,
    },
  },
  spawn_upstream_span: true,
});
