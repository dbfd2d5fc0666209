import { z } from "zod";
import { formatStringProblem, jsonFieldProblem, readLogFormat } from "./access-log.js";
import { readAdminEndpoints } from "./admin-endpoints.js";
import { budgets } from "./budgets.js";
import { configurationSpec } from "./contour-configuration.js";
import { readTimeout, settingsTimeout as timeout } from "./duration.js";
import { joinPaths } from "./field-path.js";
import { forbiddenHost, name, oneLine, port, text, uint32, wildcardHostname } from "./fields.js";
import { gatewaySettings } from "./gateway-settings.js";
import { defaultHeadersProblem, headerNameProblem } from "./header-names.js";
import { http3 } from "./http3.js";
import { globalRateLimit } from "./httpproxy-policies.js";
import { authorization } from "./httpproxy-virtualhost.js";
import { ingressNginx } from "./ingress-nginx-settings.js";
import { isRecord, schemaError, schemaFindings } from "./issues.js";
import { separatePorts } from "./listener-ports.js";
import { type Finding, type ObjectOf, refOf } from "./meta.js";
import { isLabel } from "./names.js";
import { polls, pollsProblem } from "./polls.js";
import { configurationForm, flattenSettings, overlaySettings, settingsForm } from "./settings-keys.js";
import { isCipherSuite, isCurve } from "./tls-names.js";
import { tracing } from "./tracing-settings.js";

const defaultConnectTimeout = "2s";
const version = z.enum(["1.2", "1.3"]);
const count = uint32.min(1);
const names = z.array(name).default([]);
const clusterName = z.string().refine(isLabel, { error: "must be a DNS label, such as east-1" });
const flag = z.boolean().default(false);
const reference = z.object({ namespace: text, name: text });
const otherAddress = { address: name.optional(), port: port.optional() };
/** The path of a file on Envoy's machine; empty for no file. */
const file = z.string().default("");
const listenAddress = { address: name.default("0.0.0.0") };
/** An empty path is the default, as in Contour. */
const accessLogPath = z
  .string()
  .default("")
  .transform((path) => path || "/dev/stdout");
/** Text that is valid when `problem` returns undefined. */
const checked = (problem: (text: string) => string | undefined): z.ZodString =>
  z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message) context.addIssue({ code: "custom", message });
  });
/** Texts in order of preference, each once. */
const preferences = (isValid: (text: string) => boolean, error: string) =>
  z
    .array(z.string().refine(isValid, { error }))
    .default([])
    .transform((values) => [...new Set(values)]);
const headers = (kind: "request" | "response") =>
  z
    .object({
      set: z
        .record(z.string(), z.string())
        .default({})
        .superRefine((set, context) => {
          const problem = defaultHeadersProblem(set, kind);
          if (problem) context.addIssue({ code: "custom", message: problem.message, path: [problem.key] });
        }),
      remove: z.array(checked(headerNameProblem)).default([]),
    })
    .prefault({});
const protocol = {
  minimumProtocolVersion: version.default("1.2"),
  maximumProtocolVersion: version.default("1.3"),
  /** Empty: Envoy's default. */
  cipherSuites: preferences(isCipherSuite, "is not a TLS 1.2 cipher suite that Envoy supports"),
  ecdhCurves: preferences(isCurve, "is not a curve that Envoy supports"),
};
/** The kinds that Contour's flag `--disable-feature` can exclude. */
export const features = [
  "extensionservices",
  "tlsroutes",
  "grpcroutes",
  "tcproutes",
  "udproutes",
  "backendtlspolicies",
] as const;
const httpVersion = z
  .string()
  .transform((value) => value.toUpperCase())
  .pipe(z.enum(["HTTP/1.1", "HTTP/2"]));

/**
 * Every setting with its default. The names are Isoline's; `settings-keys.ts` maps keys of Contour's configuration
 * file to them. An object with `.prefault({})` is a group: each of its keys is a setting.
 */
