import { z } from "zod";
import { configurationKeys, foreignConfigurationKeys, joinReference } from "./contour-configuration.js";
import type { FindingCode } from "./finding-codes.js";
import { inspect, isRecord, schemaError } from "./issues.js";
import type { Finding, Ref } from "./meta.js";

/** The setting for a key of Contour's file or a flag of its `serve`; keys are in lower case without hyphens. */
const aliases: Readonly<Record<string, string>> = {
  defaulthttpversions: "httpVersions",
  "gateway.gatewayref": "gatewayRef",
  "compression.algorithm": "compression",
  "cluster.dnslookupfamily": "dnsLookupFamily",
  "network.numtrustedhops": "xffNumTrustedHops",
  "network.striptrailinghostdot": "stripTrailingHostDot",
  ingressclassname: "ingressClassNames",
  "ingress.classnames": "ingressClassNames",
  "ingress.statusaddress": "ingressStatusAddress",
  "httpproxy.rootnamespaces": "rootNamespaces",
  "httpproxy.disablepermitinsecure": "disablePermitInsecure",
  "httpproxy.fallbackcertificate": "tls.fallbackCertificate",
  httpaddress: "http.address",
  httpport: "http.port",
  envoyhttpaccesslog: "http.accessLog",
  httpaccesslog: "http.accessLog",
  httpsaddress: "https.address",
  httpsport: "https.port",
  envoyhttpsaccesslog: "https.accessLog",
  httpsaccesslog: "https.accessLog",
  statsaddress: "stats.address",
  statsport: "stats.port",
  "metrics.envoy.address": "metrics.address",
  "metrics.envoy.port": "metrics.port",
  "metrics.envoy.servercertificatepath": "metrics.tls.certFile",
  "metrics.envoy.serverkeypath": "metrics.tls.keyFile",
  "metrics.envoy.cacertificatepath": "metrics.tls.caFile",
  "omenforcedhealthlistener.address": "omEnforcedHealth.address",
  "omenforcedhealthlistener.port": "omEnforcedHealth.port",
  accesslogformat: "accessLog.format",
  accesslogformatstring: "accessLog.formatString",
  jsonfields: "accessLog.jsonFields",
  accesslogfields: "accessLog.jsonFields",
  accesslogjsonfields: "accessLog.jsonFields",
  accessloglevel: "accessLog.level",
  connecttimeout: "timeouts.connectTimeout",
  "timeouts.request": "timeouts.requestTimeout",
  "listener.http2maxconcurrentstreams": "listener.httpMaxConcurrentStreams",
  "listener.serverheadertransformation": "serverHeaderTransformation",
  "listener.disablemergeslashes": "disableMergeSlashes",
  "listener.disableallowchunkedlength": "disableAllowChunkedLength",
  "listener.useproxyprotocol": "useProxyProtocol",
};

/** Contour's keys for its own process or for listeners that Isoline does not have. */
const foreign = new Set(
  "incluster kubeconfig kubernetesclientqps kubernetesclientburst server envoyservicenamespace envoyservicename network.adminport metrics.contour featureflags debug leaderelection".split(
    " ",
  ),
);

type Tree = Record<string, unknown>;

/**
 * A notation of settings. `leaves`: setting paths by the squashed path of the key; `groups`: squashed paths of groups;
 * `foreign`: squashed paths without meaning for Isoline; `prefix`: the start of every path in messages.
 */
export interface SettingsForm {
  readonly leaves: ReadonlyMap<string, string>;
  readonly groups: ReadonlySet<string>;
  readonly foreign: ReadonlySet<string>;
  readonly prefix: string;
}

const squash = (key: string): string => key.toLowerCase().replace(/[-_]/g, "");

/** The form of Isoline's settings and of Contour's configuration file. The schema defines the setting paths. */
export function settingsForm(schema: z.ZodObject): SettingsForm {
  const leaves = new Map(Object.entries(aliases));
  const visit = (object: z.ZodObject, prefix: string): void => {
    for (const [key, field] of Object.entries(object.shape)) {
      const path = prefix + key;
      const inner: unknown = field instanceof z.ZodPrefault ? field.unwrap() : undefined;
      if (inner instanceof z.ZodObject) visit(inner, `${path}.`);
      else leaves.set(squash(path), path);
    }
  };
  visit(schema, "");
  return { leaves, groups: groupsOf(leaves), foreign, prefix: "" };
}

