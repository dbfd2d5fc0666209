import type { DurableObjectStorage, Fetcher } from "@cloudflare/workers-types";
import { fetchTransport } from "../kubernetes/fetch-transport.js";
import { KubeSource } from "../kubernetes/source.js";
import { bootstrapFindings } from "../schema/bootstrap-settings.js";
import type { Finding } from "../schema/meta.js";
import { parseSettings } from "../schema/settings.js";
import type { AppOptions } from "../server/app.js";
import { clusterHooks } from "../server/cluster-hooks.js";
import type { Publisher } from "../server/publisher.js";
import { inSlices } from "../server/slices.js";
import type { Store } from "../store/store.js";
import { unitsLeft, update } from "../update.js";
import { workerPlatform } from "./worker-platform.js";

/** What says where the API server is; without `KUBE_SERVER` and `KUBE` there is none. */
export interface ClusterEnv {
  /** A binding that reaches the API server, such as a VPC service. */
  readonly KUBE?: Fetcher;
  /** Its URL, with a certificate that is publicly trusted where there is no binding. */
  readonly KUBE_SERVER?: string;
  /** Bearer token of a service account with the printed role. */
  readonly KUBE_TOKEN?: string;
  /** Seconds between two looks when nothing rings. */
  readonly KUBE_POLL_SECONDS?: string;
  /** Settings as JSON; Contour's configuration will do. */
  readonly ISOLINE_SETTINGS?: string;
}

export const hasCluster = ({ KUBE, KUBE_SERVER }: ClusterEnv): boolean =>
  KUBE !== undefined || KUBE_SERVER !== undefined;

const defaultPollSeconds = 60;
/** How long a look listens for changes that are still on their way. */
const lookSeconds = 2;
const betweenLooksMs = 1000;

/** A cluster that is looked at by alarm: at intervals, and soon after a hook rings. */
export class WorkerCluster {
  readonly #source: KubeSource;
  readonly #settingsFindings: readonly Finding[];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly env: ClusterEnv,
    private readonly storage: DurableObjectStorage,
    private readonly store: Store,
    private readonly publisher: Publisher,
    outdated: boolean,
  ) {
    const { settings, findings } = parseSettings(JSON.parse(env.ISOLINE_SETTINGS ?? "{}"));
    this.#settingsFindings = [...findings, ...bootstrapFindings(settings)];
    update(store, [settings], inSlices(workerPlatform));
    this.#source = new KubeSource({
      transport: transportOf(env),
      store,
      platform: inSlices(workerPlatform),
      acceptShrink: false,
      namespaces: settings.spec.watchNamespaces,
      changed: () => publisher.publish(),
      log: (line) => console.error(line),
      now: Date.now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
    });
    if (outdated) this.#source.listAnew();
    if (this.#source.ready) publisher.publish();
    void this.#alarmAt(Date.now());
  }

  get surface(): Pick<AppOptions, "hooks" | "inspected"> {
    const { store, publisher } = this;
    return {
      inspected: {
        store,
        publisher,
        platform: workerPlatform,
        clusters: () => [{ cluster: "", kinds: this.#source.status() }],
      },
      hooks: clusterHooks({
        store: this.store,
        strict: false,
        ready: () => this.#source.ready && unitsLeft(this.store) === 0,
        ring: () => void this.#alarmAt(Math.max(Date.now(), this.#lookedAt + betweenLooksMs)),
      }),
    };
  }

  /** Brings the next look forward, but never puts it off. */
  async #alarmAt(at: number): Promise<void> {
    const set = await this.storage.getAlarm();
    if (set === null || set > at) await this.storage.setAlarm(at);
  }

  /** One look; a failure is logged by the source, and the next look tries again. */
  async look(): Promise<void> {
    this.#lookedAt = Date.now();
    const seconds = Number(this.env.KUBE_POLL_SECONDS ?? defaultPollSeconds);
    const next = Number.isFinite(seconds) && seconds >= 1 ? seconds : defaultPollSeconds;
    await this.storage.setAlarm(this.#lookedAt + Math.max(next, lookSeconds) * 1000);
    await this.#source.refresh(lookSeconds, AbortSignal.timeout(30_000));
  }

  status(): object {
    return {
      sources: [{ name: "kubernetes", kinds: this.#source.status() }],
      endpoints: this.publisher.snapshot?.mode,
      findings: [...this.#settingsFindings, ...this.#source.findings, ...this.publisher.findings],
    };
  }
}

function transportOf({ KUBE, KUBE_SERVER, KUBE_TOKEN }: ClusterEnv): ReturnType<typeof fetchTransport> {
  const ask = KUBE ? KUBE.fetch.bind(KUBE) : fetch;
  return fetchTransport({
    fetch: ask as unknown as typeof fetch,
    server: KUBE_SERVER ?? "https://kubernetes",
    ...(KUBE_TOKEN ? { token: KUBE_TOKEN } : {}),
  });
}
