import { z } from "zod";
import { parseTimeout } from "./duration.js";
import { name, oneLine, port, text, uint32 } from "./fields.js";
import { globalRateLimit } from "./httpproxy-policies.js";
import { authorization } from "./httpproxy-virtualhost.js";
import { isRecord, schemaError, schemaFindings } from "./issues.js";
import { type Finding, type ObjectOf, refOf } from "./meta.js";
import { flattenSettings, groupsOf } from "./settings-keys.js";

const timeout = z.string().refine((value) => !("error" in parseTimeout(value)), {
  error: 'must be a duration such as "15s", or "infinity"',
});
const version = z.enum(["1.2", "1.3"]);
const count = uint32.min(1);
const names = z.array(name).default([]);
const flag = z.boolean().default(false);
const reference = z.object({ namespace: text, name: text });
const listenAddress = { address: name.default("0.0.0.0") };
const accessLogPath = z.string().default("/dev/stdout");
const headers = z
  .object({ set: z.record(z.string(), z.string()).default({}), remove: z.array(z.string()).default([]) })
  .prefault({});
/** Contour's list: for one name that it does not know Envoy loads no certificate at all. */
const cipherSuite = z.enum([
  "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
  "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-RSA-AES128-SHA",
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-RSA-AES256-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
]);
const protocol = {
  minimumProtocolVersion: version.default("1.2"),
  maximumProtocolVersion: version.default("1.3"),
  /** Empty: Envoy's own choice. */
  cipherSuites: z.array(cipherSuite).default([]),
  ecdhCurves: names,
};
/** Contour writes percentages as text. */
const percent = z
  .union([z.string(), z.number()])
  .transform(Number)
  .pipe(z.number({ error: 'must be a percentage such as "12.5"' }).min(0).max(100))
  .default(100);
const httpVersion = z
  .string()
  .transform((value) => value.toUpperCase())
  .pipe(z.enum(["HTTP/1.1", "HTTP/2"]));

/**
 * Every setting with its default. Names are ours; keys of Contour's configuration file are turned into them
 * (`settings-keys.ts`). Objects with `.prefault({})` are groups, whose keys are looked up one by one.
 */
const settingsSpec = z.object({
  endpoints: z.enum(["auto", "eds", "inline", "service"]).default("auto"),
  secrets: z.enum(["sds", "inline"]).default("sds"),
  /** The Envoy cluster that polls this control plane. */
  xdsCluster: name.default("isoline"),
  ingressClassNames: names,
  /** Written to the status of what is served. */
  ingressStatusAddress: z.string().default(""),
  /** Where roots may live; empty: anywhere. */
  rootNamespaces: names,
  /** What is read; empty: everything. */
  watchNamespaces: names,
  disablePermitInsecure: flag,
  enableExternalNameService: flag,
  disableMergeSlashes: flag,
  disableAllowChunkedLength: flag,
  stripTrailingHostDot: flag,
  useProxyProtocol: flag,
  xffNumTrustedHops: uint32.default(0),
  serverHeaderTransformation: z.enum(["overwrite", "append_if_absent", "pass_through"]).default("overwrite"),
  compression: z.enum(["gzip", "brotli", "zstd", "disabled"]).default("gzip"),
  dnsLookupFamily: z.enum(["auto", "v4", "v6", "all"]).default("auto"),
  /** Empty: both. */
  httpVersions: z.array(httpVersion).default([]),
  http: z.object({ ...listenAddress, port: port.default(8080), accessLog: accessLogPath }).prefault({}),
  https: z.object({ ...listenAddress, port: port.default(8443), accessLog: accessLogPath }).prefault({}),
  stats: z.object({ ...listenAddress, port: port.default(8002) }).prefault({}),
  accessLog: z
    .object({
      format: z.enum(["envoy", "json"]).default("envoy"),
      formatString: z.string().default(""),
      jsonFields: names,
      level: z.enum(["info", "error", "critical", "disabled"]).default("info"),
    })
    .prefault({}),
  tls: z
    .object({
      ...protocol,
      fallbackCertificate: reference.optional(),
      envoyClientCertificate: reference.optional(),
    })
    .prefault({}),
  timeouts: z
    .object({
      requestTimeout: timeout.optional(),
      connectionIdleTimeout: timeout.optional(),
      streamIdleTimeout: timeout.optional(),
      maxConnectionDuration: timeout.optional(),
      delayedCloseTimeout: timeout.optional(),
      connectionShutdownGracePeriod: timeout.optional(),
      connectTimeout: timeout
        .refine((value) => !value.startsWith("infini"), {
          error: "must have an end: connecting may not last for ever",
        })
        .optional(),
    })
    .prefault({}),
  listener: z
    .object({
      connectionBalancer: z.enum(["", "exact"]).default(""),
      maxRequestsPerConnection: count.optional(),
      perConnectionBufferLimitBytes: count.optional(),
      httpMaxConcurrentStreams: count.max(2147483647).optional(),
      maxRequestsPerIOCycle: count.optional(),
      maxConnectionsPerListener: count.optional(),
      maxConnectionsToAcceptPerSocketEvent: count.optional(),
      socketOptions: z
        .object({ tos: z.int().min(0).max(255).default(0), trafficClass: z.int().min(0).max(255).default(0) })
        .prefault({}),
    })
    .prefault({}),
  cluster: z
    .object({
      maxRequestsPerConnection: count.optional(),
      perConnectionBufferLimitBytes: count.optional(),
      circuitBreakers: z
        .object({
          maxConnections: uint32.optional(),
          maxPendingRequests: uint32.optional(),
          maxRequests: uint32.optional(),
          maxRetries: uint32.optional(),
          perHostMaxConnections: uint32.optional(),
        })
        .prefault({}),
      upstreamTls: z.object(protocol).prefault({}),
    })
    .prefault({}),
  policy: z.object({ requestHeaders: headers, responseHeaders: headers, applyToIngress: flag }).prefault({}),
  rateLimitService: z
    .object({
      extensionService: text,
      domain: z.string().default("contour"),
      failOpen: flag,
      enableXRateLimitHeaders: flag,
      enableResourceExhaustedCode: flag,
      defaultGlobalRateLimitPolicy: globalRateLimit.optional(),
    })
    .optional(),
  globalExtAuth: authorization.safeExtend({ extensionService: text }).optional(),
  tracing: z
    .object({
      extensionService: name,
      includePodDetail: z.boolean().default(true),
      serviceName: z.string().default("contour"),
      overallSampling: percent,
      clientSampling: percent,
      randomSampling: percent,
      maxPathTagLength: uint32.default(256),
      customTags: z
        .array(z.object({ tagName: name, literal: text, requestHeaderName: oneLine.optional() }))
        .default([]),
    })
    .optional(),
  runtimeSettings: z.record(z.string(), z.string()).default({}),
});

