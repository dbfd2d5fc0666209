import { setMaxListeners } from "node:events";
import { describe, expect, it } from "vitest";
import type { Transport } from "../../src/kubernetes/api.js";
import { StatusWriter } from "../../src/kubernetes/status-writer.js";
import type { Ref } from "../../src/schema/meta.js";
import type { ObjectStatus, StatusKind } from "../../src/status/status.js";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const condition = {
  type: "Accepted",
  status: "True",
  reason: "Accepted",
  message: "",
  observedGeneration: 1,
};
const verdict = { currentStatus: "valid", description: "Valid" };
/** A status of each kind that has one. */
const statusOf: Readonly<Record<StatusKind, ObjectStatus["status"]>> = {
  HTTPProxy: verdict,
  IngressRoute: verdict,
  ExtensionService: { conditions: [condition] },
  Ingress: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } },
  GatewayClass: { conditions: [condition] },
  Gateway: { conditions: [condition], listeners: [{ name: "http", conditions: [condition] }] },
  HTTPRoute: { parents: [{ controllerName: "c", parentRef: { name: "g" }, conditions: [condition] }] },
  GRPCRoute: { parents: [{ controllerName: "c", parentRef: { name: "g" }, conditions: [condition] }] },
  TLSRoute: { parents: [{ controllerName: "c", parentRef: { name: "g" }, conditions: [condition] }] },
  TCPRoute: { parents: [{ controllerName: "c", parentRef: { name: "g" }, conditions: [condition] }] },
  BackendTLSPolicy: {
    ancestors: [{ controllerName: "c", ancestorRef: { name: "g" }, conditions: [condition] }],
  },
};
const kinds = Object.keys(statusOf) as StatusKind[];

const wanted = (name: string, kind: StatusKind = "HTTPProxy", namespace = "default"): ObjectStatus => ({
  ref: `${kind}/${namespace}/${name}`,
  apiVersion: "v1",
  kind,
  metadata: { namespace, name },
  status: statusOf[kind],
});

/** What an API server answers: a status code, or nothing at all. */
type Given = (method: string, name: string) => number | "hangs" | "breaks" | "garbage";

/** As an API server words it. */
const refusal = (code: unknown): object => ({
  kind: "Status",
  code,
  message: code === 403 && refusals.lackRight ? 'User "isoline" cannot patch resource "x/status"' : "x",
});
const refusals = { lackRight: false };

/** A writer and its API server; time passes only where somebody sleeps. */
function rig(given: Given, desired: () => readonly ObjectStatus[] = () => [wanted("p")]) {
  let now = 0;
  const sleepers: { at: number; wake: () => void }[] = [];
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const writes: { at: number; name: string; ok: boolean }[] = [];
  const log: string[] = [];
  const failures: string[] = [];
  const stored = new Map<string, unknown>();
  const transport: Transport = {
    send: async ({ method, path, body, signal }) => {
      const name = /\/([^/?]+)(?:\/status)?(?:\?|$)/.exec(path)?.[1] ?? "";
      const status = given(method, name);
      if (method === "PATCH") writes.push({ at: now, name, ok: status === 200 });
      if (status === "breaks") throw new TypeError("fetch failed");
      if (status === "hangs")
        await new Promise((_, fail) => {
          signal.addEventListener("abort", () => fail(signal.reason as Error));
        });
      if (method === "PATCH" && status === 200)
        stored.set(
          path.replace(/\/status\?.*/, ""),
          (JSON.parse(body ?? "{}") as { status: unknown }).status,
        );
      const metadata = { resourceVersion: "1", generation: 1 };
      const object = { metadata, status: stored.get(path.replace(/\/status\?.*/, "")) };
      const answer = status === 200 ? object : status === "garbage" ? "text" : refusal(status);
      return {
        status: typeof status === "number" ? status : 200,
        body: (async function* () {
          yield encode(answer);
        })(),
      };
    },
  };
  let judged = 0;
  let byRef = new Map<string, ObjectStatus>();
  const leads = { value: true };
  const writer = new StatusWriter({
    transport,
    judge: (ref) => {
      judged++;
      const one = byRef.get(ref);
      return one ? { wanted: one } : {};
    },
    owner: () => ({ manager: "isoline", gateway: { namespace: "", name: "g", controllerName: "c" } }),
    leads: () => leads.value,
    wrote: () => undefined,
    failed: (kind, code) => failures.push(`${kind} ${code}`),
    log: (line) => log.push(line),
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { at: now + ms, wake: resolve };
        const place = sleepers.findIndex(({ at }) => at > sleeper.at);
        sleepers.splice(place < 0 ? sleepers.length : place, 0, sleeper);
        signal.addEventListener("abort", () => {
          const at = sleepers.indexOf(sleeper);
          if (at >= 0) sleepers.splice(at, 1);
          resolve();
        });
      }),
  });
  const pass = async (ms: number): Promise<void> => {
    const end = now + ms;
    for (;;) {
      // All that goes on without time passing.
      await new Promise((done) => setImmediate(done));
      const next = sleepers[0];
      if (!next || next.at > end) break;
      sleepers.shift();
      now = Math.max(now, next.at);
      next.wake();
    }
    now = end;
  };
  const seen = new Set<string>();
  /** All that is wanted was read, and may be judged otherwise than before. */
  const poke = (): void => {
    byRef = new Map(desired().map((one) => [one.ref, one]));
    for (const ref of byRef.keys()) if (!seen.has(ref)) writer.observe(ref as Ref, {});
    for (const ref of byRef.keys()) seen.add(ref);
    writer.touchAll();
  };
  poke();
  void writer.run(abort.signal);
  const written = (): string[] => [...new Set(writes.filter(({ ok }) => ok).map(({ name }) => name))].sort();
  const attempts = (name: string): number[] => writes.filter((one) => one.name === name).map(({ at }) => at);
  return { pass, poke, leads, writes, written, attempts, log, failures, writer, judged: () => judged };
}

