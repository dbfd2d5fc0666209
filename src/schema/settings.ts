import { z } from "zod";
import { parseTimeout } from "./duration.js";
import { type Finding, type ObjectOf, refOf } from "./meta.js";

const timeout = z.string().refine((text) => !("error" in parseTimeout(text)), {
  error: 'write a duration such as "15s" or "infinity"',
});
const version = z.enum(["1.2", "1.3"]);
const portNumber = z.int().min(1).max(65535);
const count = z.int().min(1).max(4294967295);

/** Every setting with its default. Names are ours; Contour's own keys are turned into them (see `aliases`). */
const settingsSpec = z.strictObject({
  endpoints: z.enum(["auto", "eds", "inline", "service"]).default("auto"),
  secrets: z.enum(["sds", "inline"]).default("sds"),
  xdsCluster: z.string().min(1).default("isoline"),
  ingressClassNames: z.array(z.string().min(1)).default([]),
  rootNamespaces: z.array(z.string().min(1)).default([]),
  disablePermitInsecure: z.boolean().default(false),
  enableExternalNameService: z.boolean().default(false),
  disableMergeSlashes: z.boolean().default(false),
  disableAllowChunkedLength: z.boolean().default(false),
  stripTrailingHostDot: z.boolean().default(false),
  useProxyProtocol: z.boolean().default(false),
  xffNumTrustedHops: z.int().min(0).default(0),
  serverHeaderTransformation: z.enum(["overwrite", "append_if_absent", "pass_through"]).default("overwrite"),
  compression: z.enum(["gzip", "brotli", "zstd", "disabled"]).default("gzip"),
  dnsLookupFamily: z.enum(["auto", "v4", "v6", "all"]).default("auto"),
  httpVersions: z
    .array(
      z
        .string()
        .transform((text) => text.toUpperCase())
        .pipe(z.enum(["HTTP/1.1", "HTTP/2"])),
    )
    .default([]),
  http: z
    .strictObject({
      address: z.string().default("0.0.0.0"),
      port: portNumber.default(8080),
      accessLog: z.string().default("/dev/stdout"),
    })
    .prefault({}),
  https: z
    .strictObject({
      address: z.string().default("0.0.0.0"),
      port: portNumber.default(8443),
      accessLog: z.string().default("/dev/stdout"),
    })
    .prefault({}),
  stats: z.strictObject({ address: z.string().default("0.0.0.0"), port: portNumber.default(8002) }).prefault({}),
  tls: z
    .strictObject({
      minimumProtocolVersion: version.default("1.2"),
      maximumProtocolVersion: version.default("1.3"),
      cipherSuites: z.array(z.string()).default([]),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      requestTimeout: timeout.optional(),
      connectionIdleTimeout: timeout.optional(),
      streamIdleTimeout: timeout.optional(),
      maxConnectionDuration: timeout.optional(),
      delayedCloseTimeout: timeout.optional(),
      connectionShutdownGracePeriod: timeout.optional(),
      connectTimeout: timeout.optional(),
    })
    .prefault({}),
  listener: z
    .strictObject({
      connectionBalancer: z.enum(["", "exact"]).default(""),
      maxRequestsPerConnection: count.optional(),
      perConnectionBufferLimitBytes: count.optional(),
      httpMaxConcurrentStreams: count.optional(),
    })
    .prefault({}),
});

export type SettingsSpec = z.output<typeof settingsSpec>;
export type Settings = ObjectOf<"Settings", SettingsSpec>;

export const defaultSettings: SettingsSpec = settingsSpec.parse({});

