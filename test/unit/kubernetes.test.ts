import { describe, expect, it } from "vitest";
import type { ApiRequest, ApiResponse, Transport } from "../../src/kubernetes/api.js";
import { KubeSource } from "../../src/kubernetes/source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { platform } from "../support/compile.js";

type Item = Readonly<Record<string, unknown>>;

const service = (name: string): Item => ({
  metadata: { name, namespace: "default" },
  spec: { ports: [{ name: "http", port: 80 }] },
});

const proxy = (name: string): Item => ({
  metadata: { name, namespace: "default" },
  spec: { virtualhost: { fqdn: `${name}.test` }, routes: [{ services: [{ name: "app", port: 80 }] }] },
});

const encode = (text: string): ApiResponse["body"] =>
  (async function* () {
    yield new TextEncoder().encode(text);
  })();

const json = (status: number, body: unknown): ApiResponse => ({ status, body: encode(JSON.stringify(body)) });
const failure = (code: number): ApiResponse => json(code, { kind: "Status", code, message: "no" });

/** An API server in memory: collections by plural, and faults that a test puts in. */
class FakeApi implements Transport {
  version = 100;
  readonly collections = new Map<string, Item[]>();
  readonly absent = new Set<string>();
  readonly requests: string[] = [];
  /** Answers in place of the server, where it gives something. */
  fault: (path: string) => ApiResponse | undefined = () => undefined;
  /** Lines of the next watches, by plural. */
  readonly events = new Map<string, string>();

  async send({ path }: ApiRequest): Promise<ApiResponse> {
    this.requests.push(path);
    const fault = this.fault(path);
    if (fault) return fault;
    const plural = /\/([a-z]+)\?/.exec(path)?.[1] ?? "";
    const query = new URLSearchParams(path.slice(path.indexOf("?")));
    if (this.absent.has(plural)) return failure(404);
    if (query.has("watch")) {
      const lines = this.events.get(plural) ?? "";
      this.events.delete(plural);
      return { status: 200, body: encode(lines) };
    }
    const items = this.collections.get(plural) ?? [];
    const from = Number(query.get("continue") ?? 0);
    const next = from + Number(query.get("limit"));
    const token = next < items.length ? { continue: String(next) } : {};
    return json(200, {
      metadata: { resourceVersion: String(this.version), ...token },
      items: items.slice(from, next),
    });
  }
}

interface Cluster {
  readonly api: FakeApi;
  readonly store: Store;
  readonly source: KubeSource;
  readonly log: string[];
  changes: number;
  now: number;
  refresh(): Promise<void>;
  hosts(): string[];
}

function cluster(
  options: { acceptShrink?: boolean; namespaces?: string[]; store?: Store; hosts?: number } = {},
): Cluster {
  const api = new FakeApi();
  api.collections.set("services", [service("app")]);
  api.collections.set(
    "httpproxies",
    Array.from({ length: options.hosts ?? 2 }, (_, i) => proxy(`h${i}`)),
  );
  const store = options.store ?? createMemoryStore();
  const log: string[] = [];
  const made: Cluster = {
    api,
    store,
    log,
    changes: 0,
    now: 0,
    refresh: () => made.source.refresh(1, new AbortController().signal),
    hosts: () => [...store.resources("virtual-host", "ingress_http")].map(({ name }) => name),
    source: undefined as unknown as KubeSource,
  };
  const source = new KubeSource({
    transport: api,
    store,
    platform,
    acceptShrink: options.acceptShrink ?? false,
    namespaces: options.namespaces ?? [],
    changed: () => {
      made.changes++;
    },
    log: (line) => log.push(line),
    now: () => made.now,
    sleep: async () => undefined,
    random: () => 0,
  });
  return Object.assign(made, { source });
}

const event = (type: string, item: Item, version: number): string =>
  `${JSON.stringify({
    type,
    object: { ...item, metadata: { ...(item.metadata as Item), resourceVersion: String(version) } },
  })}\n`;

