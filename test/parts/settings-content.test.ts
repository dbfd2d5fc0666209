import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CheckCommandOptions, checkCommand } from "../../src/cli/check.js";
import { diffCommand } from "../../src/cli/diff.js";
import { explainCommand } from "../../src/cli/explain.js";
import { readSettings, readSettingsValue } from "../../src/sources/files/settings-file.js";
import { captureOutput } from "../support/output.js";

let folder = "";
let out = "";
let errors = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-settings-"));
  out = "";
  errors = "";
  captureOutput(
    (text) => {
      out += text;
    },
    (line) => {
      errors += line;
    },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const configMap = (text: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: contour, namespace: projectcontour}
data:
  other: x
  contour.yaml: ${text}`;
const block = configMap(`|
    # a comment

    ingressClassNames: [outer]
    compresion: gzip
`);
const proxy = `apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: web, namespace: shop}
spec:
  virtualhost: {fqdn: web.test}
  routes: [{services: [{name: web, port: 80}]}]
`;

describe("a settings file that is an object", () => {
  it.each([
    ["a ConfigMap with a block of text", block, 10],
    ["a ConfigMap with text in quotes", configMap('"ingressClassNames: [outer]\\ncompresion: gzip\\n"\n'), 6],
    [
      "a ConfigMap in JSON",
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "contour" },
        data: { "contour.yaml": "ingressClassNames: [outer]\ncompresion: gzip\n" },
      }),
      1,
    ],
    ["a ConfigMap among other documents", `${proxy}---\n${block}---\n${proxy}`, 17],
    [
      "an IsolineSettings",
      "kind: IsolineSettings\nspec:\n  ingressClassNames: [outer]\n  compresion: gzip\n",
      4,
    ],
    [
      "a ContourConfiguration",
      "apiVersion: projectcontour.io/v1alpha1\nkind: ContourConfiguration\nmetadata: {name: c}\nspec:\n  ingress:\n    classNames: [outer]\n  compresion: gzip\n",
      7,
    ],
  ])("is read: %s", (_, text, line) => {
    const { settings, findings, locate } = readSettings(write("s.yaml", text));
    expect(settings.spec.ingressClassNames).toEqual(["outer"]);
    expect(findings.map(locate)).toMatchObject([
      { line, finding: { path: expect.stringMatching(/compresion$/) } },
    ]);
  });

  it("is pushed as the settings that it contains", () => {
    expect(readSettingsValue(write("s.yaml", block))).toEqual({
      ingressClassNames: ["outer"],
      compresion: "gzip",
    });
    expect(readSettingsValue(write("i.yaml", "kind: IsolineSettings\nspec: {routeShards: 1}\n"))).toEqual({
      routeShards: 1,
    });
  });

  it("must be the only object of its file", () => {
    expect(() => readSettings(write("s.yaml", `${block}---\n${block}`))).toThrow("only one is expected");
  });
});

describe("settings among manifests", () => {
  const check = (options: Partial<CheckCommandOptions> = {}): Promise<number> =>
    checkCommand({ file: [folder], format: "text", ...options });

  it("are used by check, with the lines of their errors", async () => {
    const file = write("a.yaml", block);
    write("b.yaml", proxy);
    expect(await check()).toBe(0);
    expect(out).toContain(`${file}:10: warning`);
    expect(out).toContain("ClassNotServed");
    expect(errors).toContain(`settings: contour.yaml of ConfigMap/projectcontour/contour (${file})`);
  });

  it("in a list also have lines", async () => {
    const items = block.replace(/^/gm, "  ").replace("  apiVersion", "- apiVersion");
    const file = write("a.yaml", `apiVersion: v1\nkind: List\nitems:\n${items}`);
    await check();
    expect(out).toContain(`${file}:13: warning`);
  });

  it("that can't be read are an error at their line", async () => {
    const file = write("a.yaml", configMap("|\n    a: [\n"));
    write("b.yaml", proxy);
    expect(await check()).toBe(1);
    expect(out).toContain(`${file}:6: error ConfigMap/projectcontour/contour`);
    expect(errors).toContain("1 host");
  });

  it("are replaced by --settings, also when it names one of the files", async () => {
    write("a.yaml", block);
    write("b.yaml", proxy);
    const own = write("own.yaml", "disablePermitInsecure: true\n");
    expect(await check({ settings: own })).toBe(0);
    expect(errors).toMatch(/^settings: .*own\.yaml; not used: contour\.yaml of /);
    expect(errors).not.toContain("left out");
    errors = "";
    await check({ settings: join(folder, "a.yaml") });
    expect(errors).not.toContain("settings:");
    expect(errors).toContain("1 not served");
  });

  it("exclude namespaces that are not watched", async () => {
    write("a.yaml", configMap("|\n    watchNamespaces: [elsewhere]\n"));
    write("b.yaml", `${proxy}---\n${proxy.replace("web.test", "..")}`);
    expect(await check()).toBe(0);
    expect(errors).toContain(
      "1 used as settings, 1 ignored (1 HTTPProxy in namespaces that are not watched)",
    );
  });

  it("are used by explain, and by diff for their side", async () => {
    write("b.yaml", proxy);
    const before = folder;
    folder = mkdtempSync(join(tmpdir(), "isoline-settings-"));
    write("a.yaml", block);
    write("b.yaml", proxy);
    await explainCommand("GET", "http://web.test/", { file: [folder], header: [], format: "text" });
    expect(out).toContain("HTTPProxy/shop/web spec: is not served: it has no class");
    expect(errors).toContain("settings: contour.yaml of");
    out = "";
    await diffCommand(before, folder, { format: "text", from: [], to: [] });
    expect(out).toContain("web.test  [host-gone]");
    expect(errors.split("settings: contour.yaml of")).toHaveLength(3);
    rmSync(before, { recursive: true });
  });
});