/** Where a key of Contour's configuration file goes, after its words are joined in camelCase. */
const aliases: Readonly<Record<string, string>> = {
  defaultHttpVersions: "httpVersions",
  "health.address": "stats.address",
  "health.port": "stats.port",
  "metrics.address": "stats.address",
  "metrics.port": "stats.port",
  "logging.accessLogFormat": "accesslogFormat",
  "listener.compression.algorithm": "compression",
  "listener.tls.minimumProtocolVersion": "tls.minimumProtocolVersion",
  "listener.tls.maximumProtocolVersion": "tls.maximumProtocolVersion",
  "listener.tls.cipherSuites": "tls.cipherSuites",
  "httpproxy.disablePermitInsecure": "disablePermitInsecure",
  "httpproxy.rootNamespaces": "rootNamespaces",
  "compression.algorithm": "compression",
  "cluster.dnsLookupFamily": "dnsLookupFamily",
  "network.numTrustedHops": "xffNumTrustedHops",
  "network.stripTrailingHostDot": "stripTrailingHostDot",
  "ingress.classNames": "ingressClassNames",
  "ingress.className": "ingressClassNames",
  httpAddress: "http.address",
  httpPort: "http.port",
  httpsAddress: "https.address",
  httpsPort: "https.port",
  statsAddress: "stats.address",
  statsPort: "stats.port",
  httpAccessLog: "http.accessLog",
  httpsAccessLog: "https.accessLog",
  "listener.serverHeaderTransformation": "serverHeaderTransformation",
  "listener.disableMergeSlashes": "disableMergeSlashes",
  "listener.disableAllowChunkedLength": "disableAllowChunkedLength",
  "listener.useProxyProtocol": "useProxyProtocol",
};

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);
const camel = (key: string): string => key.replace(/[-_]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Copies a tree with keys in camelCase and Contour's places exchanged for ours. */
function normalize(input: Tree, into: Tree, path = ""): void {
  for (const [key, value] of Object.entries(input)) {
    if (key === "__proto__") continue;
    // ContourConfiguration keeps under `envoy` what the file has at its top.
    const parent = path === "envoy" ? "" : path;
    const name = parent ? `${parent}.${camel(key)}` : camel(key);
    const target = aliases[name] ?? name;
    if (isTree(value)) normalize(value, into, name);
    else assign(into, target.split("."), value);
  }
}

function assign(into: Tree, [head = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const next = Object.hasOwn(into, head) && isTree(into[head]) ? (into[head] as Tree) : {};
  into[head] = next;
  assign(next, rest, value);
}

const about = refOf("Settings", "", "isoline");

/**
 * Reads settings, or Contour's configuration file. A key that is not known is a warning, a wrong value an error; both
 * leave the default in place.
 */
export function parseSettings(input: unknown): { settings: Settings; findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const add = (severity: Finding["severity"], path: string, message: string): void => {
    findings.push({ about, severity, type: "SettingsError", reason: severity === "error" ? "Invalid" : "Unknown", message, path });
  };
  const tree: Tree = {};
  if (isTree(input)) normalize(input, tree);
  else if (input !== undefined && input !== null) add("error", "", "settings are a map of keys to values");

  // Each pass removes what was refused, so a handful of passes always ends in settings that hold.
  for (let pass = 0; pass < 50; pass++) {
    const parsed = settingsSpec.safeParse(tree);
    if (parsed.success) return { settings: settingsObject(parsed.data), findings };
    for (const issue of parsed.error.issues) {
      const path = issue.path.map(String);
      if (issue.code === "unrecognized_keys") {
        for (const key of issue.keys) {
          const full = [...path, key];
          add("warning", full.join("."), `setting ${JSON.stringify(full.join("."))} is not known and has no effect`);
          remove(tree, full);
        }
      } else {
        add("error", path.join("."), `setting ${JSON.stringify(path.join("."))}: ${issue.message}; the default is used`);
        remove(tree, path);
      }
    }
  }
  return { settings: settingsObject(defaultSettings), findings };
}

function remove(tree: Tree, path: readonly string[]): void {
  const [head = "", ...rest] = path;
  const next = tree[head];
  if (rest.length > 0 && isTree(next)) remove(next, rest);
  else delete tree[head];
}

const settingsObject = (spec: SettingsSpec): Settings => ({
  kind: "Settings",
  ref: about,
  meta: { name: "isoline", namespace: "", generation: 0, created: "", annotations: {} },
  spec,
});
