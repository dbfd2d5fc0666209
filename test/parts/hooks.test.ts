import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { hostUnit } from "../../src/graph/core/keys.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { clusterHooks } from "../../src/server/cluster-surface.js";
import { Hub } from "../../src/server/hub.js";
import { Doorbell } from "../../src/sources/kubernetes/doorbell.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { hostProxy, type Manifest } from "../support/backend.js";
import { engineOf } from "../support/engine.js";

const platform = { checkKeyPair: () => undefined };
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "a", namespace: "default" },
  spec: { ports: [{ port: 80 }] },
};

const objectsOf = (manifests: readonly object[]): readonly KubeObject[] =>
  manifests.flatMap((manifest) => {
    const parsed = parseObject(manifest);
    return "object" in parsed ? [parsed.object] : [];
  });

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly response?: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly warnings?: readonly string[];
    readonly status?: {
      readonly code: number;
      readonly message: string;
      readonly details: { readonly causes: readonly { readonly field: string }[] };
    };
  };
}

function rig({ strict = false, ready = true } = {}) {
  const store = createMemoryStore();
  update(store, objectsOf([service, hostProxy("taken.test", "a")]), platform);
  let rings = 0;
  const written: (readonly [string, string])[] = [];
  const hooks = clusterHooks(engineOf(store), {
    strict,
    ready: () => ready,
    ring: () => void rings++,
    wrote: (ref, user) => void written.push([ref, user]),
  });
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const app = createApp({ hub, hooks, status: () => ({}), authenticate: everyone });
  const post = async (name: string, body: RequestInit["body"], headers = {}): Promise<Answer> => {
    const answer = await app.request(`/hooks/${name}`, { method: "POST", body: body ?? null, headers });
    return { ...((await answer.json()) as object), status: answer.status };
  };
  const admit = (object: unknown, request: object = {}): Promise<Answer> =>
    post(
      "admission",
      JSON.stringify({
        apiVersion: "admission.k8s.io/v1",
        kind: "AdmissionReview",
        request: { uid: "u-1", operation: "CREATE", object, ...request },
      }),
    );
  return { store, post, admit, written, rings: () => rings };
}

const withSpec = (spec: object): Manifest => ({ ...hostProxy("new.test", "a"), spec }) as Manifest;
const route = (rest: object): Manifest =>
  withSpec({ virtualhost: { fqdn: "new.test" }, routes: [{ services: [{ name: "a", port: 80 }], ...rest }] });

describe("the users of writes", () => {
  const resource = { group: "projectcontour.io", version: "v1", resource: "httpproxies" };

  it("are taken from reviews that are allowed and made, and from audit events of successful writes", async () => {
    const { post, admit, written } = rig();
    const asked = { resource, namespace: "default", name: "new", userInfo: { username: "alice" } };
    await admit(route({}), asked);
    await admit(route({}), { ...asked, dryRun: true });
    await admit(route({ services: [] }), { ...asked, userInfo: { username: "mallory" } });
    expect(written).toEqual([["HTTPProxy/default/new", "alice"]]);
    const audited = (user: object, verb = "update", more: object = {}) => ({
      verb,
      objectRef: { apiGroup: resource.group, resource: resource.resource, namespace: "default", name: "web" },
      user,
      ...more,
    });
    const items = [
      audited({ username: "bob" }),
      audited({ username: "root" }, "update", { impersonatedUser: { username: "carol" } }),
      audited({ username: "eve" }, "get"),
      audited({ username: "eve" }, "update", { responseStatus: { code: 403 } }),
      audited({}),
    ];
    await post("audit", JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items }));
    expect(written.slice(1)).toEqual([
      ["HTTPProxy/default/web", "bob"],
      ["HTTPProxy/default/web", "carol"],
    ]);
  });
});

