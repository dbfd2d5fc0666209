import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeResponse } from "../../src/link/respond.js";
import { link, type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { textOfBody } from "../support/body.js";
import { compileAll, parseCase } from "../support/compile.js";
import { checkProto } from "../support/proto.js";

const goldens = join(import.meta.dirname, "../golden");
const cases = readdirSync(goldens, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("objects.yaml"))
  .map((path) => path.slice(0, -"/objects.yaml".length))
  .sort();

function snapshotOf(name: string): Snapshot {
  const read = (file: string): string => readFileSync(join(goldens, name, file), "utf8");
  const settings = readdirSync(join(goldens, name)).includes("settings.yaml")
    ? read("settings.yaml")
    : undefined;
  const store = compileAll(parseCase(read("objects.yaml"), settings).objects);
  return link(store, settingsOf(store));
}

interface Message {
  readonly "@type": string;
}

/** The resources of one type as they are sent to an Envoy of a minor release. */
function resourcesFor(snapshot: Snapshot, type: XdsType, minor: number): Message[] {
  const resources = snapshot.sets[type];
  if (resources.size === 0) return [];
  const dialect = { xdsCluster: "xds.example.com", version: { major: 1, minor } };
  const text = textOfBody(encodeResponse(type, { resources, version: "1-h" }, dialect));
  return (JSON.parse(text) as { resources: Message[] }).resources;
}

describe("the oldest Envoy receives no field that it does not support", () => {
  it.each(cases)("%s", (name) => {
    const snapshot = snapshotOf(name);
    const problems = xdsTypes.flatMap((type) =>
      resourcesFor(snapshot, type, 36).flatMap(({ "@type": url, ...message }) =>
        checkProto(url.slice(url.indexOf("/") + 1), message, "1.36"),
      ),
    );
    expect(problems).toEqual([]);
  });
});

describe("responses", () => {
  const snapshot = snapshotOf("tls/termination");
  const text = (minor: number): string => JSON.stringify(resourcesFor(snapshot, "listeners", minor));

  it("list compressed content types in the field that the release supports", () => {
    expect(text(40)).toContain('"content_type_matcher":[{"exact":"text/html"},');
    expect(text(39)).toContain('"content_type":["text/html",');
    expect(text(39)).not.toContain("content_type_matcher");
  });

  it("have whole route tables for releases that can't compute the part of a host", () => {
    const store = compileAll(
      parseCase(readFileSync(join(goldens, "tls/termination/objects.yaml"), "utf8")).objects,
    );
    const options = { ...settingsOf(store), routeShards: 16 } as const;
    const [parts, whole] = [link(store, options), link(store, { ...options, routeShards: 1 })];
    expect(JSON.stringify(resourcesFor(parts, "listeners", 38))).toContain("scoped_routes");
    expect(resourcesFor(parts, "listeners", 37)).toEqual(resourcesFor(whole, "listeners", 37));
    expect([...whole.sets.routes.names()].filter((name) => !parts.sets.routes.has(name))).toEqual([]);
  });

  it("are byte-equal for all releases without differences", () => {
    expect(text(36)).toBe(text(39));
    expect(text(41)).toBe(text(40));
  });

  it("name the xDS cluster as the bootstrap does, in every source", () => {
    const names = [...text(40).matchAll(/"cluster_names":\[([^\]]*)\]/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(new Set(['"xds.example.com"']));
  });
});