function groupsOf(leaves: ReadonlyMap<string, string>): ReadonlySet<string> {
  const groups = new Set<string>();
  for (const path of leaves.keys()) {
    for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1))
      groups.add(path.slice(0, dot));
  }
  return groups;
}

const configurationLeaves = new Map(configurationKeys.map(([from, to]) => [squash(from), to]));

/** The `spec` of a ContourConfiguration. */
export const configurationForm: SettingsForm = {
  leaves: configurationLeaves,
  groups: groupsOf(configurationLeaves),
  foreign: new Set(foreignConfigurationKeys.map(squash)),
  prefix: "spec.",
};

export interface FlatSettings {
  readonly tree: Tree;
  /** The path of the key in the input, by the path of its setting. */
  readonly written: Map<string, string>;
  readonly findings: Finding[];
}

/** Whether a key names the schema of the file, as JSON files do for editors. */
const isSchemaName = (key: string, value: unknown): boolean => key === "$schema" && typeof value === "string";

/** Maps keys in kebab-case or camelCase to settings. A key without a setting gives a warning. */
export function flattenSettings(
  input: Readonly<Tree>,
  { leaves, groups, foreign, prefix }: SettingsForm,
  about: Ref,
): FlatSettings {
  const tree: Tree = {};
  const written = new Map<string, string>();
  const findings: Finding[] = [];
  const warn = (path: string, reason: FindingCode, message: string): void => {
    findings.push({ about, severity: "warning", type: "SchemaError", reason, message, path });
  };
  const visit = (value: unknown, path: string, squashed: string): void => {
    if (value === null || value === undefined) return;
    const leaf = leaves.get(squashed);
    if (groups.has(squashed) && isRecord(value)) {
      for (const [key, member] of Object.entries(value))
        visit(member, `${path}.${key}`, `${squashed}.${squash(key)}`);
    } else if (leaf !== undefined) {
      if (written.has(leaf))
        warn(path, "Duplicate", `${path} and ${written.get(leaf)} are the same setting; ${path} is used`);
      written.set(leaf, path);
      assign(tree, leaf.split("."), joinReference(listOf(leaf, value)));
    } else if (groups.has(squashed)) {
      findings.push(schemaError(about, "must be a map of settings; the defaults are used", path));
    } else if (foreign.has(squashed)) {
      warn(path, "NoEffect", `${path} is a setting of Contour without a meaning for Isoline; remove it`);
    } else {
      warn(path, "UnknownKey", `${path} is not a setting of Isoline; it has no effect`);
    }
  };
  const { problem, path } = inspect(input);
  if (problem) findings.push(schemaError(about, `${problem}; the defaults are used`, path));
  else
    for (const [key, value] of Object.entries(input))
      if (!isSchemaName(key, value)) visit(value, prefix + key, squash(key));
  return { tree, written, findings };
}

/** Merges `over` into `base`; a setting that both contain gets the value from `over`. */
export function overlaySettings(base: FlatSettings, over: FlatSettings): FlatSettings {
  for (const [leaf, path] of over.written) {
    const keys = leaf.split(".");
    base.written.set(leaf, path);
    assign(
      base.tree,
      keys,
      keys.reduce<unknown>((value, key) => (value as Tree)[key], over.tree),
    );
  }
  base.findings.push(...over.findings);
  return base;
}

/** Contour's `ingress-class-name` is one text; commas separate several names. */
const listOf = (leaf: string, value: unknown): unknown =>
  leaf === "ingressClassNames" && typeof value === "string"
    ? value.split(",").map((entry) => entry.trim())
    : value;

function assign(into: Tree, [head = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[head] = value;
    return;
  }
  const next = isRecord(into[head]) ? (into[head] as Tree) : {};
  into[head] = next;
  assign(next, rest, value);
}
