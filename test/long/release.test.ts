import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const base = mkdtempSync(join(tmpdir(), "isoline-release-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const checkout = join(base, "checkout");
const out = join(base, "out");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { cwd: checkout, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const commit = (message: string): string =>
  run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qam", message);
const release = () =>
  spawnSync(process.execPath, ["scripts/release.mjs", out], { cwd: checkout, encoding: "utf8" });

/** A repository with the files of this checkout as they are now. */
beforeAll(() => {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z", "--deduplicate"], {
    cwd: root,
    encoding: "utf8",
  });
  // The tests of repositories have links that lead nowhere.
  for (const name of listed.split("\0").filter((one) => one !== "" && !one.startsWith("test/"))) {
    mkdirSync(dirname(join(checkout, name)), { recursive: true });
    cpSync(join(root, name), join(checkout, name));
  }
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  run("git", "init", "-q");
  run("git", "add", ".");
  commit("release");
});

describe("npm run release", () => {
  it("makes the files of the version, with sums that hold", () => {
    const made = release();
    expect(made.status, made.stderr).toBe(0);
    expect(readdirSync(out).sort()).toEqual(
      [
        "NOTES.md",
        "PROVENANCE.md",
        "SHA256SUMS",
        `isoline-${version}.cdx.json`,
        `isoline-${version}.tgz`,
        `isoline-chart-${version}.tgz`,
      ].sort(),
    );
    execFileSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: out });
  });

  it("names the commit in the package, and in the notes on provenance", () => {
    const sha = run("git", "rev-parse", "HEAD").trim();
    expect(readFileSync(join(out, "PROVENANCE.md"), "utf8")).toContain(`Commit: ${sha}\n`);
    execFileSync("tar", ["-xzf", join(out, `isoline-${version}.tgz`), "-C", base]);
    const printed = execFileSync(process.execPath, [join(base, "package/dist/isoline.js"), "--version"], {
      encoding: "utf8",
    });
    expect(printed).toBe(`${version} (${sha.slice(0, 12)})\n`);
    expect(readFileSync(join(base, "package/dist/types/index.d.ts"), "utf8")).toContain("compile");
  });

  it("has a bill of materials with every package of the lock file that is bundled", () => {
    const bill = JSON.parse(readFileSync(join(out, `isoline-${version}.cdx.json`), "utf8")) as {
      readonly bomFormat: string;
      readonly metadata: { readonly component: { readonly version: string } };
      readonly components: readonly { readonly name: string }[];
    };
    expect([bill.bomFormat, bill.metadata.component.version]).toEqual(["CycloneDX", version]);
    const names = bill.components.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["node-sqlite3-wasm", "hono", "zod", "@kubernetes/client-node"]),
    );
  });

  it("has a chart of the version", () => {
    const chart = execFileSync(
      "tar",
      ["-xzOf", join(out, `isoline-chart-${version}.tgz`), "isoline/Chart.yaml"],
      { encoding: "utf8" },
    );
    expect(chart).toContain(`\nversion: ${version}\nappVersion: "${version}"\n`);
  });

  it("has the part of the changelog as its notes", () => {
    const notes = readFileSync(join(out, "NOTES.md"), "utf8");
    expect(notes).toMatch(/^### Added$/m);
    expect(notes).not.toMatch(/^## /m);
  });

  it("makes nothing of a checkout with changes, nor of a version that the changelog lacks", () => {
    writeFileSync(join(checkout, "README.md"), "changed");
    expect(release().stderr).toContain("the checkout has changes");
    run("git", "checkout", "-q", "README.md");
    const changelog = readFileSync(join(checkout, "CHANGELOG.md"), "utf8");
    writeFileSync(join(checkout, "CHANGELOG.md"), changelog.replace(`## ${version} - `, "## 9.9.9 - "));
    commit("another version");
    expect(release().stderr).toContain(`CHANGELOG.md has no part "## ${version} - DATE"`);
  });
});