describe("the admission webhook", () => {
  it("lets a valid object pass, rings, and leaves what is served alone", async () => {
    const { admit, rings, store } = rig();
    const before = [...store.objects()].length;
    const { response } = await admit(hostProxy("new.test", "a"));
    expect(response).toEqual({ uid: "u-1", allowed: true });
    expect([rings(), [...store.objects()].length, store.unit(hostUnit("new.test"))]).toEqual([
      1,
      before,
      undefined,
    ]);
  });

  it.each([
    ["a field of the wrong type", withSpec({ virtualhost: { fqdn: 7 } }), "spec.virtualhost.fqdn"],
    [
      "a bad timeout",
      route({ timeoutPolicy: { response: "soon" } }),
      "spec.routes[0].timeoutPolicy.response",
    ],
    ["two exact conditions", route({ conditions: [{ prefix: "a" }] }), "spec.routes[0].conditions"],
    ["a host that is taken", hostProxy("taken.test", "b"), ""],
  ])("denies %s", async (_, object, field) => {
    const { admit, rings } = rig();
    const other = { ...object, metadata: { name: "new", namespace: "default" } };
    const { status, response } = await admit(other);
    expect([status, response?.allowed, response?.status?.code]).toEqual([200, false, 422]);
    expect(response?.status?.details.causes[0]?.field).toContain(field);
    expect(response?.status?.message).not.toBe("");
    expect(rings()).toBe(0);
  });

  it("warns of what may come later, and denies it when strict", async () => {
    const lacking = hostProxy("new.test", "missing");
    const { response } = await rig().admit(lacking);
    expect(response?.allowed).toBe(true);
    expect(response?.warnings?.[0]).toContain("missing");
    expect((await rig({ strict: true }).admit(lacking)).response?.allowed).toBe(false);
  });

  it("warns as check does of what has no effect and of what nothing serves, with the code at the end", async () => {
    const { admit } = rig();
    const name = "x".repeat(300);
    const annotations = { [`projectcontour.io/${name}`]: "a", "projectcontour.io/retry-on": "5xx" };
    const orphan = { ...route({}), metadata: { name: "new", namespace: "default", annotations } };
    const spec = { routes: [{ services: [{ name: "a", port: 80 }] }], zzz: 1 };
    const { response } = await admit({ ...orphan, spec });
    expect(response?.allowed).toBe(true);
    expect(response?.warnings?.map((text) => text.replace(/.* /, ""))).toEqual([
      "(SchemaError/UnknownField)",
      "(LintError/UnknownAnnotation)",
      "(LintError/AnnotationOfAnotherKind)",
      "(Orphaned/Orphaned)",
    ]);
    expect(Math.max(...(response?.warnings ?? []).map((text) => text.length))).toBe(250);
  });

  it("denies for errors alone, where an object has warnings too", async () => {
    const { response } = await rig().admit(withSpec({ virtualhost: { fqdn: 7 }, zzz: 1 }));
    expect(response?.status?.details.causes.map(({ field }) => field)).toEqual(["spec.virtualhost.fqdn"]);
    expect(response?.status?.message).toMatch(/ \(SchemaError\/Invalid\)$/);
    expect(response?.warnings).toHaveLength(1);
  });

  it("lets an object be edited that was invalid before, with a warning", async () => {
    const { admit, store } = rig();
    const bad = route({ timeoutPolicy: { response: "soon" } });
    update(store, objectsOf([bad]), platform);
    const labelled = { ...bad, metadata: { ...(bad.metadata as object), labels: { a: "b" } } };
    const { response } = await admit(labelled, { operation: "UPDATE", oldObject: bad });
    expect([response?.allowed, response?.warnings?.length]).toEqual([true, 1]);
    const denied = route({ conditions: [{ prefix: "a" }] });
    update(store, objectsOf([denied]), platform);
    const again = { ...denied, metadata: { ...(denied.metadata as object), labels: { a: "b" } } };
    const second = await admit(again, { operation: "UPDATE", oldObject: denied });
    expect([second.response?.allowed, second.response?.warnings?.length]).toEqual([true, 1]);
  });

  it("checks fields alone before the cluster is read", async () => {
    const { admit } = rig({ ready: false });
    expect((await admit(withSpec({ virtualhost: { fqdn: 7 } }))).response?.allowed).toBe(false);
    const { response } = await admit(hostProxy("new.test", "missing"));
    expect([response?.allowed, response?.warnings?.length]).toEqual([true, 1]);
  });

  it("lets pass what is none of its business, and does not ring for a dry run", async () => {
    const { admit, rings } = rig();
    expect((await admit({ apiVersion: "apps/v1", kind: "Deployment" })).response?.allowed).toBe(true);
    expect((await admit(null, { operation: "DELETE" })).response?.allowed).toBe(true);
    expect(rings()).toBe(2);
    expect((await admit(hostProxy("x.test", "a"), { dryRun: true })).response?.allowed).toBe(true);
    expect(rings()).toBe(2);
  });
});

