import { isRecord } from "../schema/issues.js";
import type { Ref } from "../schema/meta.js";
import type { ObjectStatus } from "../status/status.js";
import { ApiError, getJson, patchStatus, type Raw, type Transport } from "./api.js";
import { type Resource, resourcePath, resources } from "./resources.js";
import {
  agrees,
  areSame,
  canonical,
  merged,
  observedGeneration,
  type Parts,
  partsOf,
} from "./status-parts.js";

export interface StatusWriterOptions {
  readonly transport: Transport;
  /** The status that every object should have now. */
  desired(): readonly ObjectStatus[];
  /** Whether this replica is the one that writes. */
  leads(): boolean;
  log(line: string): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Changes of configuration are waited for this long, and go first. */
const holdoffMs = 500;
/** Working out what to write may take this part of the time at most. */
const share = 20;
/** About a hundred statuses a second: API server and configuration have work of their own. */
const concurrency = 2;
const pauseMs = 15;
const batch = 200;
const firstBackoffMs = 1000;
const maxBackoffMs = 60_000;

/**
 * Keeps the statuses in the cluster as they should be: only what differs is written, a few at a time and beside the
 * configuration, which never waits for it.
 */
export class StatusWriter {
  readonly #there = new Map<Ref, Parts>();
  /** What was written last, so that a server that stores it in another form is not written to for ever. */
  readonly #written = new Map<Ref, string>();
  /** How often somebody else has changed what was written: two writers must not answer each other without end. */
  readonly #contested = new Map<Ref, number>();
  /** How often in a row a write came too late, because somebody else wrote at the same time. */
  readonly #conflicts = new Map<Ref, number>();
  /** Objects that are not written to for a while after a conflict. */
  readonly #resting = new Set<Ref>();
  /** The API version that a kind was read in, which need not be the newest. */
  readonly #versions = new Map<string, string>();
  #signal = new AbortController().signal;
  readonly #said = new Set<string>();
  #wake: () => void = () => undefined;
  #poked = true;
  #backoffMs = 0;

  constructor(private readonly options: StatusWriterOptions) {}

  /** Takes note of the status of an object as it was read; one that somebody else has changed is put back. */
  observe(ref: Ref, raw: Raw): void {
    if (typeof raw.apiVersion === "string")
      this.#versions.set(ref.slice(0, ref.indexOf("/")), raw.apiVersion);
    const before = this.#there.get(ref);
    const now = partsOf(raw.status);
    this.#there.set(ref, now);
    if ((before && areSame(before, now)) || !this.#written.has(ref)) return;
    const times = this.#contested.get(ref) ?? 0;
    this.#contested.set(ref, times + 1);
    this.#later(times, () => this.#written.delete(ref));
  }

  /** Does something, and looks again, the later the oftener it was so before. */
  #later(times: number, act: () => void): void {
    const wait = Math.min(holdoffMs * 2 ** times, maxBackoffMs);
    void this.options.sleep(wait, this.#signal).then(() => {
      act();
      this.poke();
    });
  }

