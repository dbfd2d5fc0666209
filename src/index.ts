/**
 * The library: compiles manifests to xDS, and explains requests. It reads no files and no network.
 *
 * ```ts
 * import { compile, explain } from "isoline";
 *
 * const compiled = compile(text);
 * const { summary } = explain(compiled, { url: "http://echo.com/" });
 * ```
 */
import { readNow } from "./documents/documents.js";
import { explain as explainIn } from "./explain/explain.js";
import type { Explanation } from "./explain/explanation.js";
import { claimsOn, originsIn } from "./explain/origins.js";
import { hostName, readAsked } from "./explain/request.js";
import { RequestSyntaxError } from "./explain/request-error.js";
import { configFor } from "./explain/served-config.js";
import { encodeResponse } from "./link/respond.js";
import { link, type Snapshot } from "./link/snapshot.js";
import { withWholeTables } from "./link/split.js";
import { formatVersion } from "./link/version.js";
import { type XdsType, xdsTypes } from "./link/xds-types.js";
import { unservedFor } from "./lint/unserved.js";
import { checkKeyPair } from "./platform/key-pair.js";
import { type Finding, findingsAt, type Ref, type Severity } from "./schema/meta.js";
import { type KubeObject, membersOf, parseObject } from "./schema/object.js";
import { parseSettings, type SettingsSpec } from "./schema/settings.js";
import { createMemoryStore } from "./store/memory.js";
import type { Store } from "./store/store.js";
import { update } from "./update.js";

export { type Explanation, type Finding, type Ref, RequestSyntaxError, type Severity, type XdsType };

/** YAML or JSON text with any number of documents, or parsed objects; lists stand for their members. */
export type ManifestInput = string | Iterable<unknown>;

/** Options of `compile`. */
export interface CompileOptions {
  /** Settings, Contour's configuration file or a whole ContourConfiguration, parsed (docs/settings.md). */
  readonly settings?: unknown;
  /** The time for findings about certificates, in ms since the epoch; default: now. */
  readonly now?: number;
}

/** The answer of an xDS server with all resources of a type. */
export interface ServedResources {
  readonly version_info: string;
  readonly type_url: string;
  readonly resources: readonly Readonly<Record<string, unknown>>[];
}

/** Compiled manifests. */
export interface Compilation {
  /** Errors and warnings. An object with an error is not served, or only in part. */
  readonly findings: readonly Finding[];
  /** The configuration; types without resources are absent. Keys are in `secrets`, or in `listeners` with `secrets: inline`. */
  readonly xds: Readonly<Partial<Record<XdsType, ServedResources>>>;
  /** @internal */
  readonly parts: {
    readonly store: Store;
    readonly settings: SettingsSpec;
    readonly snapshot: Snapshot;
  };
}

/** A request to explain. */
export interface ExplainedRequest {
  /** `http://` or `https://`, with any port at which clients reach Envoy; or a connection: `tcp://HOST:PORT`, `tls://SERVER_NAME:PORT`, `udp://HOST:PORT`. */
  readonly url: string;
  /** Default: GET. */
  readonly method?: string;
  /** `Host` replaces the host of the URL. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `namespace/name` of the Gateway that gets the request; needed where several Gateways serve the host on the port. */
  readonly gateway?: string;
  /** An IP address of the listener, instead of a Gateway. */
  readonly address?: string;
}

/** Compiles manifests. Input that is not valid becomes findings; the other objects are compiled. */
export function compile(manifests: ManifestInput, options: CompileOptions = {}): Compilation {
  const { settings, findings: ofSettings } = parseSettings(options.settings);
  const { objects, findings: ofObjects } = readObjects(manifests, settings.spec.watchNamespaces);
  const store = createMemoryStore();
  update(store, [settings, ...objects], { checkKeyPair });
  const snapshot = link(store, withWholeTables(settings.spec));
  const ofStore = findingsAt(options.now ?? Date.now(), store.findings());
  return {
    findings: [...ofSettings, ...ofObjects, ...ofStore, ...snapshot.findings],
    get xds() {
      return responsesOf(snapshot);
    },
    parts: { store, settings: settings.spec, snapshot },
  };
}

/**
 * Reports the route that handles a request, and why, by the rules of Envoy's own matching.
 *
 * @throws RequestSyntaxError when the method, the URL, a header or the choice of a listener is not valid, or a listener must be chosen.
 */
export function explain(compiled: Compilation, asked: ExplainedRequest): Explanation {
  const { store, settings, snapshot } = compiled.parts;
  const { method = "GET", url, headers = {}, gateway, address } = asked;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const request = readAsked(method, url, lines, {
    ...(gateway === undefined ? {} : { gateway }),
    ...(address === undefined ? {} : { address }),
  });
  return explainIn(configFor(snapshot, hostName(request.authority)), request, {
    origins: originsIn(store, settings, { checkKeyPair }),
    claimsOn: (host) => claimsOn(store, host),
    unservedFor: (host) => unservedFor(host, store, settings),
  });
}

interface ReadObjects {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
}

function readObjects(manifests: ManifestInput, namespaces: readonly string[]): ReadObjects {
  const objects = new Map<Ref, KubeObject>();
  const findings: Finding[] = [];
  for (const value of typeof manifests === "string" ? valuesIn(manifests, findings) : manifests) {
    const found = membersOf(value);
    if ("problem" in found) findings.push(notReadable(`the document ${found.problem}`));
    else
      for (const member of found.members) {
        const parsed = parseObject(member, namespaces);
        findings.push(...parsed.findings);
        if ("object" in parsed) objects.set(parsed.object.ref, parsed.object);
      }
  }
  return { objects: [...objects.values()], findings };
}

function* valuesIn(text: string, findings: Finding[]): Generator {
  for (const step of readNow(text)) {
    if ("fault" in step) findings.push(notReadable(`line ${step.line}: ${step.fault}`));
    else {
      for (const { line, message } of step.ambiguities)
        findings.push({
          ...notReadable(`line ${line}: ${message}`),
          severity: "warning",
          reason: "Ambiguous",
        });
      yield step.value;
    }
  }
}

const notReadable = (message: string): Finding => ({
  about: "File//",
  severity: "error",
  type: "FileError",
  reason: "NotReadable",
  message,
});

function responsesOf({ sets, xdsCluster }: Snapshot): Partial<Record<XdsType, ServedResources>> {
  const responses: Partial<Record<XdsType, ServedResources>> = {};
  for (const type of xdsTypes) {
    const resources = sets[type];
    if (resources.size === 0) continue;
    const version = formatVersion({ sequence: 0, hash: resources.hash });
    const body = encodeResponse(type, { resources, version }, { xdsCluster });
    const decoder = new TextDecoder();
    const text = [...body.chunks()].map((chunk) => decoder.decode(chunk, { stream: true })).join("");
    responses[type] = JSON.parse(text) as ServedResources;
  }
  return responses;
}