describe("hooks", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  it.each([
    ["nothing", "", 400],
    ["null", "null", 400],
    ["a list", "[]", 400],
    ["text that is no JSON", "x".repeat(1_000_000), 400],
    ["a nest of lists", `{"a":${deep}}`, 400],
    ["another kind", '{"kind":"Pod"}', 400],
    ["no request", '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 400],
    ["half a pair", '{"kind":"\ud800"}', 400],
    ["too much", "x".repeat(5_000_000), 413],
  ])("refuse %s", async (_, body, status) => {
    const { post, rings } = rig();
    expect((await post("admission", body)).status).toBe(status);
    expect((await post("audit", body)).status).toBe(status);
    expect(rings()).toBe(0);
  });

  it("refuse what unpacks to too much", async () => {
    const { post } = rig();
    const bomb = gzipSync(Buffer.alloc(50_000_000, " "));
    expect((await post("audit", bomb, { "content-encoding": "gzip" })).status).toBe(413);
  });

  it("leave prototypes alone", async () => {
    const { admit } = rig();
    const hostile = JSON.parse('{"__proto__":{"polluted":1},"kind":"HTTPProxy"}') as object;
    await admit(hostile);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("ring for audit events of writes to what is read, and of nothing else", async () => {
    const { post, rings } = rig();
    const event = (verb: string, resource: string, rest: object = {}): object => ({
      verb,
      objectRef: { apiGroup: "projectcontour.io", resource, ...rest },
      responseStatus: { code: 200 },
    });
    const events = (...items: object[]): Promise<Answer> =>
      post("audit", JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", items }));
    await events(
      event("get", "httpproxies"),
      event("update", "pods"),
      event("create", "httpproxies", { subresource: "status" }),
    );
    await events({ ...event("create", "httpproxies"), responseStatus: { code: 409 } });
    expect(rings()).toBe(0);
    await events(event("patch", "httpproxies"));
    expect(rings()).toBe(1);
  });
});

describe("a doorbell", () => {
  it("turns a flood into one answer a second", async () => {
    let now = 0;
    let answers = 0;
    const timers: { at: number; run: () => void }[] = [];
    const bell = new Doorbell({
      answer: async () => void answers++,
      now: () => now,
      later: (run, ms) => timers.push({ at: now + ms, run }),
    });
    for (; now < 10_000; now++) {
      bell.ring();
      for (const timer of timers.splice(0))
        if (timer.at <= now) timer.run();
        else timers.push(timer);
      await Promise.resolve();
    }
    expect(answers).toBe(10);
  });

  it("answers a ring that comes during an answer", async () => {
    let finish = (): void => undefined;
    let answers = 0;
    const timers: (() => void)[] = [];
    const bell = new Doorbell({
      answer: () => {
        answers++;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      now: () => 0,
      later: (run) => timers.push(run),
    });
    bell.ring();
    timers.shift()?.();
    bell.ring();
    expect(timers).toHaveLength(0);
    finish();
    await new Promise((resolve) => setTimeout(resolve, 0));
    timers.shift()?.();
    expect(answers).toBe(2);
  });
});
