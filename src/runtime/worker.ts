import type { DurableObjectNamespace, DurableObjectState } from "@cloudflare/workers-types";
import { link, type Snapshot } from "../link/snapshot.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { defaultSettings, type SettingsSpec, settingsRef } from "../schema/settings.js";
import { createApp, type SourceSink } from "../server/app.js";
import { Hub } from "../server/hub.js";
import { applySource, parseSource, sourceNames, sourceState } from "../server/source.js";
import { durableDriver } from "../store/durable.js";
import { createSqlStore } from "../store/sql-store.js";
import type { Store } from "../store/store.js";

interface Env {
  readonly FLEET: DurableObjectNamespace;
  /** SHA-256 of the token that may push sources, hex; without it nothing can be pushed. */
  readonly PUBLISH_TOKEN_SHA256?: string;
}

/** More than the versions that one publication can use up in its phases. */
const sequenceStep = 16;

/** The control plane of one fleet of Envoys: one instance at a time, with its store on disk. */
export class Fleet {
  readonly #store: Store;
  readonly #hub = new Hub({ now: Date.now, log: (line) => console.error(line) });
  readonly #app: ReturnType<typeof createApp>;
  #snapshot: Snapshot | undefined;

  constructor(state: DurableObjectState, env: Env) {
    this.#store = createSqlStore(durableDriver(state.storage));
    this.#app = createApp({
      hub: this.#hub,
      status: () => this.#status(),
      ...(env.PUBLISH_TOKEN_SHA256 ? { source: this.#sink(env.PUBLISH_TOKEN_SHA256) } : {}),
    });
    if (sourceNames(this.#store).length > 0) this.#publish();
  }

  fetch(request: Request): Response | Promise<Response> {
    return this.#app.fetch(request);
  }

  #sink(digest: string): SourceSink {
    return { tokenDigest: digest.trim().toLowerCase(), put: async (name, body) => this.#put(name, body) };
  }

  #put(name: string, body: string): { ok: boolean; result: object } {
    const source = parseSource(body);
    const applied = applySource(this.#store, name, source, { checkKeyPair });
    if (!("changed" in applied)) return { ok: false, result: { objects: 0, findings: applied } };
    if (applied.changed || !this.#snapshot) this.#publish();
    const findings = [...source.findings, ...this.#store.findings()];
    return { ok: true, result: { objects: source.objects.length, findings, version: this.#sequence } };
  }

  get #sequence(): number {
    return Number(this.#store.cursor("sequence") ?? 0);
  }

  /** The sequence is kept before it is used: after a restart versions go on from there, whatever the clock says. */
  #publish(): void {
    const { endpoints, xdsCluster } = this.#settings();
    const sequence = Math.max(Date.now(), this.#sequence + sequenceStep);
    this.#store.setCursor("sequence", String(sequence));
    this.#snapshot = link(this.#store, {
      endpoints,
      xdsCluster,
      ...(this.#snapshot ? { previousMode: this.#snapshot.mode } : {}),
    });
    this.#hub.publish(this.#snapshot, sequence);
  }

  #settings(): SettingsSpec {
    const object = this.#store.object(settingsRef);
    return object?.kind === "Settings" ? object.spec : defaultSettings;
  }

  #status(): object {
    const names = sourceNames(this.#store);
    const states = names.map((name) => ({ name, ...sourceState(this.#store, name) }));
    return {
      sources: states.map(({ name, refs }) => ({ name, objects: refs.length })),
      endpoints: this.#snapshot?.mode,
      findings: [...states.flatMap(({ findings }) => findings), ...this.#store.findings()],
    };
  }
}

/** The Worker itself keeps nothing: every request goes to the one Durable Object. */
export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const fleet = env.FLEET.get(env.FLEET.idFromName("default"));
    return (fleet.fetch as unknown as (request: Request) => Promise<Response>).call(fleet, request);
  },
};
