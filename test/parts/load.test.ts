import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lineOf, loadDocuments, type ManifestPlace } from "../../src/sources/files/load.js";
import { readSettings } from "../../src/sources/files/settings-file.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-load-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function load(paths: readonly string[]) {
  const documents: (ManifestPlace & { value: unknown })[] = [];
  const findings = loadDocuments(paths, (value, place) => documents.push({ value, ...place }));
  return { documents, findings };
}

describe("loadDocuments", () => {
  it("reads a folder recursively, by name", () => {
    mkdirSync(join(folder, "sub"));
    write("b.yaml", "a: 1\n---\n# a comment\na: 2\n---\n");
    write("c.json", '{"a":3}');
    write("d.jsonl", '{"a":4}\n\n{"a":5}\n');
    write("e.ndjson", '{"a":6}\r\n');
    write("sub/f.yml", "\ufeffa: 7\n");
    write("ignored.txt", "a: 9");
    const { documents, findings } = load([folder]);
    expect(findings).toEqual([]);
    expect(documents.map(({ value, line }) => [value, line])).toEqual([
      [{ a: 1 }, 1],
      [{ a: 2 }, 4],
      [{ a: 3 }, 1],
      [{ a: 4 }, 1],
      [{ a: 5 }, 3],
      [{ a: 6 }, 1],
      [{ a: 7 }, 1],
    ]);
  });

  it("expands lists of YAML and JSON", () => {
    const yaml = write("a.yaml", "kind: List\napiVersion: v1\nitems:\n- a: 1\n- a: 2\n");
    const json = write("b.json", '{"kind":"ServiceList","apiVersion":"v1","items":[{"a":3}]}');
    expect(load([yaml, json]).documents.map(({ value }) => value)).toEqual([
      { a: 1 },
      { a: 2 },
      { kind: "Service", apiVersion: "v1", a: 3 },
    ]);
  });

  it("reads YAML as Kubernetes clients do: no is false, 010 is eight", () => {
    const file = write("a.yaml", "a: no\nb: 010\nc: 'on'\n");
    expect(load([file]).documents[0]?.value).toEqual({ a: false, b: 8, c: "on" });
  });

  it("warns about a key that a later merge key overrides", () => {
    const file = write("a.yaml", "b: &b {x: 1, z: 2}\nl:\n- x: 3\n  <<: *b\n- <<: *b\n  x: 3\n");
    const { documents, findings } = load([file]);
    expect(documents[0]?.value).toMatchObject({
      l: [
        { x: 1, z: 2 },
        { x: 3, z: 2 },
      ],
    });
    expect(findings).toMatchObject([{ line: 4, finding: { severity: "warning", reason: "Ambiguous" } }]);
    expect(findings[0]?.finding.message).toContain("l[0].x: is set before `<<`");
  });

  it("leaves out only unreadable documents", () => {
    const missing = join(folder, "missing.yaml");
    const bad = write("bad.yaml", "a: 1\n---\nb: [1\n---\na: 2\n");
    const json = write("bad.json", '{\n  "a": x\n}');
    const lines = write("bad.jsonl", '{"a":3}\n{"a":\n{"a":4}\n');
    symlinkSync(join(folder, "nowhere"), join(folder, "broken.yaml"));
    const { documents, findings } = load([missing, bad, json, lines, join(folder, "broken.yaml")]);
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]);
    expect(
      findings.map(({ file, line, finding }) => [file.slice(folder.length + 1), line, finding.severity]),
    ).toEqual([
      ["missing.yaml", 0, "error"],
      ["bad.yaml", expect.any(Number), "error"],
      ["bad.json", 2, "error"],
      ["bad.jsonl", 2, "error"],
      ["broken.yaml", 0, "error"],
    ]);
  });

  it.each([
    ["duplicate keys", "a: 1\na: 2\n"],
    ["own tags", "a: !secret x\n"],
    ["many aliases", `a: &a [x, x, x]\nb: &b [${"*a,".repeat(90)}]\nc: [${"*b,".repeat(90)}]\n`],
  ])("refuses %s", (_, text) => {
    const { documents, findings } = load([write("a.yaml", text)]);
    expect(documents).toEqual([]);
    expect(findings).toHaveLength(1);
  });

  it("never quotes the content of an invalid JSON file", () => {
    const { findings } = load([write("a.json", '{"tls.key": "hunter2" "x"}')]);
    expect(findings[0]?.finding.message).toBe("not valid JSON: unexpected text (column 23)");
  });

  it("refuses a file above 64 MiB", () => {
    const file = write("a.yaml", "");
    truncateSync(file, 64 * 1024 * 1024 + 1);
    expect(load([file]).findings[0]?.finding.message).toContain("64 MiB");
  });

  it("reads thirty thousand lines", () => {
    const file = write("a.jsonl", Array.from({ length: 30_000 }, (_, i) => `{"a":${i}}`).join("\n"));
    expect(load([file]).documents).toHaveLength(30_000);
  });
});

