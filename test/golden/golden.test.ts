import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { findingsAt } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Resource } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { writeAccessLog } from "../../src/xds/access-log.js";
import { withClusterAliases } from "../support/cluster-aliases.js";
import { compileAll, dump, parseCase, platform, protoErrors, resourcesOf } from "../support/compile.js";

const root = import.meta.dirname;
const folders = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
const cases = folders(root).flatMap((feature) =>
  folders(join(root, feature)).map((name) => `${feature}/${name}`),
);
/** The test certificates are valid for many years. Findings are those of this day. */
const now = Date.UTC(2030, 0, 1);
const rewrite = process.env.UPDATE === "1";

const read = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, "utf8") : undefined;

const usualLog = writeAccessLog("", defaultSettings.accessLog)[0]?.typed_config;
const usualFormat = JSON.stringify(usualLog && "log_format" in usualLog ? usualLog.log_format : undefined);
const withoutUsualFormat = (key: string, value: unknown): unknown =>
  key === "log_format" && JSON.stringify(value) === usualFormat ? undefined : value;

/**
 * Listener and route table frames depend on settings only: a case shows them if it has settings, and the default
 * format of access logs only if its settings concern logs.
 */
function shown(resources: readonly Resource[], findings: readonly object[], settings: string | undefined) {
  const byType: Record<string, unknown[]> = {};
  for (const resource of withClusterAliases(resources)) {
    const frame = resource.type === "listener" || resource.type === "route-configuration";
    if ((frame && settings === undefined) || resource.name === "isoline/none") continue;
    const key = resource.group && !frame ? `${resource.type} of ${resource.group}` : resource.type;
    const list = byType[key] ?? [];
    byType[key] = list;
    const is = JSON.parse(
      resource.json,
      /access-?log/i.test(settings ?? "") ? undefined : withoutUsualFormat,
    ) as unknown;
    const { type, name } = resource;
    list.push(type === "endpoints" || type === "filter-chain" ? { name, is } : is);
  }
  const sorted = findings.map((finding) => JSON.stringify(finding)).sort();
  return { ...byType, findings: sorted.map((finding) => JSON.parse(finding) as unknown) };
}

/** The same resources with another hash in each cluster name. */
function rehashed(resources: readonly Resource[]): Resource[] {
  const otherHashes = (text: string): string =>
    text.replace(/(?<=\/)[0-9a-f]{16}(?="|$)/g, (hash) =>
      createHash("sha256").update(hash).digest("hex").slice(0, 16),
    );
  const others = resources.map(({ name, json, ...rest }) => ({
    ...rest,
    name: otherHashes(name),
    json: otherHashes(json),
  }));
  const isCluster = ({ type }: Resource): boolean => type === "cluster";
  const clusters = others.filter(isCluster).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...clusters, ...others.filter((resource) => !isCluster(resource))];
}

const noise = parseCase(`
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: noise, namespace: noise}
spec: {virtualhost: {fqdn: noise.example}, routes: [{services: [{name: noise, port: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: noise, namespace: noise}
spec: {ports: [{port: 80}]}
`).objects;

const gone = (object: KubeObject): { gone: KubeObject["ref"] } => ({ gone: object.ref });

describe.each(cases)("%s", (name) => {
  const folder = join(root, name);
  const settings = read(join(folder, "settings.yaml"));
  const { objects, findings } = parseCase(read(join(folder, "objects.yaml")) ?? "", settings);
  const store = compileAll(objects);

  it("compiles to the expected resources and findings", () => {
    const path = join(folder, "expected.yaml");
    const got = shown(resourcesOf(store), [...findings, ...findingsAt(now, store.findings())], settings);
    if (rewrite) writeFileSync(path, stringify(got, { aliasDuplicateObjects: false, lineWidth: 110 }));
    expect(got).toEqual(parse(read(path) ?? "null"));
  });

  it("shows aliases that do not depend on the hashes in cluster names", () => {
    const resources = resourcesOf(store);
    expect(shown(rehashed(resources), [], settings)).toEqual(shown(resources, [], settings));
  });

  it("compiles to valid Envoy messages", () => {
    expect(protoErrors(store)).toEqual([]);
  });

  // Other orders, and one object at a time: test/property/order.test.ts.
  it("does not depend on objects that are added and deleted", () => {
    const noisy = createMemoryStore();
    update(noisy, [...noise, ...objects], platform);
    update(noisy, noise.map(gone), platform);
    expect(dump(noisy)).toBe(dump(store));
  });
});
