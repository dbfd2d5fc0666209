import { setMaxListeners } from "node:events";
import type { Transport } from "../../src/kubernetes/api.js";
import type { Ref } from "../../src/schema/meta.js";
import type { ObjectStatus, StatusKind, StatusVerdict } from "../../src/status/status.js";
import { StatusWriter } from "../../src/status/write/writer.js";

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

const condition = {
  type: "Accepted",
  status: "True",
  reason: "Accepted",
  message: "",
  observedGeneration: 1,
};
export const verdict = { currentStatus: "valid", description: "Valid" };
/** A status for each kind that has one. */
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
  UDPRoute: { parents: [{ controllerName: "c", parentRef: { name: "g" }, conditions: [condition] }] },
  ListenerSet: { conditions: [condition], listeners: [{ name: "http", conditions: [condition] }] },
  BackendTLSPolicy: {
    ancestors: [{ controllerName: "c", ancestorRef: { name: "g" }, conditions: [condition] }],
  },
};
export const kinds = Object.keys(statusOf) as StatusKind[];

export const desiredStatus = (
  name: string,
  kind: StatusKind = "HTTPProxy",
  namespace = "default",
): ObjectStatus => ({
  ref: `${kind}/${namespace}/${name}`,
  apiVersion: "v1",
  kind,
  metadata: { namespace, name },
  status: statusOf[kind],
});

/** The response of an API server: a status code, or a failure. */
export type Given = (method: string, name: string) => number | "hangs" | "breaks" | "garbage";

/** An error in the form of an API server. */
const refusal = (code: unknown): object => ({
  kind: "Status",
  code,
  message: code === 403 && refusals.lackRight ? 'User "isoline" cannot patch resource "x/status"' : "x",
});
export const refusals = { lackRight: false };

/** A writer and its API server. Time passes only in `sleep`. */
export function statusRig(
  given: Given,
  desired: () => readonly ObjectStatus[] = () => [desiredStatus("p")],
  judge: (ref: Ref, otherwise: StatusVerdict) => StatusVerdict = (_, otherwise) => otherwise,
  { inTurns = false } = {},
) {
  let now = 0;
  const sleepers: { at: number; wake: () => void }[] = [];
  const abort = new AbortController();
  setMaxListeners(0, abort.signal);
  const writes: { at: number; name: string; ok: boolean }[] = [];
  const log: string[] = [];
  const failures: string[] = [];
  /** Statuses and managed fields that the API server has, by path. */
  const stored = new Map<string, unknown>();
  const managed = new Map<string, object[]>();
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
      const at = path.replace(/\/status\?.*/, "");
      const metadata = { resourceVersion: "1", generation: 1, managedFields: managed.get(at) };
      const object = { metadata, status: stored.get(at) };
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
  const due: number[] = [];
  const writer = new StatusWriter({
    transport,
    verdict: (ref) => {
      judged++;
      const one = byRef.get(ref);
      return judge(ref, one ? { desired: one } : {});
    },
    owner: () => ({ manager: "isoline", gateway: { namespace: "", name: "g", controllerName: "c" } }),
    leads: () => leads.value,
    wrote: () => undefined,
    failed: (kind, code) => failures.push(`${kind} ${code}`),
    log: (line) => log.push(line),
    now: () => now,
    due: () => void due.push(now),
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
      // Runs all work that needs no time.
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
  /** All desired statuses were read, and may have changed. */
  const poke = (): void => {
    byRef = new Map(desired().map((one) => [one.ref, one]));
    for (const ref of byRef.keys()) if (!seen.has(ref)) writer.observe(ref as Ref, {});
    for (const ref of byRef.keys()) seen.add(ref);
    writer.touchAll();
  };
  poke();
  if (!inTurns) void writer.run(abort.signal);
  const written = (): string[] => [...new Set(writes.filter(({ ok }) => ok).map(({ name }) => name))].sort();
  const attempts = (name: string): number[] => writes.filter((one) => one.name === name).map(({ at }) => at);
  return {
    pass,
    poke,
    leads,
    stored,
    managed,
    writes,
    written,
    attempts,
    log,
    failures,
    writer,
    due,
    judged: () => judged,
  };
}