describe("lineOf", () => {
  it("finds fields, or their nearest parent", () => {
    const file = write(
      "a.yaml",
      'a: 1\n---\nmetadata:\n  annotations:\n    "a.b/c": x\nspec:\n  routes:\n  - services:\n    - name: x\n      port: 1\n',
    );
    const document = load([file]).documents[1];
    if (!document) throw new Error("no document");
    const line = (path: string): number => lineOf(document, path);
    expect(line("spec.routes[0].services[0].port")).toBe(10);
    expect(line("spec.routes[0].services[0].weight")).toBe(9);
    expect(line('metadata.annotations["a.b/c"]')).toBe(5);
    expect(line("nothing")).toBe(3);
    expect(line("")).toBe(3);
  });

  it("finds fields of list items, in YAML and JSON", () => {
    const yaml = "kind: List\napiVersion: v1\nitems:\n- a: 1\n- b:\n    c:\n    - 1\n    - d: 2\n";
    const [first, second] = load([write("a.yaml", yaml)]).documents;
    const json = '{"kind":"List","apiVersion":"v1",\n"items":[\n{"a":1},\n{"b":\n{"c":[1,\n{"d":2}]}}]}';
    const [, other] = load([write("a.json", json)]).documents;
    if (!first || !second || !other) throw new Error("no members");
    expect([first.line, second.line, other.line]).toEqual([4, 5, 1]);
    expect(["a", "", "nothing"].map((path) => lineOf(first, path))).toEqual([4, 4, 4]);
    expect(["b.c[1].d", "b.c[1].x", "b.c[7]", ""].map((path) => lineOf(second, path))).toEqual([8, 8, 6, 5]);
    expect(["b.c[1].d", "b.c", ""].map((path) => lineOf(other, path))).toEqual([6, 5, 4]);
  });

  it("finds fields after merge keys, lines with added spaces, and keys that are not text", () => {
    const text = "x: &x\n  p: 1\na:\n  <<: *x\n  80: {\n'b': 1,\nc: [\n2]\n}\n  yes: 3\n";
    const document = load([write("a.yaml", text)]).documents[0];
    if (!document) throw new Error("no document");
    const lines = ["a.p", "a.80.b", "a.80.c[0]", "a.true", "x.p"].map((path) => lineOf(document, path));
    expect(lines).toEqual([3, 6, 8, 10, 2]);
  });

  it("gives the line of the document for JSON Lines", () => {
    const file = write("a.jsonl", '{"a":1}\n{"a":{"b":2}}\n');
    const document = load([file]).documents[1];
    expect(document && lineOf(document, "a.b")).toBe(2);
  });
});

describe("readSettings", () => {
  it("reads text like manifests, and finds the lines of errors", () => {
    const file = write("s.yaml", "disablePermitInsecure: yes\nxffNumTrustedHops: 010\ncompresion: gzip\n");
    const { settings, findings, locate } = readSettings(file);
    expect(settings.spec).toMatchObject({ disablePermitInsecure: true, xffNumTrustedHops: 8 });
    expect(findings.map(locate)).toMatchObject([{ file, line: 3, finding: { path: "compresion" } }]);
  });

  it.each([
    ["kind: ConfigMap\napiVersion: v1\ndata: {other.yaml: x}\n", "ConfigMap"],
    ["kind: Service\napiVersion: v1\nspec: {}\n", "Service"],
    ["kind: ConfigMap\napiVersion: v1\ndata: {contour.yaml: '{'}\n", "contour.yaml: line 1: not valid YAML"],
    ["a: 1\na: 2\n", "line 2: a: the key is set twice"],
    ["a: 1\n---\nb: 2\n", "line 3: a second document begins here"],
    ["a: [\n", "line 2: not valid YAML"],
  ])("refuses %j", (text, message) => {
    const file = write("s.yaml", text);
    expect(() => readSettings(file)).toThrow(message);
    expect(() => readSettings(file)).toThrow(file);
  });
});
