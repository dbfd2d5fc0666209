import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const isoline = (...args: readonly string[]): string =>
  execFileSync(process.execPath, [join(root, "dist/isoline.js"), ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
const has = (command: string): boolean =>
  execFileSync("sh", ["-c", `command -v ${command} || true`], { encoding: "utf8" }) !== "";

const objectsOf = (text: string): { kind: string }[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as { kind: string } | null)
    .filter((object) => object !== null);

it.each([
  ["deploy/", "gen:deploy", "gen-deploy.mjs", "generated"],
  ["the pictures", "gen:pictures", "gen-pictures.mjs", "pictures"],
])("the generated files of %s are those that `npm run %s` writes", (_, _command, script, files) => {
  const code = `import('./scripts/${script}').then(({ ${files} }) => console.log(JSON.stringify(${files}())))`;
  const output = execFileSync(process.execPath, ["-e", code], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  for (const [path, text] of Object.entries(JSON.parse(output) as Record<string, string>))
    expect(read(path), path).toBe(text);
});

describe("the kustomize base", () => {
  it.skipIf(!has("kubectl"))("builds to the objects of `isoline manifests`", () => {
    const built = execFileSync("kubectl", ["kustomize", join(root, "deploy/kustomize")], {
      encoding: "utf8",
      maxBuffer: 1 << 26,
    });
    const kinds = (text: string): string[] =>
      objectsOf(text)
        .map(({ kind }) => kind)
        .sort();
    expect(kinds(built)).toEqual(kinds(isoline("manifests", "--image", "isoline")));
  });
});

/** `test/long/deploy.test.ts` renders and installs the chart with Helm. */
describe("the values of the Helm chart", () => {
  const schema = z.fromJSONSchema(JSON.parse(read("deploy/helm/isoline/values.schema.json")));
  const defaults = parse(read("deploy/helm/isoline/values.yaml")) as { readonly envoy: object };

  it("accepts its defaults, settings, and a single replica", () => {
    expect(schema.safeParse(defaults).success).toBe(true);
    const settings = { timeouts: { requestTimeout: "5s" }, watchNamespaces: ["shop"] };
    expect(schema.safeParse({ ...defaults, replicas: 1, settings }).success).toBe(true);
  });

  it("refuses values that are misspelt or of another type", () => {
    expect(schema.safeParse({ ...defaults, replica: 2 }).success).toBe(false);
    expect(schema.safeParse({ ...defaults, replicas: "2" }).success).toBe(false);
    expect(schema.safeParse({ ...defaults, envoy: { ...defaults.envoy, kind: "Pod" } }).success).toBe(false);
    expect(schema.safeParse({ ...defaults, settings: { endpoints: "none" } }).success).toBe(false);
  });
});

describe("the systemd units", () => {
  it.skipIf(!has("systemd-analyze")).each(["isoline", "envoy"])("%s.service is valid", (name) => {
    const unit = join(root, `deploy/systemd/${name}.service`);
    expect(
      execFileSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8", stdio: "pipe" }),
    ).toBe("");
  });

  it.each(["isoline", "envoy"])("%s.service runs commands with options that exist", (name) => {
    for (const [, command = "", rest = ""] of read(`deploy/systemd/${name}.service`).matchAll(
      /isoline (serve|bootstrap) (.*)/g,
    )) {
      const help = isoline(command, "--help");
      for (const [option] of rest.matchAll(/--[a-z][a-z-]*/g)) expect(help).toContain(option);
    }
  });
});

describe("`isoline manifests --settings`", () => {
  const serverWith = (file: string): readonly Readonly<Record<string, unknown>>[] =>
    objectsOf(isoline("manifests", "server", "--settings", join(root, file)));

  it("prints the file as a ConfigMap that the server reads, and other pods for other settings", () => {
    const file = "examples/settings/contour.yaml";
    const printed = serverWith(file);
    expect(printed.find(({ kind }) => kind === "ConfigMap")).toMatchObject({
      metadata: { name: "isoline-settings" },
      data: { "settings.yaml": read(file) },
    });
    const text = JSON.stringify(printed);
    expect(text).toContain('"--settings=/etc/isoline/settings/settings.yaml"');
    const digestIn = (objects: string) => /"isoline.dev\/settings":"(\w+)"/.exec(objects)?.[1];
    expect(digestIn(text)).toMatch(/^[0-9a-f]{64}$/);
    expect(digestIn(JSON.stringify(serverWith("examples/local-settings.yaml")))).not.toBe(digestIn(text));
  });

  it("refuses settings that the server would replace by defaults, with the line", () => {
    const folder = mkdtempSync(join(tmpdir(), "isoline-settings-"));
    const file = join(folder, "settings.yaml");
    writeFileSync(file, "http:\n  port: many\n");
    const ran = spawnSync(
      process.execPath,
      [join(root, "dist/isoline.js"), "manifests", "server", "--settings", file],
      { encoding: "utf8" },
    );
    rmSync(folder, { recursive: true });
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).toContain(`${file}:2`);
  });

  it("puts the runtime values of the settings into the bootstrap of the Envoys", () => {
    const folder = mkdtempSync(join(tmpdir(), "isoline-settings-"));
    const file = join(folder, "settings.yaml");
    writeFileSync(file, "runtimeSettings: {a.b: '1'}\n");
    const [config] = objectsOf(isoline("manifests", "envoy", "--settings", file));
    rmSync(folder, { recursive: true });
    expect(JSON.stringify(config)).toContain("a.b");
  });
});
