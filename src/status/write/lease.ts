import { ApiError, getJson, type Raw, sendJson, type Transport } from "../../kubernetes/api.js";
import type { Log } from "../../log/log.js";
import { isRecord } from "../../schema/issues.js";
import { messageOf } from "../../schema/words.js";

export interface LeaseOptions {
  readonly transport: Transport;
  readonly namespace: string;
  readonly name: string;
  /** The holder identity; it must differ between replicas. */
  readonly identity: string;
  changed(leads: boolean): void;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after this many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const durationSeconds = 15;
const renewMs = 4000;
/** A leader that could not renew for this time stops leading, well before another replica may start. */
const giveUpMs = 10_000;
/** The time limit of a request: after two failures a third one still ends before the leader gives up. */
const requestMs = 3000;

/**
 * One leader among replicas, with a Lease (coordination.k8s.io/v1). Clocks differ, so that the lease of another
 * replica counts as expired when its record has not changed for its duration on the own clock.
 */
export class Lease {
  #leads = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #seen = "";
  #seenAt = 0;
  #failure = "";

  constructor(private readonly options: LeaseOptions) {}

  get leads(): boolean {
    return this.#leads && this.options.now() - this.#renewedAt < giveUpMs;
  }

  /** Acquires and renews the lease until the signal is aborted, then releases it. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#set(await this.#tryOnce(signal));
        this.#failure = "";
      } catch (error) {
        this.#fail(error, signal);
      }
      await this.options.sleep(renewMs, signal);
    }
    if (this.#leads) await this.#release().catch(() => undefined);
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (!this.leads) this.#set(false);
    const conflict = error instanceof ApiError && error.status === 409;
    const message = messageOf(error);
    if (signal.aborted || conflict || message === this.#failure) return;
    this.#failure = message;
    this.options.log(`can't renew the lease for writing statuses: ${message}`, "status-not-written");
  }

  #set(leads: boolean): void {
    if (leads) this.#renewedAt = this.options.now();
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.options.changed(leads);
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(this.options.namespace)}/leases`;
  }

  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { transport, name, identity, namespace, now } = this.options;
    const path = `${this.#path}/${encodeURIComponent(name)}`;
    let raw: Raw;
    try {
      raw = await getJson(transport, path, signal, requestMs);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      const metadata = { name, namespace };
      const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: this.#spec({}) };
      await sendJson(transport, "POST", this.#path, lease, signal, { ms: requestMs });
      return true;
    }
    const spec = isRecord(raw.spec) ? raw.spec : {};
    const record = JSON.stringify(spec);
    if (record !== this.#seen) {
      this.#seen = record;
      this.#seenAt = now();
    }
    const seconds =
      typeof spec.leaseDurationSeconds === "number" ? spec.leaseDurationSeconds : durationSeconds;
    const held = spec.holderIdentity !== identity && !!spec.holderIdentity;
    if (held && now() - this.#seenAt < seconds * 1000) return false;
    await sendJson(transport, "PUT", path, { ...raw, spec: this.#spec(spec) }, signal, { ms: requestMs });
    return true;
  }

  #spec(before: Raw): Raw {
    const { identity, now } = this.options;
    const time = new Date(now()).toISOString().replace("Z", "000Z");
    const mine = before.holderIdentity === identity;
    const transitions = typeof before.leaseTransitions === "number" ? before.leaseTransitions : 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: durationSeconds,
      acquireTime: mine ? before.acquireTime : time,
      renewTime: time,
      leaseTransitions: mine ? transitions : transitions + 1,
    };
  }

  async #release(): Promise<void> {
    const { transport, name, identity } = this.options;
    const path = `${this.#path}/${encodeURIComponent(name)}`;
    const signal = AbortSignal.timeout(2000);
    const raw = await getJson(transport, path, signal, requestMs);
    if (!isRecord(raw.spec) || raw.spec.holderIdentity !== identity) return;
    const spec = { ...raw.spec, holderIdentity: "", leaseDurationSeconds: 1 };
    await sendJson(transport, "PUT", path, { ...raw, spec }, signal);
  }
}