describe("a cluster as a source", () => {
  it("lists once, then asks for what changed", async () => {
    const c = cluster();
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.changes).toBeGreaterThan(0);
    c.api.requests.length = 0;
    c.api.events.set("httpproxies", event("ADDED", proxy("new"), 120) + event("DELETED", proxy("h0"), 121));
    await c.refresh();
    expect(c.hosts()).toEqual(["h1.test", "new.test"]);
    expect(c.api.requests.every((path) => path.includes("watch=1"))).toBe(true);
    await c.refresh();
    const paths = c.api.requests.filter((path) => path.includes("httpproxies"));
    expect(paths.at(-1)).toContain("resourceVersion=121");
  });

  it("reads long lists page by page, and goes on where a store left off", async () => {
    const c = cluster({ hosts: 1100 });
    await c.refresh();
    expect(c.hosts()).toHaveLength(1100);
    expect(c.api.requests.filter((path) => /httpproxies\?limit/.test(path))).toHaveLength(3);
    const again = cluster({ store: c.store, hosts: 1100 });
    await again.refresh();
    expect(again.api.requests.some((path) => path.includes("limit=500"))).toBe(false);
    expect(again.hosts()).toHaveLength(1100);
  });

  it("reads only the namespaces that it is told to watch", async () => {
    const c = cluster({ namespaces: ["elsewhere"] });
    await c.refresh();
    expect(c.source.ready).toBe(true);
    expect(c.hosts()).toEqual([]);
  });

  it("publishes nothing before every kind is known", async () => {
    const c = cluster();
    c.api.fault = (path) => (path.includes("/secrets") ? failure(403) : undefined);
    await c.refresh();
    expect(c.changes).toBe(0);
    expect(c.source.ready).toBe(false);
    expect(c.log.join("\n")).toContain("grant get, list and watch on secrets");
    c.api.fault = () => undefined;
    await c.refresh();
    expect(c.changes).toBeGreaterThan(0);
  });

  it("does without kinds whose CRD is not there, and picks them up later", async () => {
    const c = cluster();
    c.api.absent.add("ingressroutes").add("httpproxies");
    await c.refresh();
    expect(c.source.ready).toBe(true);
    expect(c.source.status().HTTPProxy).toEqual({ state: "absent" });
    c.api.absent.clear();
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
  });

  it.each([401, 403, 404, 410, 429, 500, 503])(
    "loses nothing when a list or watch gets %i",
    async (status) => {
      const c = cluster({ hosts: 1100 });
      await c.refresh();
      for (const plural of ["namespaces", "services", "secrets", "ingresses", "httpproxies"]) {
        for (const page of ["watch=1", "limit=500", "continue=500", "continue=1000"]) {
          c.api.fault = (path) =>
            path.includes(plural) && path.includes(page) ? failure(status) : undefined;
          if (page !== "watch=1") c.store.setCursor("kubernetes:HTTPProxy", "");
          await c.refresh();
          expect(c.hosts(), `${plural} ${page}`).toHaveLength(1100);
        }
      }
      c.api.fault = () => undefined;
      c.api.collections.get("httpproxies")?.push(proxy("after"));
      c.store.setCursor("kubernetes:HTTPProxy", "");
      await c.refresh();
      expect(c.hosts()).toHaveLength(1101);
    },
  );

  it.each([
    ["HTML", "<html>hello</html>"],
    ["null", "null"],
    ["an empty object", "{}"],
    ["a list of texts", '{"metadata":{"resourceVersion":"1"},"items":["a"]}'],
    ["half an answer", '{"metadata":{"resourceVersion":"1"},"items":[{"meta'],
  ])("loses nothing when the answer is %s", async (_, body) => {
    const c = cluster();
    await c.refresh();
    c.store.setCursor("kubernetes:HTTPProxy", "");
    c.api.fault = (path) => (path.includes("httpproxies") ? { status: 200, body: encode(body) } : undefined);
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.log.join("\n")).not.toContain("meta");
  });

  it("drops an event that was cut off, and gets it the next time", async () => {
    const c = cluster();
    await c.refresh();
    const whole = event("ADDED", proxy("new"), 120);
    c.api.events.set("httpproxies", whole.slice(0, whole.length / 2));
    await c.refresh();
    expect(c.hosts()).toHaveLength(2);
    c.api.events.set("httpproxies", whole);
    await c.refresh();
    expect(c.hosts()).toHaveLength(3);
  });

  it("lists again when the server has forgotten the version", async () => {
    const c = cluster();
    await c.refresh();
    c.api.collections.get("httpproxies")?.push(proxy("missed"));
    const gone = `${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`;
    c.api.events.set("httpproxies", gone);
    await c.refresh();
    expect(c.hosts()).toHaveLength(2);
    await c.refresh();
    expect(c.hosts()).toHaveLength(3);
  });

  it("T63: holds a list that lacks much of what was there, but not single deletes", async () => {
    const c = cluster({ hosts: 100 });
    await c.refresh();
    for (const left of [0, 50, 69]) {
      c.api.collections.set(
        "httpproxies",
        Array.from({ length: left }, (_, i) => proxy(`h${i}`)),
      );
      c.store.setCursor("kubernetes:HTTPProxy", "");
      await c.refresh();
      expect(c.hosts()).toHaveLength(100);
      expect(c.source.status().HTTPProxy).toMatchObject({ state: "held" });
    }
    c.api.collections.set(
      "httpproxies",
      Array.from({ length: 80 }, (_, i) => proxy(`h${i}`)),
    );
    await c.refresh();
    expect(c.hosts()).toHaveLength(80);
    const deletes = Array.from({ length: 79 }, (_, i) => event("DELETED", proxy(`h${i}`), 200 + i));
    c.api.events.set("httpproxies", deletes.join(""));
    await c.refresh();
    expect(c.hosts()).toEqual(["h79.test"]);
  });

  it("applies such a list when it is told to", async () => {
    const c = cluster({ hosts: 100, acceptShrink: true });
    await c.refresh();
    c.api.collections.set("httpproxies", []);
    c.store.setCursor("kubernetes:HTTPProxy", "");
    await c.refresh();
    expect(c.hosts()).toEqual([]);
  });

  it("lists everything again when it is told to, and is ready all the while", async () => {
    const c = cluster();
    await c.refresh();
    c.source.listAnew();
    expect(c.source.ready).toBe(true);
    c.api.requests.length = 0;
    c.api.collections.set("httpproxies", [proxy("other"), proxy("h0"), proxy("h1")]);
    await c.refresh();
    expect(c.api.requests.filter((path) => path.includes("limit=500")).length).toBeGreaterThan(5);
    expect(c.hosts()).toContain("other.test");
  });

  it("T64: waits for a second list when the server went back in time", async () => {
    const c = cluster();
    await c.refresh();
    c.api.version = 50;
    c.api.collections.set("httpproxies", [proxy("old"), proxy("h0")]);
    c.store.setCursor("kubernetes:HTTPProxy", "");
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    c.now = 61_000;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "old.test"]);
  });

  it("keeps an object that can't be read any more as it was, and says why", async () => {
    const c = cluster();
    await c.refresh();
    const bad = { metadata: { name: "h0", namespace: "default" }, spec: { virtualhost: { fqdn: 7 } } };
    c.api.events.set("httpproxies", event("MODIFIED", bad, 120));
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.source.findings).toMatchObject([
      { about: "HTTPProxy/default/h0", path: "spec.virtualhost.fqdn" },
    ]);
    c.api.events.set("httpproxies", event("MODIFIED", proxy("h0"), 121));
    await c.refresh();
    expect(c.source.findings).toEqual([]);
  });
});
