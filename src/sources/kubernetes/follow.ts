import {
  ApiError,
  type Listed,
  list,
  type Raw,
  resourceVersionOf,
  stalled,
  type Transport,
  watch,
} from "../../kubernetes/api.js";
import { type FailureCode, failureOf } from "../../kubernetes/failures.js";
import { askVersions, changeOf, isMissing } from "../../kubernetes/read.js";
import { isOlderVersion } from "../../kubernetes/resource-version.js";
import { type ApiResource, versionsOf } from "../../kubernetes/resources.js";
import { type Finding, namespaceOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { Change } from "../../update.js";
import { type HeldDeletions, ListGuard } from "./guard.js";
import { Missing } from "./missing.js";

/** Receives the objects that were read of one kind. Errors that it throws come from the store or the compiler. */
export interface Sink {
  /** Refs of all held objects of the kind, valid or not. */
  known(kind: ApiResource["kind"]): ReadonlySet<Ref>;
  /** A held object. */
  held(ref: Ref): KubeObject | undefined;
  /** `whole`: the changes and findings come from a full list. `by`: who wrote the object of the only change. */
  apply(
    kind: ApiResource["kind"],
    changes: readonly Change[],
    findings: readonly Finding[],
    whole: boolean,
    by?: string,
  ): void;
  /** Who wrote an object that a watch reports, if that is known. */
  writer(ref: Ref, object: Raw, isDeleted: boolean): string | undefined;
  /** The resourceVersion of the held state of the kind; empty when the kind must be listed. */
  cursor(kind: ApiResource["kind"]): string;
  setCursor(kind: ApiResource["kind"], resourceVersion: string): void;
  /** Remains when the cursor is dropped: the version before, `absentVersion`, or empty before the first list. */
  last(kind: ApiResource["kind"]): string;
  setLast(kind: ApiResource["kind"], resourceVersion: string): void;
  /** The API server has answered for a kind for the first time since the start. */
  answered(): void;
  /** The deletions that wait, as a text that is kept over a restart. The kind is then listed once more. */
  waits(kind: ApiResource["kind"]): string;
  setWaits(kind: ApiResource["kind"], text: string): void;
  /** An object as it was received; undefined when it is deleted. */
  observe(ref: Ref, raw: Raw | undefined): void;
}

/** In place of a resourceVersion: the collection did not exist at the last request. */
const absentVersion = "absent";

export type KindState =
  /** `stored`: the state of the store from before this start. */
  | { readonly state: "starting" | "stored" | "synced" }
  /** The CRD does not exist, so there can be no objects of the kind. */
  | { readonly state: "absent" }
  | { readonly state: "failing"; readonly code: FailureCode; readonly error: string; readonly since: number }
  /** The kind is followed, but deletions of a list, or a whole list, wait. */
  | { readonly state: "held"; readonly held: HeldDeletions };

export interface KindFollowerOptions {
  /** Only these are read; empty: all. */
  readonly namespaces: readonly string[];
  readonly acceptShrink: boolean;
  /** The API server, for messages. */
  readonly server: string;
  now(): number;
  /** Called when the server accepts a watch, or when a list was read. `wasBehind`: for the first time after a gap. */
  caughtUp(wasBehind: boolean): void;
  /** Whether kinds catch up at the moment. The known state of an object may then still refer to a deleted object. */
  catchingUp(): boolean;
  /**
   * Called before each request; `strict` before a list that may delete objects. May call `relist`.
   *
   * @throws OtherClusterError when the server belongs to another cluster than before; if strict, also the error of a
   * request that could not determine the cluster.
   */
  verify(strict: boolean, signal: AbortSignal): Promise<void>;
}

/** After this time, a kind that fails alone no longer delays the others. */
const failsAloneMs = 60_000;

/** Follows one kind by polls, each a resumable watch, so that the cost depends on the number of changes. */
export class KindFollower {
  #state: KindState = { state: "starting" };
  #hasAnswered = false;
  /** The resourceVersion of the last known state; it remains when the cursor is dropped. */
  #lastVersion: string;
  /** Whether everything was read that the server had at the last request. */
  #isCaughtUp = false;
  #openedAt: number | undefined;
  #seenAt: number | undefined;
  #accepted = false;
  readonly #guard = new ListGuard();
  readonly #missing: Missing;
  readonly #versions: readonly ApiResource[];
  /** The resource at the API version of the last request; after a success, a version that the server has. */
  #asked: ApiResource;

  constructor(
    readonly resource: ApiResource,
    private readonly transport: Transport,
    private readonly sink: Sink,
    private readonly options: KindFollowerOptions,
  ) {
    const { kind, plural } = resource;
    this.#missing = new Missing({ plural, kind }, sink.waits(kind), (text) => sink.setWaits(kind, text));
    this.#versions = versionsOf(resource);
    this.#asked = resource;
    this.#lastVersion = sink.cursor(kind) || sink.last(kind);
    if (this.#lastVersion) this.#state = { state: "stored" };
  }

  get state(): KindState {
    const held = this.#missing.hold;
    return this.#state.state === "synced" && held ? { state: "held", held } : this.#state;
  }

  /** Deletions that wait for confirmation, also while the kind is not followed. */
  get held(): HeldDeletions | undefined {
    return this.#state.state === "held" ? this.#state.held : this.#missing.hold;
  }

  /** Whether all objects of the kind are known, possibly in an old state. */
  get ready(): boolean {
    return this.#lastVersion !== "";
  }

  /** Whether the API server has answered for the kind since the start. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The last resourceVersion that was read; empty before the first, `absent` where the collection did not exist. */
  get version(): string {
    return this.#lastVersion;
  }

  /** Whether part of a gap is still to be read. The result is false for a kind that has failed for a long time while no other kind caught up recently. */
  isBehind(now: number, caughtUpAt: number): boolean {
    if (this.#isCaughtUp) return false;
    const state = this.#state;
    return state.state !== "failing" || now - Math.max(state.since, caughtUpAt) < failsAloneMs;
  }

  /** The kind is no longer watched. */
  leave(): void {
    this.#isCaughtUp = false;
  }

  /** When the open watch, or the watch of the last poll, was opened, in ms since the epoch. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** When the server gave its last good answer, in ms since the epoch; undefined before the first. */
  get seenAt(): number | undefined {
    return this.#seenAt;
  }

  /** Since when deletions wait for other kinds. */
  get waitingSince(): number | undefined {
    return this.#missing.waitingSince;
  }

  /** Drops the cursor: the next poll lists all objects. The version before is kept. */
  relist(): void {
    const { kind } = this.resource;
    this.sink.setLast(kind, this.#lastVersion);
    this.sink.setCursor(kind, "");
    this.#isCaughtUp = false;
  }

  /** Applies the deletions that waited for other kinds. */
  deleteWaiting(): void {
    this.#delete(this.#missing.waiting);
  }

  /** Applies the held deletions, and accepts a version that was refused, or the removal of the CRD. Returns how many objects were deleted. */
  acceptHeld(): number {
    const { heldRefs: held } = this.#missing;
    this.#delete(held);
    if (this.#state.state === "held" || held.length === 0) {
      this.#accepted = true;
      this.relist();
    }
    return held.length;
  }

  #delete(refs: readonly Ref[]): void {
    if (refs.length === 0) return;
    const gone = refs.map((ref) => ({ gone: ref }));
    this.sink.apply(this.resource.kind, gone, [], false);
    for (const ref of refs) this.sink.observe(ref, undefined);
    this.#missing.drop(refs);
  }

  /**
   * Catches up, then waits up to `seconds` for changes. A failure changes no known object.
   *
   * @throws ApiError or the error of the transport, after `state` is updated.
   */
  async poll(seconds: number, signal: AbortSignal): Promise<void> {
    this.#openedAt = undefined;
    try {
      await this.options.verify(false, signal);
      if (this.#mustList) await this.#list(signal);
      if (this.#state.state === "absent" || this.#state.state === "held") return;
      await this.#watch(seconds, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (this.#openedAt === undefined || isStalled(error)) this.#isCaughtUp = false;
      if (isExpired(error)) this.relist();
      else this.#fail(error);
      throw error;
    }
  }

  /** A kind with held deletions is listed at each poll: a later list may have the objects again. */
  get #mustList(): boolean {
    const { kind } = this.resource;
    return this.sink.cursor(kind) === "" || this.#missing.hold !== undefined || this.#missing.isForgotten;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { kind, builtIn } = this.resource;
    const known = this.sink.known(kind);
    if (known.size > 0) await this.options.verify(true, signal);
    const accepts = this.options.acceptShrink || this.#accepted;
    let listed: Listed;
    try {
      listed = await this.#ask(this.#versions, (resource) => list(this.transport, resource, signal));
    } catch (error) {
      if (!isMissing(error) || builtIn || (known.size > 0 && !accepts)) throw error;
      this.#delete([...known]);
      this.#accepted = false;
      this.#setAbsent();
      return;
    }
    this.#applyList(listed);
  }

  #applyList(listed: Listed): void {
    const { kind } = this.resource;
    const { namespaces, now } = this.options;
    const known = this.sink.known(kind);
    const read = listed.items.map((item) => changeOf(item, namespaces));
    const owners = this.#ownersOf(read);
    const names = new Set(read.flatMap(({ ref }) => ref ?? []));
    const { approved } = this.#missing;
    const { refused, gone, kept, held } = this.#guard.decide(
      {
        known: new Set(
          [...known].filter((ref) => this.#isWatched(ref) && !(approved.has(ref) && !names.has(ref))),
        ),
        listed: names,
        ...(owners ? { ownerOf: (ref) => owners.get(ref) ?? ownerOf(this.sink.held(ref)) } : {}),
        from: this.#lastVersion,
        to: listed.resourceVersion,
      },
      { all: this.options.acceptShrink, version: this.#accepted },
      now(),
    );
    if (refused) {
      this.#state = { state: "held", held: { ...refused, objects: 0 } };
      this.#noteAnswer();
      return;
    }
    const decided = [...known].filter(
      (ref) => !names.has(ref) && (approved.has(ref) || !this.#isWatched(ref)),
    );
    this.#missing.replace([...decided, ...gone], kept, { ...held, before: known.size, now: now() });
    const changes = read.flatMap(({ change }) => change ?? []);
    this.sink.apply(
      kind,
      changes,
      read.flatMap(({ findings }) => findings),
      true,
    );
    for (const [i, { ref }] of read.entries()) if (ref) this.sink.observe(ref, listed.items[i]);
    this.#accepted = false;
    this.#moveTo(listed.resourceVersion);
    this.#reached("synced");
  }

  #setAbsent(): void {
    if (this.#lastVersion !== absentVersion) {
      this.#lastVersion = absentVersion;
      this.sink.setLast(this.resource.kind, absentVersion);
    }
    this.#reached("absent");
  }

  #noteAnswer(): void {
    if (this.#hasAnswered) return;
    this.#hasAnswered = true;
    this.sink.answered();
  }

  /** Objects of a namespace that the settings leave out are deleted, even if the server still has them. */
  #isWatched(ref: Ref): boolean {
    const { namespaces } = this.options;
    return namespaces.length === 0 || !this.resource.namespaced || namespaces.includes(namespaceOf(ref));
  }

  #ownersOf(read: readonly { readonly change?: KubeObject }[]): Map<Ref, string> | undefined {
    if (this.resource.kind !== "EndpointSlice") return undefined;
    return new Map(read.flatMap(({ change }) => (change ? [[change.ref, ownerOf(change)] as const] : [])));
  }

  #moveTo(resourceVersion: string): void {
    this.#lastVersion = resourceVersion;
    this.sink.setCursor(this.resource.kind, resourceVersion);
  }

  /** The server has answered, and its state is known. */
  #reached(state: "synced" | "absent"): void {
    const wasBehind = !this.#isCaughtUp;
    this.#isCaughtUp = true;
    this.#seenAt = this.options.now();
    this.#state = { state };
    this.#noteAnswer();
    this.options.caughtUp(wasBehind);
  }

  #ask<T>(versions: Iterable<ApiResource>, ask: (resource: ApiResource) => Promise<T>): Promise<T> {
    return askVersions(versions, (resource) => {
      this.#asked = resource;
      return ask(resource);
    });
  }

  async #watch(seconds: number, signal: AbortSignal): Promise<void> {
    const versions = new Set([this.#asked, ...this.#versions]);
    await this.#ask(versions, (resource) => this.#watchAt(resource, seconds, signal));
  }

  async #watchAt(resource: ApiResource, seconds: number, signal: AbortSignal): Promise<void> {
    const { kind } = resource;
    const opened = (): void => {
      this.#openedAt = this.options.now();
      this.#reached("synced");
    };
    const from = this.sink.cursor(kind);
    for await (const event of watch(this.transport, resource, from, seconds, signal, opened)) {
      this.#seenAt = this.options.now();
      const version = resourceVersionOf(event.object);
      if (!isOlderVersion(this.#lastVersion, version) && this.#isNumbered(version)) continue;
      if (event.type !== "BOOKMARK") this.#applyEvent(event.type === "DELETED", event.object);
      if (version) this.#moveTo(version);
    }
    this.#seenAt = this.options.now();
  }

  /** Numeric versions are ordered: an event that is older, or from a lagging server, is not applied. */
  #isNumbered(version: string): boolean {
    return /^\d+$/.test(version) && /^\d+$/.test(this.#lastVersion);
  }

  #applyEvent(isDeleted: boolean, object: Raw): void {
    const { kind } = this.resource;
    const { change, ref, findings } = changeOf(object, this.options.namespaces);
    if (ref) this.sink.observe(ref, isDeleted ? undefined : object);
    if (isDeleted && ref && this.#deletesLater) {
      if (this.sink.known(kind).has(ref)) this.#missing.wait(ref, this.options.now());
      return;
    }
    const by = ref && this.sink.writer(ref, object, isDeleted);
    if (!isDeleted) this.sink.apply(kind, change ? [change] : [], findings, false, by);
    else if (ref) this.sink.apply(kind, [{ gone: ref }], [], false, by);
    if (ref) this.#missing.drop([ref]);
  }

  /** No object refers to an EndpointSlice by name, and an EndpointSlice that stays leads to endpoints that no longer exist. */
  get #deletesLater(): boolean {
    return this.resource.kind !== "EndpointSlice" && this.options.catchingUp();
  }

  #fail(error: unknown): void {
    const { code, message } = failureOf(this.resource, error, this.options.server);
    const since = this.#state.state === "failing" ? this.#state.since : this.options.now();
    this.#state = { state: "failing", code, error: message, since };
  }
}

const isExpired = (error: unknown): boolean => error instanceof ApiError && error.status === 410;

const isStalled = (error: unknown): boolean => error instanceof ApiError && error.reason === stalled;

/** The Service of an EndpointSlice, whose slices replace each other; empty for other kinds. */
const ownerOf = (object: KubeObject | undefined): string =>
  object?.kind === "EndpointSlice" ? object.spec.service : "";
