import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { type Checkout, canReview, checkout } from "../support/github.js";

const root = join(import.meta.dirname, "../..");

interface Job {
  readonly variables: Readonly<Record<string, string>>;
  readonly before_script: readonly string[];
  readonly script: readonly string[];
}

/** The jobs of the component after GitLab's substitution of its inputs. */
function jobsOf(given: Readonly<Record<string, string>>): Readonly<Record<string, Job>> {
  const [head = "", body = ""] = readFileSync(join(root, "templates/isoline.yml"), "utf8").split("\n---\n");
  const { inputs } = (parse(head) as { spec: { inputs: Record<string, { default?: string }> } }).spec;
  const text = body.replaceAll(/\$\[\[ inputs\.([a-z-]+) \]\]/g, (_, name: string) => {
    expect(Object.keys(inputs)).toContain(name);
    return given[name] ?? inputs[name]?.default ?? "";
  });
  return parseAllDocuments(text)[0]?.toJS() as Readonly<Record<string, Job>>;
}

/** A repository with the bundle, which the component fetches. */
function isolineRepository(): { readonly url: string; readonly commit: string } {
  const folder = mkdtempSync(join(tmpdir(), "isoline-repository-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, "action"), join(folder, "action"), { recursive: true });
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], {
      cwd: folder,
      encoding: "utf8",
    });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "bundle");
  return { url: `file://${folder}`, commit: git("rev-parse", "HEAD").trim() };
}

const proxy = (service: string): string =>
  `apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: shop, namespace: shop}
spec:
  virtualhost: {fqdn: shop.example.com}
  routes: [{services: [{name: ${service}, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{port: 80}]}
`;

function check(
  at: Checkout,
  inputs: Readonly<Record<string, string>> = {},
): { readonly status: number | null; readonly output: string } {
  const { url, commit } = isolineRepository();
  const jobs = jobsOf({ "isoline-repository": url, "isoline-commit": commit, ...inputs });
  const base = jobs[".isoline"];
  const lines = [...(base?.before_script ?? []), ...(jobs["isoline-check"]?.script ?? [])];
  const { status, stdout, stderr } = spawnSync("bash", ["-e", "-c", lines.join("\n")], {
    cwd: at.folder,
    encoding: "utf8",
    env: {
      PATH: process.env.PATH,
      HOME: at.folder,
      ...Object.fromEntries(
        Object.entries(base?.variables ?? {}).map(([name, value]) => [name, String(value)]),
      ),
      CI_MERGE_REQUEST_DIFF_BASE_SHA: at.base,
    },
  });
  return { status, output: stdout + stderr };
}

it("the job of a merge request checks with the fetched bundle, reports, and compares", () => {
  const before = { "manifests/shop.yaml": proxy("web") };
  const good = checkout(before, before);
  const fine = check(good);
  if (canReview) expect(fine.status, fine.output).toBe(0);
  expect(fine.output).toContain("2 objects read: 2 served; 1 host; 0 errors, 0 warnings");
  const bad = checkout(before, { "manifests/shop.yaml": proxy("webb") });
  const { status, output } = check(bad);
  expect(status).toBeGreaterThan(0);
  expect(output).toContain("ServiceUnresolvedReference");
  const report = JSON.parse(readFileSync(join(bad.folder, "isoline-code-quality.json"), "utf8")) as object[];
  expect(report).toEqual([
    expect.objectContaining({ location: { path: "manifests/shop.yaml", lines: { begin: 6 } } }),
  ]);
  expect(existsSync(join(bad.folder, "isoline-diff.md"))).toBe(true);
  if (canReview) expect(readFileSync(join(bad.folder, "isoline-diff.md"), "utf8")).toMatch(/shop/);
});

it("the job reads the settings, and those of the base for the side before", () => {
  const [manifests, settings] = ["manifests/shop.yaml", "isoline.yaml"];
  const at = checkout(
    { [manifests]: proxy("web"), [settings]: "{}\n" },
    { [manifests]: proxy("web"), [settings]: "rootNamespaces: [infra]\n" },
  );
  const { status, output } = check(at, { settings });
  expect(status, output).toBeGreaterThan(0);
  expect(output).toContain("RootProxyNotAllowed");
  if (canReview)
    expect(readFileSync(join(at.folder, "isoline-diff.md"), "utf8")).toMatch(/shop\.example\.com.*gone/s);
});

it("the job compares with an empty side if the base has no manifests", () => {
  const at = checkout(
    { "README.md": "a shop\n" },
    { "README.md": "a shop\n", "manifests/shop.yaml": proxy("web") },
  );
  const { status, output } = check(at, { known: "" });
  expect(status, output).toBe(0);
  if (canReview)
    expect(readFileSync(join(at.folder, "isoline-diff.md"), "utf8")).toMatch(/shop\.example\.com/);
});