export const settingsSpec = z.object({
  endpoints: z.enum(["auto", "eds", "inline", "service"]).default("auto"),
  routeShards: z.union([z.literal(1), z.literal(16), z.literal("auto")]).default("auto"),
  secrets: z.enum(["sds", "inline"]).default("sds"),
  /** The Envoy cluster that polls this control plane. */
  xdsCluster: name.default("isoline"),
  polls,
  ingressClassNames: names,
  /** The address that statuses of served objects contain. */
  ingressStatusAddress: z.string().default(""),
  /** The namespaces that may contain roots; empty: all. */
  rootNamespaces: names,
  /**
   * The namespaces that may claim a host, or the hosts under a wildcard. Any namespace may claim a host without an
   * entry.
   */
  hostOwners: z.array(z.object({ host: wildcardHostname, namespaces: z.array(name).min(1) })).default([]),
  /** Includes and delegations across namespaces require the annotation `isoline.dev/included-by` on their target. */
  requireIncludedBy: flag,
  /** Whether endpoints may have loopback addresses: never, always, or only in objects of the listed namespaces. */
  allowLoopbackEndpoints: z
    .union([z.boolean(), z.array(name)], { error: "must be true, false or a list of namespaces" })
    .default(false),
  /** Hosts that no backend may have, in addition to the fixed ones: names, `*.suffix`, and CIDR blocks. */
  forbiddenHosts: z.array(forbiddenHost).default([]),
  /** The namespaces that are read; empty: all. */
  watchNamespaces: names,
  /** The limit of pushed sources. */
  maxSources: count.max(10_000).default(100),
  /** For pushes: when the edit of an object is not valid and would stop its routes, the previous text stays in use. */
  keepLastGood: z.boolean().default(true),
  /** The served Gateway. Without it, the kinds of the Gateway API have no effect. */
  gatewayRef: z.object({ namespace: name, name }).optional(),
  gateway: gatewaySettings,
  /** The excluded kinds, by Contour's names. */
  disableFeatures: z.array(z.enum(features)).default([]),
  /** The followed Kubernetes clusters. When their objects conflict, the object of the earlier cluster is used. */
  clusters: z
    .array(
      z.object({
        name: clusterName,
        /** Endpoints with a higher number get requests only when the endpoints with lower numbers are unhealthy. */
        priority: z.int().min(0).max(127).default(0),
        region: oneLine.optional(),
        zone: oneLine.optional(),
        /** The share of the requests of its priority. Without weights, each cluster's share is its number of endpoints. */
        weight: count.max(1000).optional(),
      }),
    )
    .default([]),
  budgets,
  /** Ingresses that are served as ingress-nginx serves them. */
  ingressNginx,
  disablePermitInsecure: flag,
  /** For an HTTPProxy with an invalid route: drop all its routes, as Contour does, or answer 503 for that route. */
  invalidRoutes: z.enum(["drop-object", "keep-valid"]).default("drop-object"),
  enableExternalNameService: flag,
  disableMergeSlashes: flag,
  /** The treatment of `%2f` and `%5c` in a path before normalization. */
  escapedSlashes: z.enum(["keep", "reject", "unescape"]).default("keep"),
  disableAllowChunkedLength: flag,
  stripTrailingHostDot: flag,
  useProxyProtocol: flag,
  xffNumTrustedHops: uint32.default(0),
  serverHeaderTransformation: z.enum(["overwrite", "append_if_absent", "pass_through"]).default("overwrite"),
  compression: z.enum(["gzip", "brotli", "zstd", "disabled"]).default("gzip"),
  dnsLookupFamily: z.enum(["auto", "v4", "v6", "all"]).default("auto"),
  /** Empty: both. */
  httpVersions: z.array(httpVersion).default([]),
  http3,
  http: z.object({ ...listenAddress, port: port.default(8080), accessLog: accessLogPath }).prefault({}),
  https: z.object({ ...listenAddress, port: port.default(8443), accessLog: accessLogPath }).prefault({}),
  stats: z.object({ ...listenAddress, port: port.default(8002) }).prefault({}),
  /** `health` and `metrics` default to the address and port of `stats`. */
  health: z.object(otherAddress).prefault({}),
  metrics: z
    .object({ ...otherAddress, tls: z.object({ certFile: file, keyFile: file, caFile: file }).prefault({}) })
    .prefault({}),
  /** Without a port, this listener does not exist. */
  omEnforcedHealth: z.object({ ...listenAddress, port: port.optional() }).prefault({}),
  accessLog: z
    .object({
      /** With a `formatString` and no `format`, the format is `envoy` (text). */
      format: z.enum(["envoy", "json"]).default("json"),
      /** Empty: Envoy's default. */
      formatString: checked(formatStringProblem).default(""),
      /** Empty: Contour's default. */
      jsonFields: z.array(checked(jsonFieldProblem)).default([]),
      level: z.enum(["info", "error", "critical", "disabled"]).default("info"),
    })
    .prefault({}),
  tls: z
    .object({
      ...protocol,
      fingerprint: z.object({ ja3: flag, ja4: flag }).prefault({}),
      fallbackCertificate: reference.optional(),
      envoyClientCertificate: reference.optional(),
    })
    .prefault({}),
  timeouts: z
    .object({
      requestTimeout: timeout.optional(),
      connectionIdleTimeout: timeout.prefault("60s"),
      streamIdleTimeout: timeout.optional(),
      maxConnectionDuration: timeout.optional(),
      delayedCloseTimeout: timeout.optional(),
      connectionShutdownGracePeriod: timeout.optional(),
      // A zero is the default, too.
      connectTimeout: timeout
        .refine((value) => !value.startsWith("infini"), {
          error: "must be finite: a connection attempt needs a limit",
        })
        .transform((value) =>
          readTimeout(value).ms === undefined ? (defaultConnectTimeout as typeof value) : value,
        )
        .prefault(defaultConnectTimeout),
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
  policy: z
    .object({
      requestHeaders: headers("request"),
      responseHeaders: headers("response"),
      applyToIngress: flag,
    })
    .prefault({}),
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
  tracing: tracing.optional(),
  runtimeSettings: z.record(z.string(), z.string()).default({}),
});

/** All settings, with defaults for the missing ones; timeouts keep their text. */
export type SettingsSpec = z.output<typeof settingsSpec>;
/** Settings as an object of the store, with the ref `Settings//isoline`. */
export type Settings = ObjectOf<"Settings", SettingsSpec>;

export const defaultSettings: SettingsSpec = settingsSpec.parse({});

const form = settingsForm(settingsSpec);
export const settingsRef = refOf("Settings", "", "isoline");
const about = settingsRef;

/**
 * Reads settings, Contour's configuration file or a whole ContourConfiguration object. A key without effect gives a
 * warning, a wrong value an error; the default applies in both cases. `overrides` replace settings of the input.
 */
export function parseSettings(
  input: unknown,
  overrides: Readonly<Record<string, unknown>> = {},
): { settings: Settings; findings: readonly Finding[] } {
  const configuration = configurationSpec(input);
  const content = configuration ?? input ?? {};
  if (!isRecord(content)) {
    return {
      settings: settingsObject(defaultSettings),
      findings: [schemaError(about, "settings must be a map of keys to values")],
    };
  }
  const { tree, written, findings } = overlaySettings(
    flattenSettings(content, configuration === undefined ? form : configurationForm, about),
    flattenSettings(overrides, form, about),
  );
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
          path: joinPaths(key, finding.path ?? ""),
        });
      }
    }
    for (const issue of parsed.error.issues) removeLeaf(tree, issue.path, written);
    parsed = settingsSpec.safeParse(tree);
  }
  const checked = checkTogether(parsed.data ?? defaultSettings, findings);
  const { accessLog, warning } = readLogFormat(checked.accessLog, written);
  if (warning)
    findings.push({ about, severity: "warning", type: "SchemaError", reason: "ForgeableLog", ...warning });
  return { settings: settingsObject({ ...checked, accessLog }), findings };
}

