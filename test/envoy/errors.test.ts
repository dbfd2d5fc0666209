import { expect, test } from "vitest";
import type { TestEnvoy } from "../support/envoy.js";
import { countRequests, envoyAt, envoyToken, startErrorServer, tokenLine } from "../support/error-kinds.js";

const seconds = 20;
const good = tokenLine("node", envoyToken);

test("an Envoy that gets an error sends one request a second at most, whatever the error", async () => {
  const broken = (hub: { poll: unknown }): void => {
    hub.poll = () => Promise.reject(new Error("broken"));
  };
  const kinds: Record<string, () => ReturnType<typeof startErrorServer>> = {
    "401 unauthorized": () => startErrorServer(tokenLine("node", "another")),
    "403 wrong-node": () => startErrorServer(`${good} nodes=other`),
    "429 too-many-failures": async () => {
      const server = await startErrorServer(tokenLine("node", "another"));
      for (let i = 0; i < 21; i++)
        await fetch(`http://127.0.0.1:${server.port}/v3/discovery:clusters`, { method: "POST" });
      return server;
    },
    "429 too-many-polls": () => startErrorServer(good, { maxHeld: 0 }),
    "500 internal": () => startErrorServer(good, {}, broken),
    "503 not-configured": () => startErrorServer(""),
    "503 not-published": () => startErrorServer(good),
  };
  const envoys = new Map<string, TestEnvoy>();
  for (const [name, start] of Object.entries(kinds)) envoys.set(name, await envoyAt((await start()).port));
  const counts = await countRequests(envoys, seconds);
  console.log(Object.fromEntries([...counts].map(([name, n]) => [name, `${(n * 60) / seconds}/min`])));
  for (const [name, n] of counts) expect(n, name).toBeLessThanOrEqual(seconds);
});