  #rest(ref: Ref): void {
    const times = this.#conflicts.get(ref) ?? 0;
    this.#conflicts.set(ref, times + 1);
    this.#resting.add(ref);
    this.#later(times, () => this.#resting.delete(ref));
  }

  forget(ref: Ref): void {
    this.#there.delete(ref);
    this.#written.delete(ref);
    this.#contested.delete(ref);
    this.#conflicts.delete(ref);
  }

  /** Something that statuses depend on may have changed. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** Writes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { sleep, now, leads } = this.options;
    this.#signal = signal;
    let spent = 0;
    while (!signal.aborted) {
      await this.#untilPoked(signal);
      await sleep(Math.max(holdoffMs, spent * share, this.#backoffMs), signal);
      if (signal.aborted) return;
      if (!leads()) continue;
      const began = now();
      this.#poked = false;
      const due = this.#due();
      spent = now() - began;
      if (due.length > batch) this.#poked = true;
      await this.#writeAll(due.slice(0, batch), signal);
    }
  }

  async #untilPoked(signal: AbortSignal): Promise<void> {
    if (this.#poked) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #due(): ObjectStatus[] {
    return this.options.desired().filter(({ ref, status }) => {
      if (Object.keys(status).length === 0 || this.#resting.has(ref)) return false;
      const there = this.#there.get(ref);
      if (there && agrees(status, there)) return false;
      return this.#written.get(ref) !== canonical(status);
    });
  }

  async #writeAll(due: readonly ObjectStatus[], signal: AbortSignal): Promise<void> {
    const left = [...due];
    let failed = false;
    const work = async (): Promise<void> => {
      for (let one = left.pop(); one && !signal.aborted && !failed; one = left.pop()) {
        try {
          await this.#write(one, signal);
          await this.options.sleep(pauseMs, signal);
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof ApiError && error.status === 409) this.#rest(one.ref);
          else {
            failed = true;
            this.#poked = true;
            this.#tell(one, error);
          }
        }
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    this.#backoffMs = failed ? Math.min(Math.max(firstBackoffMs, this.#backoffMs * 2), maxBackoffMs) : 0;
    if (!failed && due.length > 0) this.#said.clear();
  }

  async #write({ ref, kind, metadata, status }: ObjectStatus, signal: AbortSignal): Promise<void> {
    const newest = resources.find((one) => one.kind === kind);
    if (!newest) return;
    const resource = { ...newest, apiVersion: this.#versions.get(kind) ?? newest.apiVersion };
    const path = resourcePath(resource, metadata);
    let raw: Raw;
    try {
      raw = await getJson(this.options.transport, path, signal);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
      this.#written.set(ref, canonical(status));
      return;
    }
    this.#there.set(ref, partsOf(raw.status));
    if (agrees(status, partsOf(raw.status)) || isOlder(status, raw)) return;
    const time = new Date(this.options.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const body = { metadata: { resourceVersion: versionOf(raw) }, status: merged(status, raw.status, time) };
    const after = await patchStatus(
      this.options.transport,
      `${resourcePath(resource, { ...metadata, subresource: "status" })}?fieldManager=isoline`,
      body,
      signal,
    );
    this.#there.set(ref, partsOf(after.status));
    this.#written.set(ref, canonical(status));
    this.#conflicts.delete(ref);
  }

  /** Each thing once, until all goes well again. */
  #tell({ ref, kind }: ObjectStatus, error: unknown): void {
    const plural = resources.find((one) => one.kind === kind)?.plural ?? kind;
    const status = error instanceof ApiError ? error.status : 0;
    const line =
      status === 403
        ? `not allowed to write the status of ${plural} (403): grant get on ${plural} and patch on ${plural}/status`
        : `can't write the status of ${plural}: ${error instanceof Error ? error.message : String(error)}; trying again`;
    const key = `${plural} ${status}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.options.log(status === 403 ? line : `${ref}: ${line}`);
  }
}

const metadataOf = (raw: Raw): Raw => (isRecord(raw.metadata) ? raw.metadata : {});
const versionOf = (raw: Raw): unknown => metadataOf(raw).resourceVersion;

/** Whether a verdict is on an older generation than the API server has: a newer one is on its way. */
function isOlder(status: ObjectStatus["status"], raw: Raw): boolean {
  const observed = observedGeneration(status);
  const { generation } = metadataOf(raw);
  // An object that could not be read was judged without its generation.
  return (
    typeof observed === "number" && observed > 0 && typeof generation === "number" && observed < generation
  );
}

const withStatus = new Set<string>([
  "HTTPProxy",
  "IngressRoute",
  "ExtensionService",
  "Ingress",
  "GatewayClass",
  "Gateway",
  "HTTPRoute",
  "GRPCRoute",
  "TLSRoute",
  "TCPRoute",
  "BackendTLSPolicy",
]);

/** Kinds whose status is written. */
export const hasStatus = ({ kind }: Resource): boolean => withStatus.has(kind);
