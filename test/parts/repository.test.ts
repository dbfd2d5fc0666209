import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { placed } from "../../src/cli/base-dir.js";
import { findManifests } from "../../src/cli/repository.js";
import { readRepository } from "../../src/cli/repository-objects.js";
import { loadDocuments } from "../../src/sources/files/load.js";

/** Writes files into a new folder, by path. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "isoline-repository-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const namespace = (name: string): string => `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}\n`;

function read(files: Readonly<Record<string, string>>, build = false) {
  const root = folderOf(files);
  const { objects, located, leftOut, broken } = readRepository([root], [], { build });
  return {
    objects: objects.map(({ ref }) => ref),
    findings: located.map(
      ({ file, finding: { severity, reason } }) => `${relative(root, file)} ${severity} ${reason}`,
    ),
    leftOut: Object.fromEntries(leftOut),
    broken: [...broken].map((file) => relative(root, file)),
  };
}

describe("a folder as it is in a repository", () => {
  it("is read without a Helm chart and the charts in it, which get one finding", () => {
    const files = {
      "a.yaml": namespace("a"),
      "shop/Chart.yaml": "name: shop\n",
      "shop/values.yaml": "replicas: 1\n",
      "shop/templates/web.yaml": "a: {{ .Values.replicas }}\n",
      "shop/charts/db/Chart.yaml": "name: db\n",
      "shop/charts/db/templates/db.yaml": "{{ if }}\n",
    };
    expect(read(files)).toEqual({
      objects: ["Namespace//a"],
      findings: ["shop/Chart.yaml warning NotRendered"],
      leftOut: {},
      broken: [],
    });
  });

  it("is read without documents that are no manifests, which are counted; those with half a header are errors", () => {
    const files = {
      "a.yaml": `${namespace("a")}---\nstages: [build]\n---\n- op: add\n  path: /a\n`,
      "values.yaml": "replicas: 1\n",
      "half.yaml": "kind: Service\nmetadata: {name: a}\n",
      "text.yaml": "just text\n",
    };
    expect(read(files)).toMatchObject({
      objects: ["Namespace//a"],
      findings: ["half.yaml error Invalid", "text.yaml error Invalid"],
      leftOut: { "document without a manifest": 3 },
    });
  });

  it("reports a file that is named and no manifest", () => {
    const root = folderOf({ "values.yaml": "replicas: 1\n" });
    const { located } = readRepository([join(root, "values.yaml")], [], {});
    expect(located.map(({ finding }) => finding.reason)).toEqual(["Invalid"]);
  });

  it("is read without what .isolineignore names, by the rules of .gitignore", () => {
    const files = {
      ".isolineignore": "# tests\ntest/\n*.tmp.yaml\n!keep.tmp.yaml\n",
      "a.yaml": namespace("a"),
      "b.tmp.yaml": "{{",
      "keep.tmp.yaml": namespace("keep"),
      "test/c.yaml": "{{",
      "deep/test/d.yaml": "{{",
    };
    expect(read(files)).toEqual({
      objects: ["Namespace//a", "Namespace//keep"],
      findings: [],
      leftOut: { "path of .isolineignore": 3 },
      broken: [],
    });
  });

  it("says of a template outside of a chart that it has to be rendered, and of a placeholder that it is not substituted", () => {
    const root = folderOf({
      "a.yaml": "a: {{ .Values.b }}: c\n",
      "b.yaml": "{apiVersion: v1, kind: Namespace, metadata: {name: '$(NAME)'}}\n",
      "c.yaml": `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a}
spec: {rules: [{host: "\${HOST}"}]}
`,
    });
    const messages = readRepository([root], [], {}).located.map(({ finding }) => finding.message);
    expect(messages[0]).toMatch(/; render the template first$/);
    expect(messages.at(-1)).toMatch(/found "\$\{HOST\}": a placeholder that is not substituted$/);
  });

  it("with a link to a folder above it ends, and counts the link", () => {
    const root = folderOf({ "a/a.yaml": namespace("a") });
    symlinkSync(root, join(root, "a/up"));
    const { files, leftOut } = findManifests([root]);
    expect(files).toEqual([join(root, "a/a.yaml")]);
    expect([...leftOut]).toEqual([["link to a folder", 1]]);
  });

  it("follows links inside of the repository, and none that leads out of it", () => {
    const outside = folderOf({ "secret.yaml": namespace("secret") });
    const root = folderOf({ ".git/HEAD": "", "base/a.yaml": namespace("a"), "prod/b.yaml": namespace("b") });
    symlinkSync("../base/a.yaml", join(root, "prod/a.yaml"));
    symlinkSync(join(outside, "secret.yaml"), join(root, "prod/c.yaml"));
    symlinkSync(join(outside, "secret.yaml"), join(root, "prod/kustomization.yaml"));
    const { files, findings } = findManifests([join(root, "prod")]);
    expect(files.map((file) => relative(root, file))).toEqual(["prod/a.yaml", "prod/b.yaml"]);
    const fault = {
      severity: "error",
      reason: "NotReadable",
      message: expect.stringContaining("outside of the repository"),
    };
    expect(findings).toMatchObject([fault, fault]);
  });

  it("with links to a device is an error at once, for commands and for servers", () => {
    const root = folderOf({ "a.yaml": namespace("a") });
    for (const name of ["b.yaml", "kustomization.yaml", ".isolineignore"])
      symlinkSync("/dev/zero", join(root, name));
    const told = { severity: "error", reason: "NotReadable", message: expect.stringContaining("device") };
    expect(findManifests([root])).toMatchObject({ files: [join(root, "a.yaml")], findings: [told, told] });
    expect(loadDocuments([root], () => undefined)).toMatchObject([{ finding: told }, { finding: told }]);
  });
});

describe("a kustomization", () => {
  const files = {
    "base/a.yaml": namespace("a"),
    "base/kustomization.yaml": "resources: [a.yaml]\n",
    "prod/kustomization.yaml":
      "resources: [../base]\npatches: [{path: patch.yaml}]\npatchesStrategicMerge: [old.yaml]\n",
    "prod/patch.yaml": namespace("a"),
    "prod/old.yaml": namespace("a"),
    "plain.yaml": namespace("plain"),
  };

  it("has one finding, its files are read as they are, without patches", () => {
    expect(read(files)).toEqual({
      objects: ["Namespace//a", "Namespace//plain"],
      findings: ["prod/kustomization.yaml warning NotBuilt"],
      leftOut: { "file that is a patch of a kustomization": 2 },
      broken: [],
    });
  });

  it.each([
    ["https://example.com/base", /remote base/],
    ["github.com/example/base?ref=v1", /remote base/],
    ["git@example.com:base.git", /remote base/],
  ])("with the remote base %s is not built", (resource, message) => {
    const root = folderOf({ "kustomization.yaml": `resources: ["${resource}"]\n` });
    const { findings } = findManifests([root], { build: true });
    expect(findings).toMatchObject([
      { severity: "error", reason: "NotBuilt", message: expect.stringMatching(message) },
    ]);
  });

  it.each([
    ["resources: [inner]\n", "inner/kustomization.yaml", 'resources: ["https://example.com/base"]\n'],
    ["components: [inner]\n", "inner/Kustomization", "helmCharts: [{name: a}]\n"],
    ["resources: [inner]\n", "inner/kustomization.yml", 'patches: [{path: "HTTPS://example.com/p"}]\n'],
    ['resources: ["example.com:x/y"]\n', "a.yaml", ""],
    ['resources: ["git::ssh://a/b"]\n', "a.yaml", ""],
    ['configMapGenerator: [{name: a, files: ["b=https://example.com/f"]}]\n', "a.yaml", ""],
    ['openapi: {path: "https://example.com/f"}\n', "a.yaml", ""],
  ])("with %j, and %s, fetches and runs nothing", (top, file, text) => {
    const root = folderOf({ "kustomization.yaml": top, [file]: text });
    const { findings, built } = findManifests([root], { build: true });
    expect(built).toEqual([]);
    expect(findings).toMatchObject([
      { severity: "error", reason: "NotBuilt", message: expect.stringMatching(/fetch|would run/) },
    ]);
  });

  it.each(["helmCharts: [{name: a}]", "generators: [a.yaml]", "transformers: [a.yaml]"])(
    "with %s is not built",
    (text) => {
      const root = folderOf({ "kustomization.yaml": `${text}\n` });
      expect(findManifests([root], { build: true }).findings).toMatchObject([
        { severity: "error", message: expect.stringMatching(/would run other programs/) },
      ]);
    },
  );

  describe("with --build", () => {
    const path = process.env.PATH;
    afterEach(() => {
      process.env.PATH = path;
    });
    /** Puts a program of that name alone on the path. */
    function withProgram(name: string, script: string): void {
      const bin = folderOf({ [name]: `#!${process.execPath}\n${script}` });
      chmodSync(join(bin, name), 0o755);
      process.env.PATH = bin;
    }
    const print = (condition: string): string =>
      `if (!(${condition})) process.exit(7);\nconsole.log(${JSON.stringify(namespace("built"))})`;

    it("is built by kustomize, and its folders are not read", () => {
      withProgram("kustomize", print('process.argv[2] === "build" && process.argv[3].endsWith("/prod")'));
      expect(read(files, true)).toEqual({
        objects: ["Namespace//plain", "Namespace//built"],
        findings: [],
        leftOut: { "file of a built kustomization": 3 },
        broken: [],
      });
    });

    it("has its findings at the first line of its file", () => {
      const bad = `${namespace("built")}---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: 7}\n`;
      withProgram("kustomize", `console.log(${JSON.stringify(bad)})`);
      const { located } = readRepository([folderOf(files)], [], { build: true });
      expect(located).toMatchObject([{ file: expect.stringMatching(/prod.kustomization.yaml$/), line: 1 }]);
    });

    it("is built by kubectl where there is no kustomize", () => {
      withProgram("kubectl", print('process.argv[2] === "kustomize"'));
      expect(read(files, true).objects).toContain("Namespace//built");
    });

    it("that fails is an error with what the program says", () => {
      withProgram("kustomize", 'console.error("first\\nError: no such file"); process.exit(1)');
      const root = folderOf(files);
      expect(findManifests([root], { build: true }).findings).toMatchObject([
        { severity: "error", message: "kustomize can't build it: Error: no such file" },
      ]);
      process.env.PATH = folderOf({});
      expect(findManifests([root], { build: true }).findings[0]?.message).toMatch(
        /neither kustomize nor kubectl/,
      );
      expect(path?.split(delimiter).length).toBeGreaterThan(0);
    });
  });
});

describe("paths in the output", () => {
  const finding = {
    about: "A/b/c",
    severity: "error",
    type: "RouteError",
    reason: "Invalid",
    message: "m",
  } as const;
  const files = (format: "text" | "github", baseDir?: string, file = "/repo/deploy/a.yaml") =>
    placed([{ finding, file, line: 1 }], { format, baseDir }).map((one) => one.file);

  it("are from --base-dir, and for GitHub from the root of the repository", () => {
    expect(files("text")).toEqual(["/repo/deploy/a.yaml"]);
    expect(files("text", "/repo")).toEqual(["deploy/a.yaml"]);
    expect(files("github", "/repo/other")).toEqual(["/repo/deploy/a.yaml"]);
    expect(files("text", "/repo", "-")).toEqual(["-"]);
    const root = folderOf({ ".git/HEAD": "", "deploy/a.yaml": "" });
    vi.spyOn(process, "cwd").mockReturnValue(join(root, "deploy"));
    expect(files("github", undefined, join(root, "deploy/a.yaml"))).toEqual(["deploy/a.yaml"]);
    vi.restoreAllMocks();
  });
});
