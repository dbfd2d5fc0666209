import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commit } from "./build.mjs";
import { isMain, root } from "./run.mjs";

/**
 * Makes the files of a release: the npm tarball, its CycloneDX bill of materials, and SHA-256 sums of both. Throws when
 * the changelog has no section for the version of package.json.
 *
 * @param {string} folder the output folder, which is replaced
 */
export function release(folder) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (!readFileSync(join(root, "CHANGELOG.md"), "utf8").includes(`\n## ${version} - `))
    throw new Error(`CHANGELOG.md has no part "## ${version} - DATE": move the lines of "Unreleased" there`);
  if (commit().endsWith("-dirty")) throw new Error("the checkout has changes: commit them first");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const npm = (...args) => execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  npm("pack", "--pack-destination", folder);
  writeFileSync(join(folder, `isoline-${version}.cdx.json`), npm("sbom", "--sbom-format", "cyclonedx"));
  const files = [`isoline-${version}.tgz`, `isoline-${version}.cdx.json`];
  const sums = files.map((file) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(folder, file)))
      .digest("hex");
    return `${sum}  ${file}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

if (isMain(import.meta)) release(process.argv[2] ?? join(root, "dist/release"));
