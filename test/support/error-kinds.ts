import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { onTestFinished } from "vitest";
import { createHttpServer } from "../../src/runtime/node/http-server.js";
import { createApp } from "../../src/server/app.js";
import { tokenAuth } from "../../src/server/auth.js";
import { HeldErrors } from "../../src/server/held-errors.js";
import { Hub } from "../../src/server/hub.js";
import type { HubOptions } from "../../src/server/hub-options.js";
import { parseTokens } from "../../src/server/tokens.js";
import { startEnvoy, type TestEnvoy } from "./envoy.js";
import { freePort } from "./http.js";

export const envoyToken = "a-token-of-envoys";

/** A line of a token file. */
export const tokenLine = (role: string, token: string, rest = ""): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")} ${rest}`;

export interface ErrorServer {
  readonly port: number;
  readonly hub: Hub;
}

/** A server without a source that responds to every poll with an error of one kind. */
export async function startErrorServer(
  tokens: string,
  options: Partial<HubOptions> = {},
  spoil: (hub: Hub) => void = () => undefined,
): Promise<ErrorServer> {
  const hub = new Hub({ now: Date.now, log: () => undefined, ...options });
  spoil(hub);
  const heldErrors = new HeldErrors({ now: Date.now, log: () => undefined });
  const app = createApp({
    hub,
    heldErrors,
    status: () => ({}),
    authenticate: tokenAuth({ tokens: () => parseTokens(tokens), now: Date.now, requireTls: false }),
  });
  const port = await freePort();
  const server = createHttpServer(getRequestListener(app.fetch, { hostname: "127.0.0.1" }));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    hub.close();
    heldErrors.close();
    server.close();
  });
  return { port, hub };
}

/** The number of requests of an Envoy to the xDS cluster since its start. */
export async function requestsOf(envoy: TestEnvoy): Promise<number> {
  const stats = await envoy.stats(/^cluster\.(?:isoline|localhost|127_0_0_1)\.upstream_rq_total$/);
  return [...stats.values()].reduce((sum, n) => sum + n, 0);
}

/** How long requests are counted; the table in docs/operations.md has 60 s. */
export const countSeconds = Number(process.env.COUNT_SECONDS ?? 10);

/** The number of requests of each Envoy in this many seconds. */
export async function countRequests(
  envoys: ReadonlyMap<string, TestEnvoy>,
  seconds: number,
): Promise<Map<string, number>> {
  const all = [...envoys];
  const before = await Promise.all(all.map(([, envoy]) => requestsOf(envoy)));
  await sleep(seconds * 1000);
  const after = await Promise.all(all.map(([, envoy]) => requestsOf(envoy)));
  return new Map(all.map(([name], i) => [name, (after[i] ?? 0) - (before[i] ?? 0)]));
}

/** An Envoy that polls a port with a token; it stops with the test. */
export async function envoyAt(xdsPort: number, http1 = false): Promise<TestEnvoy> {
  const envoy = await startEnvoy({ xdsPort, token: envoyToken, http1 });
  onTestFinished(() => envoy.stop());
  return envoy;
}
