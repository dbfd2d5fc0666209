import { expect, it } from "vitest";
import type { Transport } from "../../src/kubernetes/api.js";
import { StatusWriter } from "../../src/kubernetes/status-writer.js";
import type { ObjectStatus } from "../../src/status/status.js";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Time passes only where somebody sleeps. */
function rig(answer: (method: string) => number) {
  let now = 0;
  const sleepers: { at: number; wake: () => void }[] = [];
  const abort = new AbortController();
  const writes: number[] = [];
  const transport: Transport = {
    send: async ({ method }) => {
      const status = answer(method);
      if (method === "PATCH") writes.push(now);
      return {
        status,
        body: (async function* () {
          yield encode(
            status === 200 ? { metadata: { resourceVersion: "1", generation: 1 } } : { message: "x" },
          );
        })(),
      };
    },
  };
  const wanted: ObjectStatus = {
    ref: "HTTPProxy/default/p",
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: { namespace: "default", name: "p" },
    status: { currentStatus: "valid", description: "Valid HTTPProxy" },
  };
  let judged = 0;
  const writer = new StatusWriter({
    transport,
    desired: () => {
      judged++;
      return [wanted];
    },
    leads: () => true,
    log: () => undefined,
    now: () => now,
    sleep: (ms) => new Promise((wake) => sleepers.push({ at: now + ms, wake })),
  });
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms;
    for (;;) {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      sleepers.sort((a, b) => a.at - b.at);
      const next = sleepers[0];
      if (!next || next.at > end) break;
      sleepers.shift();
      now = Math.max(now, next.at);
      next.wake();
    }
    now = end;
  };
  void writer.run(abort.signal);
  return { pass, writes, judged: () => judged };
}

it("T52: a write that conflicts each time is tried ever more seldom, and judges nothing anew meanwhile", async () => {
  const { pass, writes, judged } = rig((method) => (method === "PATCH" ? 409 : 200));
  await pass(600_000);
  expect(writes.length).toBeGreaterThan(5);
  expect(writes.length).toBeLessThan(25);
  expect(judged()).toBeLessThan(60);
  const gaps = writes.slice(1).map((at, i) => at - (writes[i] ?? 0));
  expect(Math.max(...gaps)).toBeGreaterThanOrEqual(60_000);
});

it("a write that conflicts once is done the next time", async () => {
  let conflicts = 1;
  const { pass, writes } = rig((method) => (method === "PATCH" && conflicts-- > 0 ? 409 : 200));
  await pass(60_000);
  expect(writes).toHaveLength(2);
});
