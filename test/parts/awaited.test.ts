import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { Awaited, awaitMs } from "../../src/engine/awaited.js";
import { listRead, type ReadKey, slicesKey } from "../../src/graph/core/keys.js";
import type { Transport } from "../../src/kubernetes/api.js";
import { Hub } from "../../src/server/hub.js";
import { ClusterFollower } from "../../src/sources/kubernetes/cluster-follower.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { parseCase, platform } from "../support/compile.js";
import { engineOf } from "../support/engine.js";
import { encode, event, type Item } from "../support/fake-kube.js";

const service = (name: string): string => `
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: 80 }] }`;
const slice = (name: string): string => `
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints: [{ addresses: [10.0.0.1] }]`;
const proxy = (name: string, rest = "{ routes: [{ services: [{ name: a, port: 80 }] }] }"): string => {
  const spec = rest.slice(1, -1);
  return `
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: { name: ${name} }
spec: { virtualhost: { fqdn: ${name}.test }, ${spec} }`;
};
const toService = (name: string): string =>
  proxy("moved", `{ routes: [{ services: [{ name: ${name}, port: 80 }] }] }`);

/** A store with a working host, and the references that the next update misses. */
function started(yaml: string) {
  const store = createMemoryStore();
  const apply = (text: string, gone: readonly string[] = []): ReadKey[] => {
    const refs = gone.map((ref) => ({ gone: ref as never }));
    return [...update(store, [...refs, ...parseCase(text).objects], platform).missed].sort();
  };
  expect(apply(yaml)).toEqual([]);
  return { store, apply };
}

const works = service("a") + slice("a") + toService("a");

describe("the missing references of an update", () => {
  it("are new references of an existing host, and their endpoints", () => {
    const { apply } = started(works);
    expect(apply(toService("b"))).toEqual(["Service/default/b"]);
    expect(apply(service("b"))).toEqual([listRead(slicesKey("default", "b"))]);
    expect(apply(slice("b"))).toEqual([]);
  });

  it("include Secrets, included HTTPProxies, ExtensionServices and ConfigMaps", () => {
    const { apply } = started(works);
    const tls = `{ virtualhost: { fqdn: moved.test, tls: { secretName: s } }, routes: [{ services: [{ name: a, port: 80 }] }] }`;
    expect(apply(toService("a").replace(/spec: .*/, `spec: ${tls}`))).toEqual(["Secret/default/s"]);
    expect(apply(proxy("moved", "{ includes: [{ name: child }] }"))).toEqual(["HTTPProxy/default/child"]);
  });

  it("include deleted objects that are still referred to, except endpoints", () => {
    const { apply } = started(works);
    expect(apply("", ["EndpointSlice/default/a-1"])).toEqual([]);
    expect(apply("", ["Service/default/a"])).toEqual(["Service/default/a"]);
  });

  it("exclude those of new hosts, those that were missing before, and optional objects", () => {
    const { apply } = started(works);
    expect(apply(proxy("fresh", "{ routes: [{ services: [{ name: none, port: 80 }] }] }"))).toEqual([]);
    expect(apply(proxy("fresh", "{ routes: [{ services: [{ name: none, port: 81 }] }] }"))).toEqual([]);
    expect(apply(service("c") + slice("c"))).toEqual([]);
    expect(apply(toService("c"))).toEqual([]);
  });
});

describe("waiting for missing references", () => {
  it("ends when all of them exist, or some time after the first one", () => {
    const { store, apply } = started(works);
    const awaited = new Awaited(store);
    expect(awaited.isWaiting(0)).toBe(false);
    expect(awaited.add(apply(toService("b")), 0)).toBe(true);
    expect(awaited.isWaiting(10)).toBe(true);
    expect(awaited.add(apply(service("b")), 10)).toBe(false);
    expect(awaited.isWaiting(20)).toBe(true);
    apply(slice("b"));
    expect(awaited.isWaiting(30)).toBe(false);
    expect(awaited.add(apply(toService("none")), awaitMs - 1)).toBe(false);
    expect(awaited.isWaiting(awaitMs - 1)).toBe(true);
    expect(awaited.isWaiting(awaitMs)).toBe(false);
    awaited.clear();
    expect(awaited.add(apply(toService("none-2")), awaitMs)).toBe(true);
    expect(awaited.isWaiting(awaitMs)).toBe(true);
  });
});

