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

/** Where what was read of one kind goes. What it throws is of the store or of the compiler. */
export interface Sink {
  /** Names of all objects of the kind that are held, valid or not. */
  known(kind: ApiResource["kind"]): ReadonlySet<Ref>;
  /** An object that is held. */
  held(ref: Ref): KubeObject | undefined;
  /** `whole`: the changes and findings are of a full list. */
  apply(
    kind: ApiResource["kind"],
    changes: readonly Change[],
    findings: readonly Finding[],
    whole: boolean,
  ): void;
  /** The resourceVersion that the kind is held at; empty when it has to be listed. */
  cursor(kind: ApiResource["kind"]): string;
  setCursor(kind: ApiResource["kind"], resourceVersion: string): void;
  /** What is left of the cursor when it is dropped: the version before, `absentVersion`, or empty before the first list. */
  last(kind: ApiResource["kind"]): string;
  setLast(kind: ApiResource["kind"], resourceVersion: string): void;
  /** The server has answered for a kind, for the first time since the start. */
  looked(): void;
  /** What waits to be deleted, as a text that is kept over a restart: the kind is listed once more then. */
  waits(kind: ApiResource["kind"]): string;
  setWaits(kind: ApiResource["kind"], text: string): void;
  /** An object as it came; undefined when it is gone. */
  observe(ref: Ref, raw: Raw | undefined): void;
}

/** In the place of a resourceVersion: the collection was not there when it was asked for last. */
const absentVersion = "absent";

export type KindState =
  /** `stored`: as the store has it, which was filled before this start. */
  | { readonly state: "starting" | "stored" | "synced" }
  /** The CRD is not there: there can be no objects of the kind. */
  | { readonly state: "absent" }
  | { readonly state: "failing"; readonly code: FailureCode; readonly error: string; readonly since: number }
  /** Followed, but for deletions of a list that wait, or for a whole list. */
  | { readonly state: "held"; readonly held: HeldDeletions };

export interface KindFollowerOptions {
  /** Read these alone; empty: all. */
  readonly namespaces: readonly string[];
  readonly acceptShrink: boolean;
  /** The API server, for messages. */
  readonly server: string;
  now(): number;
  /** Called when a watch is taken by the server, or a list is read; `wasBehind`: for the first time after a gap. */
  caughtUp(wasBehind: boolean): void;
  /** Whether kinds catch up at the moment: what refers to an object that is gone may still be the old one. */
  catchingUp(): boolean;
  /**
   * Called before anything is asked for; `strict` before a list that may take something away. May call `listAnew`.
   *
   * @throws OtherClusterError when the server is of another cluster than before; when strict, also when it can't be
   *   asked which cluster it is of.
   */
  verify(strict: boolean, signal: AbortSignal): Promise<void>;
}

/** A kind that fails for longer than the others holds up nothing. */
const failsAloneMs = 60_000;

/** Follows one kind: a resumable watch as a poll, which costs what changed. */
export class KindFollower {
  #state: KindState = { state: "starting" };
  #looked = false;
  /** The version that the kind was last known at, which a cursor that is dropped does not forget. */
  #lastVersion: string;
  /** Whether all that the server had when it was asked last has been read. */
  #isCaughtUp = false;
  #openedAt: number | undefined;
  #seenAt: number | undefined;
  #accepted = false;
  readonly #guard = new ListGuard();
  readonly #missing: Missing;
  readonly #versions: readonly ApiResource[];
  /** The version that was asked for last: in the end one that the server has. */
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

  /** Deletions that wait for somebody to confirm them, also while the kind is not followed. */
  get held(): HeldDeletions | undefined {
    return this.#state.state === "held" ? this.#state.held : this.#missing.hold;
  }

  /** Whether all objects of the kind are known, be they old. */
  get ready(): boolean {
    return this.#lastVersion !== "";
  }

  /** Whether the server has answered for the kind since the start. */
  get looked(): boolean {
    return this.#looked;
  }

  /** The resourceVersion that was read last; empty before, `absent` where the collection was not there. */
  get version(): string {
    return this.#lastVersion;
  }

  /**
   * Whether something of a gap is left to be read. A kind that has failed for long, while no other has caught up of late,
   * is not waited for.
   */
  isBehind(now: number, caughtUpAt: number): boolean {
    if (this.#isCaughtUp) return false;
    const state = this.#state;
    return state.state !== "failing" || now - Math.max(state.since, caughtUpAt) < failsAloneMs;
  }

  /** The kind is not watched from now on. */
  leave(): void {
    this.#isCaughtUp = false;
  }

  /** When the watch was opened that is open, or that the last poll had, in ms since the epoch. */
  get openedAt(): number | undefined {
    return this.#openedAt;
  }

  /** When the server has given a good answer last, in ms since the epoch; undefined before there was one. */
  get seenAt(): number | undefined {
    return this.#seenAt;
  }

  /** Since when deletions of a list wait for other kinds. */
  get waitingSince(): number | undefined {
    return this.#missing.waitingSince;
  }

  /** Drops the cursor: the next poll lists all, and remembers where it was before. */
  listAnew(): void {
    const { kind } = this.resource;
    this.sink.setLast(kind, this.#lastVersion);
    this.sink.setCursor(kind, "");
    this.#isCaughtUp = false;
  }

  /** Deletes what waited for other kinds. */
  deleteWaiting(): void {
    this.#delete(this.#missing.waiting);
  }

  /** Deletes what is held, and believes a version that was not, or that the CRD is gone. Returns how many objects are gone. */
  acceptHeld(): number {
    const { heldRefs: held } = this.#missing;
    this.#delete(held);
    if (this.#state.state === "held" || held.length === 0) {
      this.#accepted = true;
      this.listAnew();
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
   * Catches up and then waits for changes for at most so many seconds. A failure changes nothing that is known.
   *
   * @throws ApiError, or what the transport throws, after the state says so.
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
      if (isExpired(error)) this.listAnew();
      else this.#fail(error);
      throw error;
    }
  }

  /** What is held is looked at again each time: a list that lacked it by mistake is not the last one. */
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
      this.#look();
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

  #look(): void {
    if (this.#looked) return;
    this.#looked = true;
    this.sink.looked();
  }

  /** Settings that leave a namespace out take its objects away, whatever the server has. */
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

  /** The server has answered, and what it has is known. */
  #reached(state: "synced" | "absent"): void {
    const wasBehind = !this.#isCaughtUp;
    this.#isCaughtUp = true;
    this.#seenAt = this.options.now();
    this.#state = { state };
    this.#look();
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

  /** Versions that are numbers say which is newer: what came before, or comes from another server, is not taken back to. */
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
    if (!isDeleted) this.sink.apply(kind, change ? [change] : [], findings, false);
    else if (ref) this.sink.apply(kind, [{ gone: ref }], [], false);
    if (ref) this.#missing.drop([ref]);
  }

  /** Nothing names an EndpointSlice, and one that stays leads to pods that are gone. */
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

/** What an object is one of several of. */
const ownerOf = (object: KubeObject | undefined): string =>
  object?.kind === "EndpointSlice" ? object.spec.service : "";