/** All settings, each with its default filled in; timeouts as they were written. */
export type SettingsSpec = z.output<typeof settingsSpec>;
/** Settings as one more object of the store, under `Settings//isoline`. */
export type Settings = ObjectOf<"Settings", SettingsSpec>;

export const defaultSettings: SettingsSpec = settingsSpec.parse({});

const groups = groupsOf(settingsSpec);
export const settingsRef = refOf("Settings", "", "isoline");
const about = settingsRef;

/**
 * Reads settings, or Contour's configuration file. A key without effect is a warning, a wrong value an error; both leave
 * the default in place.
 */
export function parseSettings(input: unknown): { settings: Settings; findings: readonly Finding[] } {
  if (input !== undefined && input !== null && !isRecord(input)) {
    return {
      settings: settingsObject(defaultSettings),
      findings: [schemaError(about, "settings must be a map of keys to values")],
    };
  }
  const { tree, written, findings } = flattenSettings(input ?? {}, groups, about);
  let parsed = settingsSpec.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const depth = issue.path.findIndex((_, i) => written.has(issue.path.slice(0, i + 1).join("."))) + 1;
      const leaf = issue.path.slice(0, depth).map(String);
      const key = written.get(leaf.join(".")) ?? leaf.join(".");
      const found = { ...issue, path: issue.path.slice(depth) };
      const value = valueAt(tree, leaf);
      if (value === undefined) continue;
      for (const finding of schemaFindings(about, [found], value, [], false)) {
        const effect = leaf[0] === "globalExtAuth" ? "all requests are refused" : "the default is used";
        findings.push({
          ...finding,
          message: `${finding.message}; ${effect}`,
          path: joinPath(key, finding.path),
        });
      }
    }
    for (const issue of parsed.error.issues) removeLeaf(tree, issue.path, written);
    parsed = settingsSpec.safeParse(tree);
  }
  return { settings: settingsObject(checkRange(parsed.data ?? defaultSettings, findings)), findings };
}

type Tree = Record<string, unknown>;
type Path = readonly PropertyKey[];

const joinPath = (key: string, rest: string | undefined): string =>
  rest ? `${key}${rest.startsWith("[") ? "" : "."}${rest}` : key;

const valueAt = (tree: Tree, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), tree);

/** Removes the setting that an issue's path points to or into. */
function removeLeaf(tree: Tree, path: Path, written: ReadonlyMap<string, string>): void {
  const depth = path.findIndex((_, i) => written.has(path.slice(0, i + 1).join(".")));
  const parent = valueAt(tree, path.slice(0, depth).map(String));
  if (depth < 0 || !isRecord(parent)) return;
  // Whoever wrote this wants nobody to come in unasked: without a service to ask nobody comes in at all.
  if (path[depth] === "globalExtAuth") (parent as Tree).globalExtAuth = {};
  else delete (parent as Tree)[String(path[depth])];
}

function checkRange(spec: SettingsSpec, findings: Finding[]): SettingsSpec {
  if (spec.tls.minimumProtocolVersion <= spec.tls.maximumProtocolVersion) return spec;
  findings.push(
    schemaError(
      about,
      "is greater than the maximum; the defaults (1.2 to 1.3) are used",
      "tls.minimumProtocolVersion",
    ),
  );
  const { minimumProtocolVersion, maximumProtocolVersion } = defaultSettings.tls;
  return { ...spec, tls: { ...spec.tls, minimumProtocolVersion, maximumProtocolVersion } };
}

const settingsObject = (spec: SettingsSpec): Settings => ({
  kind: "Settings",
  ref: about,
  meta: { name: "isoline", namespace: "", generation: 0, created: "", annotations: {} },
  spec,
});
