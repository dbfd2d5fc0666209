import type { ApiRequest, ApiResponse, Transport } from "../../src/kubernetes/api.js";
import { parseSettings } from "../../src/schema/settings.js";
import { ClusterFollower } from "../../src/sources/kubernetes/cluster-follower.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { platform } from "./compile.js";
import { engineOf } from "./engine.js";

export type Item = Readonly<Record<string, unknown>>;

/** A Service as an item of a list. */
const service = (name: string): Item => ({
  metadata: { name, namespace: "default" },
  spec: { ports: [{ name: "http", port: 80 }] },
});

/** An HTTPProxy for the host `NAME.test`. */
export const proxy = (name: string): Item => ({
  metadata: { name, namespace: "default" },
  spec: { virtualhost: { fqdn: `${name}.test` }, routes: [{ services: [{ name: "app", port: 80 }] }] },
});

export const encode = (text: string): ApiResponse["body"] =>
  (async function* () {
    yield new TextEncoder().encode(text);
  })();

const json = (status: number, body: unknown): ApiResponse => ({ status, body: encode(JSON.stringify(body)) });
export const failure = (code: number): ApiResponse => json(code, { kind: "Status", code, message: "no" });

/** An API server in memory: collections by plural, and errors that a test configures. */
class FakeApi implements Transport {
  version = 100;
  readonly collections = new Map<string, Item[]>();
  readonly absent = new Set<string>();
  readonly requests: string[] = [];
  /** The response in place of the server's, if it returns one. */
  fault: (path: string) => ApiResponse | undefined = () => undefined;
  /** Lines of the next watches, by plural. */
  readonly events = new Map<string, string>();
  /** The delay of responses in ms, by plural. */
  readonly delays = new Map<string, number>();

  async send({ path }: ApiRequest): Promise<ApiResponse> {
    this.requests.push(path);
    const fault = this.fault(path);
    if (fault) return fault;
    const plural = /\/([a-z]+)\?/.exec(path)?.[1] ?? "";
    await new Promise((done) => setTimeout(done, this.delays.get(plural) ?? 0));
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

/** A source that follows this server. */
export interface Cluster {
  readonly api: FakeApi;
  readonly store: Store;
  readonly source: ClusterFollower;
  readonly log: string[];
  changes: number;
  /** Called after a change. */
  told: () => void;
  now: number;
  refresh(): Promise<void>;
  hosts(): string[];
}

interface Given {
  readonly acceptShrink?: boolean;
  readonly namespaces?: readonly string[];
  readonly store?: Store;
  readonly hosts?: number;
  readonly settings?: object;
}

/** A Kubernetes cluster with some HTTPProxies, and settings that exist from the start. */
export function cluster(options: Given = {}): Cluster {
  const api = new FakeApi();
  api.collections.set("services", [service("app")]);
  api.collections.set(
    "httpproxies",
    Array.from({ length: options.hosts ?? 2 }, (_, i) => proxy(`h${i}`)),
  );
  const store = options.store ?? createMemoryStore();
  if (options.settings) update(store, [parseSettings(options.settings).settings], platform);
  const log: string[] = [];
  const made: Cluster = {
    api,
    store,
    log,
    changes: 0,
    told: () => undefined,
    now: 0,
    refresh: () => made.source.refresh(1, new AbortController().signal),
    hosts: () => [...store.resources("virtual-host", "ingress_http")].map(({ name }) => name),
    source: undefined as unknown as ClusterFollower,
  };
  const source = new ClusterFollower({
    server: "https://kube.test",
    transport: api,
    engine: engineOf(store),
    acceptShrink: options.acceptShrink ?? false,
    namespaces: options.namespaces ?? [],
    changed: () => {
      made.changes++;
      made.told();
    },
    log: (line) => log.push(line),
    now: () => made.now,
    sleep: async () => undefined,
    random: () => 0,
  });
  return Object.assign(made, { source });
}

/** A line of a watch. */
export const event = (type: string, item: Item, version: number): string =>
  `${JSON.stringify({
    type,
    object: { ...item, metadata: { ...(item.metadata as Item), resourceVersion: String(version) } },
  })}\n`;
