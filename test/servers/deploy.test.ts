import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
const byText = (objects: readonly object[]): string[] => objects.map((one) => JSON.stringify(one)).sort();

it("the generated files of deploy/ are those that `npm run gen:deploy` writes", async () => {
  const script =
    "import('./scripts/gen-deploy.mjs').then(({ generated }) => console.log(JSON.stringify(generated())))";
  const output = execFileSync(process.execPath, ["-e", script], {
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

interface Values {
  readonly image: string;
  readonly replicas: number;
  readonly gateway: boolean;
  readonly envoy: { readonly enabled: boolean; readonly image: string; readonly kind: string };
}

/** `isoline manifests` reads Envoy's release from its image; the chart's bootstrap is for all releases. */
const envoyImage = "registry.example.com/envoy";
const defaults = parse(read("deploy/helm/isoline/values.yaml")) as Values;

/** Renders the constructs that the chart uses, as Helm does; any other construct fails. */
function render(template: string, values: Values, namespace: string): string {
  const { envoy } = values;
  const conditions: Readonly<Record<string, boolean>> = {
    ".Values.gateway": values.gateway,
    "not .Values.gateway": !values.gateway,
    'and .Values.envoy.enabled (eq .Values.envoy.kind "DaemonSet")':
      envoy.enabled && envoy.kind === "DaemonSet",
    'and .Values.envoy.enabled (eq .Values.envoy.kind "Deployment")':
      envoy.enabled && envoy.kind === "Deployment",
  };
  const terms: Readonly<Record<string, string>> = {
    ".Release.Namespace": namespace,
    ".Release.Namespace | quote": JSON.stringify(namespace),
    ".Values.image | quote": JSON.stringify(values.image),
    ".Values.envoy.image | quote": JSON.stringify(envoy.image),
    ".Values.replicas": String(values.replicas),
  };
  return template
    .replace(/\{\{- if (.*?) \}\}\n([\s\S]*?)\{\{- end \}\}\n/g, (_, condition: string, text: string) => {
      expect(Object.keys(conditions)).toContain(condition);
      return conditions[condition] ? text : "";
    })
    .replace(/\{\{ (.*?) \}\}/g, (_, term: string) => {
      expect(Object.keys(terms)).toContain(term);
      return terms[term] ?? "";
    });
}

describe("the Helm chart", () => {
  const schema = z.fromJSONSchema(JSON.parse(read("deploy/helm/isoline/values.schema.json")));

  it.each<[string, Values, readonly string[]]>([
    ["its defaults", defaults, []],
    [
      "a Deployment",
      { ...defaults, replicas: 3, envoy: { ...defaults.envoy, kind: "Deployment" } },
      ["--replicas", "3", "--envoy-kind", "Deployment"],
    ],
    [
      "the Gateway API",
      { ...defaults, gateway: true, image: "a.example/isoline:1" },
      ["--gateway", "--image", "a.example/isoline:1"],
    ],
  ])("renders %s to the objects of `isoline manifests`", (_, { envoy, ...others }, options) => {
    const values = { ...others, envoy: { ...envoy, image: envoyImage } };
    expect(schema.safeParse(values).success).toBe(true);
    const rendered = ["rbac", "server", "envoy"].flatMap((part) =>
      objectsOf(render(read(`deploy/helm/isoline/templates/${part}.yaml`), values, "edge")),
    );
    const printed = objectsOf(
      isoline(
        "manifests",
        "rbac",
        "server",
        "envoy",
        "--namespace",
        "edge",
        "--envoy-image",
        envoyImage,
        ...options,
      ),
    );
    expect(byText(rendered)).toEqual(byText(printed.filter(({ kind }) => kind !== "Namespace")));
  });

  it("refuses values that are misspelt or of another type", () => {
    expect(schema.safeParse({ ...defaults, replica: 2 }).success).toBe(false);
    expect(schema.safeParse({ ...defaults, replicas: "2" }).success).toBe(false);
    expect(schema.safeParse({ ...defaults, envoy: { ...defaults.envoy, kind: "Pod" } }).success).toBe(false);
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
