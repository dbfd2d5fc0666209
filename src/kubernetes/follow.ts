import type { Finding, Ref } from "../schema/meta.js";
import { type KubeObject, parseObject } from "../schema/object.js";
import type { Change } from "../update.js";
import { ApiError, list, type Raw, resourceVersionOf, type Transport, watch } from "./api.js";
import { goneFrom, type Held, ListGuard } from "./guard.js";
import { type Resource, versionsOf } from "./resources.js";

/** Where what was read of one kind goes. */
export interface Sink {
  /** Names of all objects of the kind that are held, valid or not. */
  known(kind: Resource["kind"]): Iterable<Ref>;
  /** `whole`: the changes and findings are of a full list. */
  apply(
    kind: Resource["kind"],
    changes: readonly Change[],
    findings: readonly Finding[],
    whole: boolean,
  ): void;
  /** The resourceVersion that the kind is held at; empty when it has to be listed. */
  cursor(kind: Resource["kind"]): string;
  setCursor(kind: Resource["kind"], resourceVersion: string): void;
  /** An object as it came; undefined when it is gone. */
  observe(ref: Ref, raw: Raw | undefined): void;
}

export type KindState =
  | { readonly state: "starting" | "synced" }
  /** The CRD is not there: there can be no objects of the kind. */
  | { readonly state: "absent" }
  | { readonly state: "failing"; readonly error: string; readonly since: number }
  | { readonly state: "held"; readonly held: Held };

export interface FollowerOptions {
  /** Read these alone; empty: all. */
  readonly namespaces: readonly string[];
  readonly acceptShrink: boolean;
  now(): number;
}

/**
 * Reads one object of the API as a change; one that can't be read leaves what was known of it. Unknown fields are no findings here: an
 * API server prunes those that its version does not have, and a newer one may have more.
 */
export function changeOf(
  raw: Raw,
  namespaces: readonly string[],
): { change?: KubeObject; ref?: Ref; findings: readonly Finding[] } {
  const parsed = parseObject(raw, namespaces);
  if ("object" in parsed) return { change: parsed.object, ref: parsed.object.ref, findings: [] };
  if ("ignored" in parsed) return { findings: [] };
  return { findings: parsed.findings, ...(parsed.ref ? { ref: parsed.ref } : {}) };
}

const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/**
 * Asks for a collection at one version after the other, until the server has it.
 *
 * @throws ApiError of the last version when the server has none of them, and whatever else asking throws.
 */