const objectsOf = (yaml: string): Item[] =>
  parseAllDocuments(yaml)
    .map((one) => one.toJS() as Item | null)
    .filter((one) => one !== null);

/** Lists return some objects; the test sends watch events of each kind. */
function eventsOf(items: Readonly<Record<string, string>>) {
  const watches = new Map<string, (line: string) => void>();
  let version = 10;
  const transport: Transport = {
    async send({ path, signal }) {
      const plural = /\/([a-z]+)\?/.exec(path)?.[1] ?? "";
      const list = { metadata: { resourceVersion: "10" }, items: objectsOf(items[plural] ?? "") };
      if (!path.includes("watch=")) return { status: 200, body: encode(JSON.stringify(list)) };
      const body = new PassThrough();
      watches.set(plural, (line) => void body.write(line));
      signal.addEventListener("abort", () => body.end());
      return { status: 200, body };
    },
  };
  const send = (plural: string, yaml: string): void => {
    for (const object of objectsOf(yaml)) watches.get(plural)?.(event("MODIFIED", object, ++version));
  };
  return { transport, send, watches };
}

/** A server that follows this Kubernetes cluster, and the host's JSON at each publication. */
async function followed() {
  const { transport, send, watches } = eventsOf({
    services: service("a"),
    endpointslices: slice("a"),
    httpproxies: toService("a"),
  });
  const store = createMemoryStore();
  const abort = new AbortController();
  const published: string[] = [];
  const hub = new Hub({ now: Date.now, log: () => undefined });
  onTestFinished(() => hub.close());
  const engine = engineOf(store, { outlet: hub, platform, now: Date.now });
  const publish = (): void => {
    if (engine.offer())
      published.push(store.resource("virtual-host", "ingress_http", "moved.test")?.json ?? "");
  };
  const source = new ClusterFollower({
    server: "https://kube.test",
    transport,
    engine,
    acceptShrink: false,
    namespaces: [],
    // Gathers changes like a server.
    changed: () => void setTimeout(publish, 5),
    log: () => undefined,
    now: Date.now,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    random: () => 0,
  });
  const running = source.run(60, abort.signal);
  onTestFinished(async () => {
    abort.abort();
    await running;
  });
  await vi.waitFor(() =>
    expect(["services", "endpointslices", "httpproxies"].every((one) => watches.has(one))).toBe(true),
  );
  await vi.waitFor(() => expect(published.at(-1)).toContain("default/a/80"));
  // Findings reported right after a gap are published together anyway.
  await sleep(400);
  published.length = 0;
  return { send, published };
}

describe("a Kubernetes cluster whose kinds are read one after the other", () => {
  it("publishes a host that moves to a new Service once the Service and its endpoints exist", async () => {
    const { send, published } = await followed();
    send("httpproxies", toService("b"));
    await sleep(20);
    send("services", service("b"));
    await sleep(20);
    send("endpointslices", slice("b"));
    await vi.waitFor(() => expect(published).not.toEqual([]));
    expect(published.filter((json) => !json.includes("default/b/80"))).toEqual([]);
  });

  it("publishes no partial state meanwhile", async () => {
    const { send, published } = await followed();
    send("endpointslices", slice("a").replace("10.0.0.1", "10.0.0.2"));
    send("httpproxies", toService("b"));
    await sleep(40);
    send("services", service("b") + slice("b"));
    send("endpointslices", slice("b"));
    await vi.waitFor(() => expect(published.at(-1)).toContain("default/b/80"));
    expect(published.filter((json) => json.includes("503"))).toEqual([]);
  });

  it("publishes a host whose Service stays missing after a short wait", async () => {
    const { send, published } = await followed();
    send("httpproxies", toService("none"));
    await sleep(20);
    expect(published).toEqual([]);
    await vi.waitFor(() => expect(published.at(-1)).toContain("503"));
  });
});
