import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Miniflare } from "miniflare";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import type { TestEnvoy } from "../support/envoy.js";
import { countRequests, envoyAt, envoyToken, tokenLine } from "../support/error-kinds.js";
import { freePort } from "../support/http.js";

const seconds = 20;
const good = tokenLine("node", envoyToken);

/** The Worker with an object that fails as the variable `FAULT` says. */
const entry = `
import worker, { Fleet as Whole } from "./worker.js";
export default worker;
export class Fleet extends Whole {
  constructor(state, env) {
    super(state, env);
    this.state = state;
    this.fault = env.FAULT;
  }
  async fetch(request) {
    if (this.fault === "throws") throw new Error("the object is broken");
    if (this.fault === "resets") this.state.abort("the object is reset");
    return super.fetch(request);
  }
}`;

let contents: string;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL("../../scripts/build.mjs", import.meta.url)),
  ]);
  contents = await readFile(new URL("../../dist/worker.js", import.meta.url), "utf8");
});

async function startWorker(tokens: string, fault = ""): Promise<{ readonly port: number }> {
  const port = await freePort();
  const worker = new Miniflare({
    host: "127.0.0.1",
    port,
    modules: [
      { type: "ESModule", path: "entry.js", contents: entry },
      { type: "ESModule", path: "worker.js", contents },
    ],
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
    durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
    bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: tokens, FAULT: fault },
    handleRuntimeStdio: () => undefined,
  });
  onTestFinished(() => worker.dispose());
  await worker.ready;
  return { port };
}

test("an Envoy that gets an error from the Worker sends one request a second at most, whatever the error", async () => {
  const kinds: Record<string, () => ReturnType<typeof startWorker>> = {
    "401 unauthorized": () => startWorker(tokenLine("node", "another")),
    "403 wrong-node": () => startWorker(`${good} nodes=other`),
    "503 not-configured": () => startWorker(""),
    "503 not-published": () => startWorker(good),
    "the object throws": () => startWorker(good, "throws"),
    "the object is reset": () => startWorker(good, "resets"),
  };
  const envoys = new Map<string, TestEnvoy>();
  for (const [name, start] of Object.entries(kinds)) envoys.set(name, await envoyAt((await start()).port));
  const counts = await countRequests(envoys, seconds);
  console.log(Object.fromEntries([...counts].map(([name, n]) => [name, `${(n * 60) / seconds}/min`])));
  for (const [name, n] of counts) expect(n, name).toBeLessThanOrEqual(seconds);
});
