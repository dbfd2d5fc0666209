import type { Json } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import type { SettingsSpec } from "../schema/settings.js";

type Values = { readonly [key: string]: Json };

/** Envoy's default limit is 100 RE2 instructions. It refuses the whole route table for a larger regular expression. */
const regexLimits: Values = {
  "re2.max_program_size.error_level": 1_048_576,
  "re2.max_program_size.warn_level": 1000,
};

/**
 * The values of the bootstrap's static runtime layer. A key of `runtimeSettings` that Isoline sets itself is omitted
 * and listed in `skipped`.
 */
export function runtimeValues(settings: SettingsSpec | undefined): {
  readonly values: Values;
  readonly skipped: readonly string[];
} {
  const { maxRequestsPerIOCycle: perCycle, maxConnectionsPerListener: connections } =
    settings?.listener ?? {};
  const limits = [ingressHttp, ingressHttps].map((name) => [
    `envoy.resource_limits.listener.${name}.connection_limit`,
    connections,
  ]);
  const managed: Values = {
    ...regexLimits,
    ...(perCycle ? { "http.max_requests_per_io_cycle": perCycle } : {}),
    ...(connections ? Object.fromEntries(limits) : {}),
  };
  const configured = settings?.runtimeSettings ?? {};
  return {
    values: { ...configured, ...managed },
    skipped: Object.keys(configured).filter((key) => Object.hasOwn(managed, key)),
  };
}