type Tree = Record<string, unknown>;
type Path = readonly PropertyKey[];

const valueAt = (tree: Tree, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), tree);

/** Removes the setting that an issue's path points to or into. */
function removeLeaf(tree: Tree, path: Path, written: ReadonlyMap<string, string>): void {
  const depth = path.findIndex((_, i) => written.has(path.slice(0, i + 1).join(".")));
  const parent = valueAt(tree, path.slice(0, depth).map(String));
  if (depth < 0 || !isRecord(parent)) return;
  // The setting restricts access, so an invalid one must not open it: without a service, all requests are refused.
  if (path[depth] === "globalExtAuth") (parent as Tree).globalExtAuth = {};
  else delete (parent as Tree)[String(path[depth])];
}

/** Checks rules across settings that are valid one by one. */
function checkTogether(written: SettingsSpec, findings: Finding[]): SettingsSpec {
  const { spec, problems } = separatePorts(written);
  for (const { path, message } of problems) findings.push(schemaError(about, message, path));
  for (const { path, message } of readAdminEndpoints(spec).problems)
    findings.push(schemaError(about, message, path));
  if (
    spec.listener.socketOptions.trafficClass &&
    [spec.http, spec.https].some((at) => !at.address.includes(":"))
  ) {
    const message = "has no effect on a listener with an IPv4 address: Envoy would refuse it";
    const path = "listener.socketOptions.trafficClass";
    findings.push({ about, severity: "warning", type: "SchemaError", reason: "NoEffect", message, path });
  }
  const { tls, cluster } = spec;
  const unfit = pollsProblem(spec.polls);
  if (unfit)
    findings.push(schemaError(about, `${unfit}; the defaults (25s and 30s) are used`, "polls.timeout"));
  const noQuic = spec.http3.enabled && spec.useProxyProtocol;
  if (noQuic) {
    const message =
      "is not possible with useProxyProtocol: datagrams have no PROXY protocol, so the addresses of clients would be those of the load balancer; HTTP/3 is off";
    findings.push(schemaError(about, message, "http3.enabled"));
  }
  return {
    ...spec,
    ...(unfit ? { polls: defaultSettings.polls } : {}),
    ...(noQuic ? { http3: { ...spec.http3, enabled: false } } : {}),
    tls: { ...tls, ...protocolRange(tls, "tls", findings) },
    cluster: {
      ...cluster,
      upstreamTls: {
        ...cluster.upstreamTls,
        ...protocolRange(cluster.upstreamTls, "cluster.upstreamTls", findings),
      },
    },
  };
}

type Range = Pick<SettingsSpec["tls"], "minimumProtocolVersion" | "maximumProtocolVersion">;

/** The range, or the default and a finding when the range is empty. */
function protocolRange(range: Range, key: string, findings: Finding[]): Range {
  const { minimumProtocolVersion, maximumProtocolVersion } = range;
  if (minimumProtocolVersion <= maximumProtocolVersion)
    return { minimumProtocolVersion, maximumProtocolVersion };
  const message = "is greater than the maximum; the defaults (1.2 to 1.3) are used";
  findings.push(schemaError(about, message, `${key}.minimumProtocolVersion`));
  return { minimumProtocolVersion: "1.2", maximumProtocolVersion: "1.3" };
}

const settingsObject = (spec: SettingsSpec): Settings => ({
  kind: "Settings",
  ref: about,
  meta: { name: "isoline", namespace: "", generation: 0, created: "", annotations: {} },
  spec,
});
