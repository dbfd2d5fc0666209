import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { KubeSource } from "../kubernetes/source.js";
import { link, type Snapshot } from "../link/snapshot.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { bootstrapFindings } from "../schema/bootstrap-settings.js";
import type { Finding } from "../schema/meta.js";
import type { Settings } from "../schema/settings.js";
import type { Hub } from "../server/hub.js";
import type { Store } from "../store/store.js";
import { update } from "../update.js";
import { type KubeOptions, kubeTransport } from "./kube-transport.js";
import { formatLocated } from "./objects.js";
import { readSettings } from "./settings-file.js";

export interface KubeServeOptions extends KubeOptions {
  readonly acceptShrink: boolean;
  readonly settingsFile?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  log(line: string): void;
}

/** How long each watch stays open; then it is begun anew from where it was. */
const watchSeconds = 290;
/** Changes that come together are published together. */
const gatherMs = 5;

/** A cluster's objects as what is served. */
export class ClusterSource {
  readonly #abort = new AbortController();
  #source: KubeSource | undefined;
  #server = "";
  #settings: Settings | undefined;
  #settingsFindings: readonly Finding[] = [];
  #snapshot: Snapshot | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly hub: Hub,
    private readonly store: Store,
    private readonly options: KubeServeOptions,
  ) {}

  /** @throws Error when the kubeconfig or the settings can't be read; a server out of reach is waited for. */
  async start(): Promise<void> {
    const transport = await kubeTransport(this.options);
    this.#server = transport.server;
    const { settings, findings } = readSettings(this.options.settingsFile, this.options.overrides);
    this.#settings = settings;
    this.#settingsFindings = [...findings, ...bootstrapFindings(settings)];
    for (const finding of this.#settingsFindings) {
      this.options.log(formatLocated({ finding, file: this.options.settingsFile ?? "", line: 0 }));
    }
    update(this.store, [settings], { checkKeyPair });
    this.#source = new KubeSource({
      transport,
      store: this.store,
      platform: { checkKeyPair },
      acceptShrink: this.options.acceptShrink,
      namespaces: settings.spec.watchNamespaces,
      changed: () => this.#gather(),
      log: (line) => this.options.log(line),
      now: Date.now,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
      random: Math.random,
    });
    // Every kind has requests and pauses that end with the signal.
    setMaxListeners(0, this.#abort.signal);
    this.#running = this.#source.run(watchSeconds, this.#abort.signal);
  }

  #gather(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#publish();
    }, gatherMs);
  }

  #publish(): void {
    if (!this.#settings) return;
    const { endpoints, xdsCluster } = this.#settings.spec;
    this.#snapshot = link(this.store, { endpoints, xdsCluster }, this.#snapshot);
    this.hub.publish(this.#snapshot, Date.now());
  }

  status(): object {
    return {
      sources: [{ name: "kubernetes", server: this.#server, kinds: this.#source?.status() ?? {} }],
      endpoints: this.#snapshot?.mode,
      findings: [...this.#settingsFindings, ...(this.#source?.findings ?? []), ...this.store.findings()],
    };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#running;
  }
}
