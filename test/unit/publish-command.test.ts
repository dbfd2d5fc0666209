import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type PublishCommandOptions, publishCommand } from "../../src/cli/publish.js";
import { startServer } from "../../src/cli/serve.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { hostProxy, type Manifest } from "../support/backend.js";

let folder: string;
let out: string;
let err: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isoline-publish-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  out = "";
  err = [];
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  onTestFinished(() => {
    stdout.mockRestore();
    stderr.mockRestore();
  });
  const digest = createHash("sha256").update("ci-token").digest("hex");
  await writeFile(join(folder, "tokens"), `publish sha256:${digest} source=web\n`);
  await writeFile(join(folder, "ci.token"), "ci-token\n");
});

async function start(options: { store?: Store } = {}): Promise<Awaited<ReturnType<typeof startServer>>> {
  const server = await startServer({
    paths: [],
    push: true,
    tokensFile: join(folder, "tokens"),
    ...(options.store ? { store: options.store } : {}),
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
  });
  return server;
}

async function publish(
  to: string,
  objects: readonly Manifest[] | string,
  options: Partial<PublishCommandOptions> = {},
): Promise<number> {
  const file = join(folder, "web.yaml");
  const text =
    typeof objects === "string" ? objects : objects.map((one) => JSON.stringify(one)).join("\n---\n");
  await writeFile(file, text);
  const tokenFile = join(folder, "ci.token");
  return publishCommand({ file: [file], to, source: "web", tokenFile, format: "text", ...options });
}

const good = {
  ...hostProxy("a.test", "x"),
  spec: { virtualhost: { fqdn: "a.test" }, routes: [{ directResponsePolicy: { statusCode: 200 } }] },
};
const bad = { ...hostProxy("b.test", "x"), spec: { virtualhost: { fqdn: 7 } } };

describe("isoline publish", () => {
  it("sends a source, tells of what is not valid by file and line, and sets the exit code", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await publish(server.url, [good])).toBe(0);
    expect(err.at(-1)).toBe("web at revision 1: 1 object published, 0 errors, 0 warnings");
    expect(await publish(server.url, [good, bad], { format: "github" })).toBe(1);
    expect(out).toMatch(/^::error file=.*web.yaml,line=3,col=\d+,title=HTTPProxy/m);
    expect(await publish(server.url, [good, bad], { strict: true })).toBe(1);
    expect(err.at(-1)).toContain("422 invalid-objects");
    expect(await publish(server.url, [good], { dryRun: true })).toBe(0);
    expect(err.at(-1)).toContain("would be published");
  });

  it("says what to do when it is refused", async () => {
    const server = await start();
    onTestFinished(() => server.close());
    expect(await publish(server.url, [good], { revision: "5" })).toBe(0);
    expect(await publish(server.url, [bad], { revision: "4" })).toBe(1);
    expect(err.at(-1)).toContain("409 stale-revision");
    expect(await publish(server.url, [good], { source: "other" })).toBe(1);
    expect(err.at(-1)).toContain("403 source-not-allowed");
    await writeFile(join(folder, "ci.token"), "wrong");
    expect(await publish(server.url, [good])).toBe(1);
    expect(err.at(-1)).toContain("give --token-file");
    expect(err.join("\n")).not.toContain("wrong");
  });

  it("publishes nothing of what it can't read, and reaches no server that is not there", async () => {
    const server = await start();
    expect(await publish(server.url, "a: [")).toBe(3);
    expect(err.at(-1)).toContain("nothing was published");
    await server.close();
    expect(await publish(server.url, [good])).toBe(3);
    expect(err.at(-1)).toContain("can't reach");
  });

  it.each([
    [{ to: "xds.example.com" }, "expected a URL"],
    [{ to: "http://xds.example.com" }, "go over https"],
    [{ source: "Web!" }, "expected a DNS name"],
    [{ revision: "soon" }, "expected a whole number"],
  ])("refuses %j", async (options, message) => {
    await expect(publish("https://127.0.0.1:1", [good], options)).rejects.toThrow(message);
  });

  it("leaves what was pushed to be served after a restart", async () => {
    const path = join(folder, "isoline.db");
    const before = createSqliteStore(path);
    const first = await start({ store: before });
    expect(await publish(first.url, [good])).toBe(0);
    await first.close();
    before.close();
    const store = createSqliteStore(path);
    onTestFinished(() => store.close());
    const second = await start({ store });
    onTestFinished(() => second.close());
    expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
    expect(await publish(second.url, [good])).toBe(0);
    expect(err.at(-1)).toContain("what is served stays the same");
  });
});