export async function askVersions<T>(
  versions: Iterable<Resource>,
  ask: (resource: Resource) => Promise<T>,
): Promise<T> {
  let missing: unknown;
  for (const resource of versions) {
    try {
      return await ask(resource);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  throw missing;
}

/** Follows one kind: a resumable watch as a poll, which costs what changed. */
export class Follower {
  #state: KindState = { state: "starting" };
  /** The version that the kind was last known at, which a cursor that is dropped does not forget. */
  #lastVersion: string;
  readonly #guard: ListGuard;
  readonly #versions: readonly Resource[];
  /** The version that was asked for last: in the end one that the server has. */
  #asked: Resource;

  constructor(
    readonly resource: Resource,
    private readonly transport: Transport,
    private readonly sink: Sink,
    private readonly options: FollowerOptions,
  ) {
    this.#guard = new ListGuard(options.acceptShrink);
    this.#versions = versionsOf(resource);
    this.#asked = resource;
    this.#lastVersion = sink.cursor(resource.kind);
    if (this.#lastVersion) this.#state = { state: "synced" };
  }

  get state(): KindState {
    return this.#state;
  }

  /** Whether all objects of the kind are known, be they old. */
  get ready(): boolean {
    return this.#state.state === "absent" || this.#lastVersion !== "";
  }

  /** The resourceVersion that was read last; empty before. */
  get version(): string {
    return this.#lastVersion;
  }

  /** Drops the cursor: the next poll lists all, and remembers where it was before. */
  listAnew(): void {
    this.sink.setCursor(this.resource.kind, "");
  }

  /**
   * Catches up and then waits for changes for at most so many seconds. A failure changes nothing that is known.
   *
   * @throws ApiError, or what the transport throws, after the state says so.
   */
  async poll(seconds: number, signal: AbortSignal): Promise<void> {
    try {
      if (!this.sink.cursor(this.resource.kind)) await this.#list(signal);
      if (this.#state.state === "absent" || this.#state.state === "held") return;
      await this.#watch(seconds, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 410) this.sink.setCursor(this.resource.kind, "");
      else this.#fail(error);
      throw error;
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { kind, builtIn } = this.resource;
    let listed: Awaited<ReturnType<typeof list>>;
    try {
      listed = await this.#ask(this.#versions, (resource) => list(this.transport, resource, signal));
    } catch (error) {
      const absent = isMissing(error) && !builtIn;
      if (!absent || [...this.sink.known(kind)].length > 0) throw error;
      this.#state = { state: "absent" };
      return;
    }
    const known = [...this.sink.known(kind)];
    const read = listed.items.map((item) => changeOf(item, this.options.namespaces));
    const names = new Set<string>(read.flatMap(({ ref }) => (ref ? [ref] : [])));
    const gone = goneFrom(known, names);
    const numbers = { before: known.length, gone: gone.length };
    const versions = { from: this.#lastVersion, to: listed.resourceVersion };
    const held = this.#guard.check({ ...numbers, ...versions }, this.options.now());
    if (held) {
      this.#state = { state: "held", held };
      return;
    }
    const changes = [...gone, ...read.flatMap(({ change }) => (change ? [change] : []))];
    this.sink.apply(
      kind,
      changes,
      read.flatMap(({ findings }) => findings),
      true,
    );
    for (const [i, { ref }] of read.entries()) if (ref) this.sink.observe(ref, listed.items[i]);
    this.#synced(listed.resourceVersion);
  }

  #synced(resourceVersion: string): void {
    this.#lastVersion = resourceVersion;
    this.#state = { state: "synced" };
    this.sink.setCursor(this.resource.kind, resourceVersion);
  }

  #ask<T>(versions: Iterable<Resource>, ask: (resource: Resource) => Promise<T>): Promise<T> {
    return askVersions(versions, (resource) => {
      this.#asked = resource;
      return ask(resource);
    });
  }

  async #watch(seconds: number, signal: AbortSignal): Promise<void> {
    const versions = new Set([this.#asked, ...this.#versions]);
    await this.#ask(versions, (resource) => this.#watchAt(resource, seconds, signal));
    this.#state = { state: "synced" };
  }

  async #watchAt(resource: Resource, seconds: number, signal: AbortSignal): Promise<void> {
    const { kind, apiVersion } = resource;
    const from = this.sink.cursor(kind);
    for await (const event of watch(this.transport, resource, from, seconds, signal)) {
      if (event.type !== "BOOKMARK") {
        const object = { apiVersion, kind, ...event.object };
        const { change, ref, findings } = changeOf(object, this.options.namespaces);
        if (ref) this.sink.observe(ref, event.type === "DELETED" ? undefined : object);
        if (event.type === "DELETED") {
          if (ref) this.sink.apply(kind, [{ gone: ref }], [], false);
        } else this.sink.apply(kind, change ? [change] : [], findings, false);
      }
      const version = resourceVersionOf(event.object);
      if (version) this.#synced(version);
    }
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const since = this.#state.state === "failing" ? this.#state.since : this.options.now();
    this.#state = { state: "failing", error: message, since };
  }
}

/** One clear line about a failure: what was tried, and what to do. */
export function explainFailure(resource: Resource, error: unknown): string {
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : String(error);
    return `can't reach the API server for ${resource.plural}: ${message}; the last good state is served`;
  }
  const group = resource.apiVersion.includes("/") ? resource.apiVersion.split("/")[0] : '""';
  if (error.status === 401)
    return `the API server does not accept the credentials (401) for ${resource.plural}: renew the token or certificate`;
  if (error.status === 403)
    return `not allowed to list and watch ${resource.plural} (403): grant get, list and watch on ${resource.plural} in API group ${group}`;
  if (error.status === 404)
    return `${resource.plural} are gone from the API (404), as when their CRD is removed; the last good ones are served`;
  return `${error.message}; the last good state is served`;
}
