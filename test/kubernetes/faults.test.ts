import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiRequest, ApiResponse, Transport } from "../../src/kubernetes/api.js";
import { kubeTransport } from "../../src/kubernetes/node/transport.js";
import { resourcesWith } from "../../src/kubernetes/resources.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { ClusterFollower } from "../../src/sources/kubernetes/cluster-follower.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { hostProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { dump } from "../support/compile.js";
import { engineOf } from "../support/engine.js";
import { eventually } from "../support/envoy.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
const resources = resourcesWith(false);

type Fault = (pass: () => Promise<ApiResponse>) => Promise<ApiResponse>;

const bytes = (...texts: readonly string[]): ApiResponse["body"] =>
  (async function* () {
    for (const text of texts) yield new TextEncoder().encode(text);
  })();
const failing = (code: number): Fault => {
  const body = JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    message: "a fault",
  });
  return () => Promise.resolve({ status: code, body: bytes(body) });
};

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Changes a real answer of the API server. */
const rewritten =
  (change: (text: string) => string): Fault =>
  async (pass) => {
    const { status, body } = await pass();
    return { status, body: bytes(change(await textOf(body))) };
  };

const items = (change: (all: unknown[]) => unknown[]): Fault =>
  rewritten((text) => {
    const list = JSON.parse(text) as { items: unknown[] };
    return JSON.stringify({ ...list, items: change(list.items) });
  });

const faults: Readonly<Record<string, Fault>> = {
  "401": failing(401),
  "403": failing(403),
  "404": failing(404),
  "410": failing(410),
  "429": failing(429),
  "500": failing(500),
  "503": failing(503),
  "a reset": () => Promise.reject(new Error("ECONNRESET")),
  "a page of HTML": () => Promise.resolve({ status: 200, body: bytes("<html>sign in</html>") }),
  "JSON that is no list": () => Promise.resolve({ status: 200, body: bytes('{"kind":"Pod"}') }),
  "nothing at all": () => Promise.resolve({ status: 200, body: bytes() }),
  "an answer cut in the middle": rewritten((text) => text.slice(0, text.length / 2)),
  "an answer without its last bracket": rewritten((text) => text.trimEnd().slice(0, -1)),
  "an empty list": items(() => []),
  "half of the list": items((all) => all.slice(0, all.length / 2)),
};

/** Kinds for which an empty list would remove something. */
const counted = new Set(["HTTPProxy", "Service", "Secret"]);

/** The expected state during the fault; a version that is too old only causes a new list. */
function expectedState(kind: string, fault: string): string {
  const custom = ["IngressRoute", "TLSCertificateDelegation", "ExtensionService"].includes(kind);
  if (fault === "410") return "synced";
  if (fault === "404" && custom) return "absent";
  return fault === "an empty list" || fault === "half of the list" ? "held" : "failing";
}

describe.skipIf("reason" in binaries)("faults between Isoline and a real API server", () => {
  let kube: TestKube;
  let real: Transport;
  /** By plural: the fault of its lists. */
  const active = new Map<string, Fault>();

  /** Whether watches reach the server; otherwise they end at once, without an event. */
  let watching = false;

  const transport: Transport = {
    async send(request: ApiRequest) {
      const plural = /\/([a-z]+)\?/.exec(request.path)?.[1] ?? "";
      if (/[?&]watch=1/.test(request.path) && !watching) return { status: 200, body: bytes() };
      const pass = (): Promise<ApiResponse> => real.send(request);
      return (await active.get(plural)?.(pass)) ?? pass();
    },
  };

  let clock = 0;
  const sourceOf = (store: Store, log: string[]): ClusterFollower =>
    new ClusterFollower({
      server: "https://kube.test",
      transport,
      engine: engineOf(store),
      acceptShrink: false,
      namespaces: [],
      changed: () => undefined,
      log: (line) => log.push(line),
      now: () => Date.now() + clock,
      sleep: async () => undefined,
      random: () => 0,
    });

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    real = await kubeTransport({ kubeconfig: kube.adminConfig });
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(() => kube.apply(hostProxy("h0.test", "s0")).then(() => true), "the CRDs are served");
    const { creationTimestamp: _, ...metadata } = tlsSecret("default", "secure").metadata as Manifest;
    for (let i = 0; i < 12; i++)
      await kube.apply(hostProxy(`h${i}.test`, `s${i}`), service("default", `s${i}`), {
        ...tlsSecret("default", "secure"),
        metadata: { ...metadata, name: `t${i}` },
      });
  });

  afterAll(() => kube?.stop());

  const cells = resources.flatMap((resource) =>
    Object.keys(faults)
      .filter((name) => !/list$/.test(name) || counted.has(resource.kind) || /no list/.test(name))
      .map((name) => [resource.plural, resource.kind, name] as const),
  );

  it.each(cells)(
    "%s (%s): %s loses nothing, and its effect ends with the fault",
    async (plural, kind, name) => {
      const store = createMemoryStore();
      const log: string[] = [];
      const signal = new AbortController().signal;
      const source = sourceOf(store, log);
      await source.refresh(1, signal);
      const before = dump(store);
      expect(before).toContain("h11.test");

      store.setCursor(`kubernetes:${kind}`, "");
      const fault = faults[name];
      if (fault) active.set(plural, fault);
      await source.refresh(1, signal);
      active.clear();
      expect(dump(store)).toBe(before);
      const state = source.status()[kind]?.state;
      expect(state).toBe(expectedState(kind, name));

      store.setCursor(`kubernetes:${kind}`, "");
      await source.refresh(1, signal);
      expect(source.status()[kind]?.state).toBe("synced");
      expect(dump(store)).toBe(before);
    },
  );

  it("nothing is published before every kind is known", async () => {
    for (const { plural } of resources) {
      const store = createMemoryStore();
      const source = sourceOf(store, []);
      active.set(plural, failing(403));
      await source.refresh(1, new AbortController().signal);
      active.clear();
      expect(source.ready, plural).toBe(false);
      await source.refresh(1, new AbortController().signal);
      expect(source.ready, plural).toBe(true);
    }
  });

  it("a server that was restored from an old backup is trusted after a minute, and nothing is lost", async () => {
    watching = true;
    await kube.backup();
    const store = createMemoryStore();
    const log: string[] = [];
    const source = sourceOf(store, log);
    const refresh = (): Promise<void> => source.refresh(1, new AbortController().signal);
    for (let i = 0; i < 5; i++) await kube.apply(hostProxy(`late${i}.test`, "s0"));
    await refresh();
    const before = dump(store);
    expect(before).toContain("late4.test");

    await kube.restore();
    await refresh();
    await refresh();
    expect(dump(store)).toBe(before);
    expect(source.status().HTTPProxy).toMatchObject({ state: "held", held: { reason: "VersionWentBack" } });
    // Meanwhile the versions of the server pass the known ones.
    for (let i = 0; i < 8; i++) await kube.apply(hostProxy(`new${i}.test`, "s0"));
    clock = 61_000;
    await refresh();
    await refresh();
    expect(source.status().HTTPProxy?.state).toBe("synced");
    const hosts = [...store.resources("virtual-host", "ingress_http")].map(({ name }) => name);
    expect(hosts).toContain("h11.test");
    expect(hosts).toContain("new7.test");
    expect(hosts).not.toContain("late4.test");
  });
});
