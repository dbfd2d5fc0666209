import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commit } from "./build.mjs";
import { isMain, root } from "./run.mjs";

const program = (name, ...args) =>
  execFileSync(name, args, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });

/** The part of the changelog about a version. Throws if there is none. */
function notesOf(version) {
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const [, notes] = changelog.split(
    new RegExp(`^## ${version.replaceAll(".", "\\.")} - \\d{4}-\\d{2}-\\d{2}\\n`, "m"),
  );
  if (notes === undefined)
    throw new Error(`CHANGELOG.md has no part "## ${version} - DATE": move the lines of "Unreleased" there`);
  return `${notes.split(/^## /m)[0].trim()}\n`;
}

/** How the files were made, so that anyone can make them again. */
const provenance = (version) => `# Provenance of Isoline ${version}

Commit: ${program("git", "rev-parse", "HEAD").trim()}
Time of the commit: ${program("git", "log", "-1", "--format=%cI").trim()}
Node: ${process.version}
npm: ${program("npm", "--version").trim()}

The files are made by \`npm ci && npm run release\` in a checkout of this commit. Packages have the versions and
digests of package-lock.json; the bill of materials (CycloneDX) lists them. The npm package bundles the packages that
it needs, but ${Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).dependencies).join(", ")}.

To check the files:

- \`sha256sum --check SHA256SUMS\`
- with a release from GitHub: \`gh attestation verify FILE --repo OWNER/isoline\`
- with the package from npm: \`npm audit signatures\`
`;

/**
 * Makes the files of a release: the npm tarball, the Helm chart, the CycloneDX bill of materials, the notes, how the
 * files were made, and the SHA-256 sums. Throws when the changelog has no part for the version of package.json, or the
 * checkout has changes.
 *
 * @param {string} folder the output folder, which is replaced
 */
export function release(folder) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const notes = notesOf(version);
  if (commit().endsWith("-dirty")) throw new Error("the checkout has changes: commit them first");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name, text) => writeFileSync(join(folder, name), text);
  program("npm", "pack", "--pack-destination", folder);
  write(
    `isoline-${version}.cdx.json`,
    program("npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"),
  );
  packChart(join(folder, `isoline-chart-${version}.tgz`));
  write("NOTES.md", notes);
  write("PROVENANCE.md", provenance(version));
  const sums = readdirSync(folder)
    .sort()
    .map(
      (file) =>
        `${createHash("sha256")
          .update(readFileSync(join(folder, file)))
          .digest("hex")}  ${file}\n`,
    );
  write("SHA256SUMS", sums.join(""));
}

/** Packs the chart as \`helm package\` does, with the time of the commit for each file: the same commit has the same bytes. */
function packChart(file) {
  const time = `@${program("git", "log", "-1", "--format=%ct").trim()}`;
  const same = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=${time}`];
  program("tar", "-C", "deploy/helm", ...same, "--use-compress-program=gzip -n", "-cf", file, "isoline");
}

if (isMain(import.meta)) release(process.argv[2] ?? join(root, "dist/release"));
