import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Transport } from "../kubernetes/api.js";
import { KubeSource } from "../kubernetes/source.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { bootstrapFindings } from "../schema/bootstrap-settings.js";
import type { Finding } from "../schema/meta.js";
import type { AppOptions } from "../server/app.js";
import { clusterHooks } from "../server/cluster-hooks.js";
import { Doorbell } from "../server/doorbell.js";
import type { Hub } from "../server/hub.js";
import { Publisher } from "../server/publisher.js";
import type { Store } from "../store/store.js";
import { update } from "../update.js";
import { type KubeOptions, kubeTransport } from "./kube-transport.js";
import { formatLocated } from "./objects.js";
import { readSettings } from "./settings-file.js";
import { type StatusOptions, StatusService } from "./status-service.js";

/** How a cluster is followed. */
export interface ClusterOptions {
  readonly acceptShrink: boolean;
  /** Ask every so many seconds and when a hook rings, instead of keeping watches open. */
  readonly pollSeconds?: number;
  /** Write statuses back. */
  readonly status?: StatusOptions;
  /** The admission webhook also denies what refers to something that is not there yet. */
  readonly strictAdmission?: boolean;
}

interface KubeServeOptions extends KubeOptions, ClusterOptions {
  readonly settingsFile?: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  log(line: string): void;
}

/** How long each watch stays open; then it is begun anew from where it was. */
const watchSeconds = 290;
/** How long a doorbell listens for what it rang for. */
const ringSeconds = 2;
/** Changes that come together are published together. */
const gatherMs = 5;

/** A cluster's objects as what is served. */
export class ClusterSource {
  readonly #abort = new AbortController();
  #source: KubeSource | undefined;
  #statuses: StatusService | undefined;
  #server = "";
  #settingsFindings: readonly Finding[] = [];
  readonly #publisher: Publisher;
  readonly #doorbell = new Doorbell({ answer: () => this.#refresh(), now: Date.now });
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;

  constructor(
    hub: Hub,
    private readonly store: Store,
    private readonly options: KubeServeOptions,
  ) {
    this.#publisher = new Publisher(store, hub, Date.now);
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected"> {
    const { strictAdmission: strict = false, pollSeconds } = this.options;
    return {
      inspected: {
        store: this.store,
        publisher: this.#publisher,
        platform: { checkKeyPair },
        kinds: () => this.#source?.status() ?? {},
      },
      hooks: clusterHooks({
        store: this.store,
        strict,
        ready: () => this.#source?.ready === true,
        // With watches open, what a hook would tell is already on its way.
        ring: () => (pollSeconds === undefined ? undefined : this.#doorbell.ring()),
      }),
    };
  }

  /** @throws Error when the kubeconfig or the settings can't be read; a server out of reach is waited for. */
  async start(): Promise<void> {
    const transport = await kubeTransport(this.options);
    this.#server = transport.server;
    const { settings, findings } = readSettings(this.options.settingsFile, this.options.overrides);
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
      observe: (ref, raw) => this.#statuses?.observe(ref, raw),
      log: (line) => this.options.log(line),
      now: Date.now,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
      random: Math.random,
    });
    // Every kind has requests and pauses that end with the signal.
    setMaxListeners(0, this.#abort.signal);
    this.#statuses = this.#statusService(transport);
    const { signal } = this.#abort;
    const { pollSeconds } = this.options;
    const following =
      pollSeconds === undefined
        ? this.#source.run(watchSeconds, signal)
        : this.#ringEvery(pollSeconds * 1000, signal);
    this.#running = Promise.all([following, this.#statuses?.run(signal)]);
  }

  #statusService(transport: Transport): StatusService | undefined {
    const { status, log } = this.options;
    return (
      status &&
      new StatusService({
        ...status,
        transport,
        store: this.store,
        ready: () => this.#source?.ready === true,
        findings: () => [...(this.#source?.findings ?? []), ...(this.#publisher.snapshot?.findings ?? [])],
        log: (line) => log(line),
      })
    );
  }

  async #ringEvery(ms: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#doorbell.ring();
      await sleep(ms * (0.95 + 0.1 * Math.random()), undefined, { signal }).catch(() => undefined);
    }
  }

  async #refresh(): Promise<void> {
    await this.#source?.refresh(ringSeconds, this.#abort.signal);
  }

  #gather(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#publisher.publish();
      this.#statuses?.poke();
    }, gatherMs);
  }

  status(): object {
    return {
      sources: [{ name: "kubernetes", server: this.#server, kinds: this.#source?.status() ?? {} }],
      endpoints: this.#publisher.snapshot?.mode,
      findings: [...this.#settingsFindings, ...(this.#source?.findings ?? []), ...this.#publisher.findings],
    };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#abort.abort();
    await this.#running;
  }
}
