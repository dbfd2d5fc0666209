import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { review } from "../../src/engine/review.js";
import { lintFindings } from "../../src/lint/findings.js";
import { type Finding, findingsAt } from "../../src/schema/meta.js";
import { parseObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { loadDocuments } from "../../src/sources/files/load.js";
import { readManifests } from "../../src/sources/files/objects.js";
import type { Store } from "../../src/store/store.js";
import { compileAll, parseCase, platform } from "../support/compile.js";

const now = Date.UTC(2030, 0, 1);
const judge = (raw: unknown, old: unknown, store: Store) =>
  review(raw, old, { store, platform, ready: true, strict: false, now });

const textOf = ({ about, path = "", message, type, reason }: Finding): string =>
  `${about} ${path}: ${message} (${type}/${reason})`;

const folders = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

describe("admission reports the same findings for an object as check", () => {
  const corpus = join(import.meta.dirname, "../corpus");

  it.each(folders(corpus))("%s", (name) => {
    const paths = [join(corpus, name, "repository")];
    const { objects } = readManifests(paths, []);
    const store = compileAll(objects);
    const compiled = [...findingsAt(now, store.findings()), ...lintFindings(store, defaultSettings)];
    // If a file has several documents of one object, the last one is served.
    const raws = new Map<string, unknown>();
    loadDocuments(paths, (value) => {
      const parsed = parseObject(value);
      if ("object" in parsed) raws.set(parsed.object.ref, value);
    });
    for (const [ref, raw] of raws) {
      const parsed = parseObject(raw);
      const { errors, warnings } = judge(raw, null, store);
      const said = [...errors, ...warnings].map(textOf);
      const expected = [...parsed.findings, ...compiled.filter(({ about }) => about === ref)].map(textOf);
      // Findings about the settings in check are reported for each object here.
      const rest = said.filter((text) => !expected.includes(text));
      expect(expected.filter((text) => !said.includes(text))).toEqual([]);
      expect(rest.filter((text) => !/\/(?:NoGateway|GatewayNotFound)\)$/.test(text))).toEqual([]);
    }
  });
});

describe("a reference to a missing object", () => {
  const golden = join(import.meta.dirname, "../golden");
  const cases = folders(golden).flatMap((feature) =>
    folders(join(golden, feature)).map((name) => `${feature}/${name}`),
  );

  it.each(cases)("is a warning for the objects of %s", (name) => {
    const read = (file: string): string | undefined => {
      try {
        return readFileSync(join(golden, name, file), "utf8");
      } catch {
        return undefined;
      }
    };
    const text = read("objects.yaml") ?? "";
    const { objects } = parseCase(text, read("settings.yaml"));
    const whole = compileAll(objects);
    const wrong = new Set(
      [...whole.findings()].flatMap(({ about, severity }) => (severity === "error" ? [about] : [])),
    );
    const settings = objects.find(({ kind }) => kind === "Settings");
    for (const document of parseAllDocuments(text)) {
      const raw: unknown = document.toJS();
      const parsed = parseObject(raw);
      if (!("object" in parsed) || wrong.has(parsed.object.ref)) continue;
      const empty = compileAll(settings ? [settings] : []);
      expect(judge(raw, null, empty).errors.map(textOf)).toEqual([]);
    }
  });
});

it("before the Kubernetes cluster is read, an object is allowed with a warning, and refused only for its own fields", () => {
  const store = compileAll([]);
  const unready = (raw: unknown) => review(raw, null, { store, platform, ready: false, strict: false, now });
  const proxy = (spec: object): object => ({
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: { name: "web", namespace: "shop" },
    spec,
  });
  const valid = unready(
    proxy({ virtualhost: { fqdn: "web.test" }, routes: [{ services: [{ name: "web", port: 80 }] }] }),
  );
  expect(valid).toMatchObject({ allowed: true, errors: [] });
  expect(valid.warnings.map(({ reason }) => reason)).toEqual(["NotReady"]);
  expect(unready(proxy({ virtualhost: { fqdn: 7 } })).allowed).toBe(false);
});
