import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";

const root = join(import.meta.dirname, "../..");
const command = join(root, "dist/isoline.js");
const certificate = (name: string): string => join(root, "test/support/certs", name);
const folder = mkdtempSync(join(tmpdir(), "isoline-start-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pair = (cert: string, key: string): string[] => [
  ...["--tls-cert-file", certificate(cert)],
  ...["--tls-key-file", certificate(key)],
];

describe.skipIf(!existsSync(command))(
  "isoline serve ends with one line that says what is wrong, where, and what to do",
  () => {
    const serve = (args: readonly string[]): Promise<{ code: unknown; stderr: string }> =>
      new Promise((resolve) => {
        const all = [command, "serve", "-f", join(root, "examples/quickstart"), ...args];
        execFile(process.execPath, all, { cwd: folder }, (error, _, stderr) =>
          resolve({ code: error?.code, stderr }),
        );
      });

    it.each<[string, readonly string[], RegExp]>([
      [
        "tokens",
        ["--tokens", "nowhere"],
        /--tokens nowhere can't be read \(ENOENT.*`isoline token node --file nowhere`/,
      ],
      [
        "certificate",
        pair("nowhere", "secure.key"),
        /--tls-cert-file \S+nowhere can't be read \(ENOENT.*PEM/,
      ],
      ["key", pair("secure.crt", "nowhere"), /--tls-key-file \S+nowhere can't be read \(ENOENT.*PEM/],
      [
        "pair",
        pair("secure.crt", "loopback.key"),
        /are not a certificate and its private key \(PEM\): .*mismatch/,
      ],
      [
        "address",
        ["--listen", "192.0.2.1:18000", "--insecure"],
        /--listen 192\.0\.2\.1:18000: this machine does not have/,
      ],
      ["settings", ["--settings", "nowhere"], /nowhere: ENOENT/],
    ])("%s", async (_, args, line) => {
      const port = await freePort();
      const listen = args.includes("--listen") ? [] : ["--listen", `127.0.0.1:${port}`];
      const { code, stderr } = await serve([...args, ...listen]);
      expect(code).toBe(3);
      // The log may have lines before, in JSON.
      expect(stderr).toMatch(/^(?:\{.*\n)*isoline: .*\n$/);
      expect(stderr).toMatch(line);
    });

    it("port", async () => {
      const port = await freePort();
      const other = createServer().listen(port, "127.0.0.1");
      onTestFinished(() => void other.close());
      const { code, stderr } = await serve(["--listen", `127.0.0.1:${port}`]);
      expect(code).toBe(3);
      expect(stderr).toContain(
        `--listen 127.0.0.1:${port}: another process has this port; end it, or give another`,
      );
    });

    it("starts with a warning if Envoys will get nothing: an old certificate, no token", async () => {
      writeFileSync(join(folder, "tokens"), "# none yet\n");
      const args = ["--listen", `127.0.0.1:${await freePort()}`, "--tokens", "tokens"];
      const all = [command, "serve", "-f", join(root, "examples/quickstart"), ...args];
      const child: ChildProcess = spawn(process.execPath, [...all, ...pair("expired.crt", "expired.key")], {
        cwd: folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
      onTestFinished(() => void child.kill());
      let log = "";
      child.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
      await eventually(async () => log.includes("isoline serves xDS on"), "it serves", 30_000);
      expect(log).toMatch(/expired\.crt expired on .*: Envoys refuse it; renew it/);
      expect(log).toMatch(/tokens: contains no token, so every request is refused with 503: make it with/);
    });
  },
);