it("T52: a write that conflicts each time is tried ever more seldom, and judges nothing anew meanwhile", async () => {
  const { pass, attempts, judged } = rig((method) => (method === "PATCH" ? 409 : 200));
  await pass(600_000);
  const writes = attempts("p");
  expect(writes.length).toBeGreaterThan(5);
  expect(writes.length).toBeLessThan(25);
  expect(judged()).toBeLessThan(60);
  const gaps = writes.slice(1).map((at, i) => at - (writes[i] ?? 0));
  expect(Math.max(...gaps)).toBeGreaterThanOrEqual(60_000);
});

it("a write that conflicts once is done the next time, and is no failure", async () => {
  let conflicts = 1;
  const { pass, writes, log, writer } = rig((method) => (method === "PATCH" && conflicts-- > 0 ? 409 : 200));
  await pass(60_000);
  expect(writes).toHaveLength(2);
  expect([log, writer.failing]).toEqual([[], []]);
});

describe("an object whose status can't be written", () => {
  const others = kinds.flatMap((kind) =>
    ["a", "b"].map((namespace) => wanted(`${kind}-${namespace}`.toLowerCase(), kind, namespace)),
  );
  const names = others.map(({ metadata }) => metadata.name).sort();

  it.each<[ReturnType<Given>, string]>([
    [413, "PATCH"],
    [422, "PATCH"],
    [409, "PATCH"],
    [400, "PATCH"],
    [403, "PATCH"],
    [429, "PATCH"],
    [500, "PATCH"],
    [503, "PATCH"],
    [504, "GET"],
    [500, "GET"],
    [403, "GET"],
    ["breaks", "PATCH"],
    ["garbage", "PATCH"],
    ["hangs", "PATCH"],
    ["hangs", "GET"],
  ])("stops no other: %s to %s", async (answer, asked) => {
    for (const kind of kinds) {
      const { pass, written, log, failures, writer } = rig(
        (method, name) => (name === "bad" && method === asked ? answer : 200),
        () => [wanted("bad", kind, "a"), ...others],
      );
      await pass(30_000);
      expect(written()).toEqual(names);
      await pass(600_000);
      expect(log).toHaveLength(1);
      expect(writer.failing).toMatchObject([{ ref: `${kind}/a/bad`, kind }]);
      expect(new Set(failures).size).toBe(1);
    }
  });

  it("is written once it can be, and then is no failure", async () => {
    let code = 413;
    const { pass, written, writer } = rig((method) => (method === "PATCH" ? code : 200));
    await pass(60_000);
    expect(writer.failing).toHaveLength(1);
    code = 200;
    await pass(600_000);
    expect([written(), writer.failing]).toEqual([["p"], []]);
  });

  it("is tried at once with another status, and ever more seldom with the same", async () => {
    let description = "first";
    const { pass, poke, attempts } = rig(
      (method) => (method === "PATCH" ? 413 : 200),
      () => [{ ...wanted("p"), status: { currentStatus: "valid", description } }],
    );
    await pass(3_600_000);
    const before = attempts("p").length;
    expect(before).toBeLessThan(20);
    await pass(1000);
    description = "second";
    poke();
    await pass(5000);
    expect(attempts("p").length).toBeGreaterThan(before);
  });

  it("rests, however much else changes meanwhile", async () => {
    const { pass, poke, attempts } = rig((method) => (method === "PATCH" ? 413 : 200));
    for (let i = 0; i < 600; i++) {
      await pass(1000);
      poke();
    }
    expect(attempts("p").length).toBeLessThan(15);
  });

  it("comes after those of its namespace that failed less", async () => {
    let description = "first";
    const bad = Array.from({ length: 80 }, (_, i) => wanted(`bad-${i}`));
    const later: ObjectStatus[] = [];
    const { pass, poke, written } = rig(
      (method, name) => (method === "PATCH" && name.startsWith("bad") ? 413 : 200),
      () => [...bad.map((one) => ({ ...one, status: { ...one.status, description } })), ...later],
    );
    await pass(3_600_000);
    description = "second";
    later.push(wanted("later"));
    poke();
    await pass(30_000);
    expect(written()).toEqual(["later"]);
  });

  it("fails no more when another writer has written it, or it is not ours to write", async () => {
    let desired = [wanted("p"), wanted("q")];
    const { pass, poke, writer } = rig(
      (method) => (method === "PATCH" ? 422 : 200),
      () => desired,
    );
    await pass(60_000);
    expect(writer.failing).toHaveLength(2);
    writer.observe("HTTPProxy/default/p", { status: verdict });
    poke();
    await pass(10_000);
    expect(writer.failing).toMatchObject([{ ref: "HTTPProxy/default/q" }]);
    desired = [];
    poke();
    await pass(10_000);
    expect(writer.failing).toEqual([]);
  });

  it("is forgotten with its object", async () => {
    const { pass, writer } = rig((method) => (method === "PATCH" ? 422 : 200));
    await pass(60_000);
    writer.forget("HTTPProxy/default/p");
    expect(writer.failing).toEqual([]);
  });

  it("can be many of one namespace, and the others' are written before its", async () => {
    const bad = Array.from({ length: 150 }, (_, i) => wanted(`bad-${i}`, "HTTPProxy", "a-tenant"));
    const good = Array.from({ length: 20 }, (_, i) => wanted(`good-${i}`, "HTTPProxy", `team-${i}`));
    const later: ObjectStatus[] = [];
    const { pass, poke, written, attempts, log } = rig(
      (method, name) => (method === "PATCH" && name.startsWith("bad") ? 413 : 200),
      () => [...bad, ...good, ...later],
    );
    await pass(10_000);
    expect(written()).toHaveLength(20);
    await pass(600_000);
    later.push(wanted("later", "Ingress", "z-team"));
    poke();
    const began = attempts("bad-0").length;
    await pass(30_000);
    expect(written()).toContain("later");
    expect(attempts("bad-0").length - began).toBeLessThan(5);
    expect(log.length).toBeLessThan(25);
  });

  it("is everyone's where the API server is away: few requests, one line for a kind that may not be written", async () => {
    const all = Array.from({ length: 500 }, (_, i) => wanted(`p-${i}`, "HTTPProxy", `team-${i}`));
    for (const answer of ["breaks", 503, 403] as const) {
      refusals.lackRight = true;
      let code: ReturnType<Given> = answer;
      const { pass, writes, written, log } = rig(
        (method) => (method === "PATCH" ? code : 200),
        () => all,
      );
      await pass(600_000);
      expect(writes.length).toBeLessThan(1000);
      expect(log.length).toBeLessThan(answer === 403 ? 2 : 25);
      code = 200;
      await pass(180_000);
      expect(written()).toHaveLength(500);
    }
  });
});
