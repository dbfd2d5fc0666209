import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { hostProxy, service } from "../support/backend.js";
import type { TestEnvoy } from "../support/envoy.js";
import {
  countRequests,
  envoyAt,
  envoyToken,
  countSeconds as seconds,
  tokenLine,
} from "../support/error-kinds.js";
import { freePort } from "../support/http.js";
import { compatibility } from "../support/wrangler.js";

const good = tokenLine("node", envoyToken);

/** The Worker with an object that fails as the variable `FAULT` states. */
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
    if (request.url.endsWith("/sources/reset")) this.state.abort("the object is reset");
    if (this.fault === "throws") throw new Error("the object is broken");
    if (this.fault === "resets") this.state.abort("the object is reset");
    return super.fetch(request);
  }
}`;

let contents: string;

beforeAll(async () => {
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
    ...compatibility,
    durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
    bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: tokens, FAULT: fault },
    handleRuntimeStdio: () => undefined,
  });
  onTestFinished(() => worker.dispose());
  await worker.ready;
  return { port };
}

test("an Envoy that gets an error from the Worker sends at most one request a second, whatever the error", async () => {
  const kinds: Record<string, () => ReturnType<typeof startWorker>> = {
    "401 unauthorized": () => startWorker(tokenLine("node", "another")),
    "403 wrong-node": () => startWorker(`${good} nodes=other`),
    "503 not-configured": () => startWorker(""),
    "503 not-published": () => startWorker(good),
    "the object throws": () => startWorker(good, "throws"),
    "the object is reset": () => startWorker(good, "resets"),
  };
  const envoys = new Map<string, TestEnvoy>();
  for (const [name, start] of Object.entries(kinds))
    envoys.set(name, await envoyAt((await start()).port, true));
  const counts = await countRequests(envoys, seconds);
  console.log(Object.fromEntries([...counts].map(([name, n]) => [name, `${(n * 60) / seconds}/min`])));
  for (const [name, n] of counts) expect(n, name).toBeLessThanOrEqual(seconds);
});

test("the Worker repeats a poll that the object held when it was reset, and a write gets a problem", async () => {
  const publish = tokenLine("publish", "p");
  const { port } = await startWorker(`${good}\n${publish}`);
  const put = (name: string, host: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/sources/${name}`, {
      method: "PUT",
      headers: { authorization: "Bearer p" },
      body: JSON.stringify([service("default", "a"), hostProxy(host, "a")]),
    });
  const poll = async (version: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v3/discovery:routes`, {
      method: "POST",
      headers: { authorization: `Bearer ${envoyToken}`, "x-envoy-expected-rq-timeout-ms": "30000" },
      body: JSON.stringify({ version_info: version, node: { id: "a" }, resource_names: ["ingress_http"] }),
    });
    return { status: answer.status, text: await answer.text() };
  };
  expect((await put("main", "one.test")).status).toBe(200);
  const first = await poll("");
  const { version_info: version } = JSON.parse(first.text) as { version_info: string };
  const held = poll(version);
  await sleep(1000);
  const reset = await put("reset", "one.test");
  expect(reset.status).toBe(503);
  expect(await reset.json()).toMatchObject({ code: "object-failed" });
  await sleep(2000);
  expect((await put("main", "two.test")).status).toBe(200);
  const second = await held;
  expect(second.status).toBe(200);
  expect(second.text).toContain("two.test");
});
