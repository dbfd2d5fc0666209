import { claimsOf } from "../graph/claims.js";
import { isSameServed } from "../link/snapshot.js";
import { type Finding, namespaceOf, type Ref } from "../schema/meta.js";
import { type Settings, settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { tryChanges } from "../trial.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";
import { contentHash } from "../xds/hash.js";
import type { Inspected } from "./inspect.js";
import { completeSources, lostStore, missingIn, tellPushed } from "./lost-store.js";
import { type Publisher, settingsOf } from "./publisher.js";
import { type ParsedSource, parseSource, type SourceRefusal } from "./source.js";
import { readSource, removeSource, type SourceState, sourceNames, writeSource } from "./source-state.js";
import { Traffic } from "./traffic.js";
import { type Namespaces, visibleFindings } from "./visible.js";

/** One push: the whole content of one source. */
export interface Push {
  readonly name: string;
  readonly text: string;
  /** Must be higher than that of the push before; without one, that of the push before plus one. */
  readonly revision?: number;
  /** The revision that must be there now; 0 for none. */
  readonly expect?: number;
  /** Refuse the whole push for one object with an error. */
  readonly strict: boolean;
  /** Say what would come of it, and change nothing. */
  readonly dryRun: boolean;
  /** Apply a push that takes away much of what was there. */
  readonly acceptShrink: boolean;
  /** The only namespaces that may be touched, and told of in the answer; undefined for all. */
  readonly namespaces?: readonly string[];
}

export interface Pushed {
  readonly source: string;
  readonly revision: number;
  readonly objects: number;
  /** Whether what is served differs from before; true as long as units are left, as that is not known yet. */
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  readonly findings: readonly Finding[];
  /** Units that are still to be compiled: until then nothing is published, and `findings` is not all. */
  readonly left?: number;
  /** Sources that Envoys have and that were not pushed again since the store was lost: until they are, these Envoys keep what they have. */
  readonly missing?: number;
  /** Of a dry run: what would change for traffic, a line each. */
  readonly traffic?: readonly string[];
}

/** A source that was taken away. */
export interface RemovedSource {
  readonly source: string;
  /** How many went with it. */
  readonly objects: number;
  readonly changed: boolean;
  /** The sequence of what is served after it. */
  readonly version: number;
  /** Units that are still to be compiled: until then nothing is published. */
  readonly left?: number;
}

export interface RefusedPush {
  readonly refused: {
    readonly status: 400 | 403 | 409 | 412 | 422;
    readonly code: string;
    readonly detail: string;
    readonly findings: readonly Finding[];
  };
}

/** Revisions are numbers of CI runs or times in s or ms: one beyond this could never be followed by an honest one. */
const maxAheadMs = 86_400_000;
/** A push that takes away more than this share of a source's hosts is not believed. */
const maxShrink = 0.3;
/** Below this many hosts a large share is still a normal edit. */
const fewHosts = 10;

/** Sources that are pushed, each a part of what one store holds. */
export class PushedSources {
  constructor(
    private readonly store: Store,
    private readonly publisher: Publisher,
    private readonly platform: Platform,
    /** The settings that hold where no source has settings. */
    private readonly settings?: Settings,
  ) {}

  get inspected(): Inspected {
    const { store, publisher, platform } = this;
    return { store, publisher, platform };
  }

  /** Brings the settings in line with how the server was started now, and publishes what was pushed before a restart. */
  start(): void {
    const names = sourceNames(this.store);
    const arePushed = this.#refsOf(names).has(settingsRef);
    tellPushed(this.store, this.publisher);
    if (!arePushed && (this.settings || this.store.object(settingsRef)))
      update(this.store, this.#without([settingsRef]), this.platform);
    if (names.length > 0) this.publisher.publish();
  }

  /** An admin says that all sources are pushed: Envoys that have more of a store that was lost are given less. */
  complete(): { readonly sources: readonly string[]; readonly missing: number } {
    return completeSources(this.store, this.publisher);
  }

  /** What there is of a source, as far as one may see that is bound to namespaces; undefined when there is none. */
  describe(name: string, namespaces?: Namespaces): object | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { revision, refs, findings } = readSource(this.store, name);
    const left = unitsLeft(this.store);
    const found = { source: name, revision, objects: refs.length };
    // To gather them takes a while, and now they would not be all.
    if (left > 0) return { ...found, findings: visibleFindings(findings, namespaces), left };
    return { ...found, findings: visibleFindings([...findings, ...this.publisher.findings], namespaces) };
  }

  /** Takes a source away with all its objects, and publishes what is left; undefined when there is none of the name. */
  remove(name: string): Promise<RemovedSource | undefined> {
    return this.#inTurn(() => this.store.transaction(() => this.#remove(name)));
  }

  #remove(name: string): RemovedSource | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { refs } = readSource(this.store, name);
    const { left } = update(this.store, this.#without(refs), this.platform);
    removeSource(this.store, name);
    tellPushed(this.store, this.publisher);
    const changed = this.publisher.publish() || left > 0;
    const { sequence: version } = this.publisher;
    return { source: name, objects: refs.length, changed, version, ...leftOf(left) };
  }

  status() {
    const states = sourceNames(this.store).map((name) => ({ name, ...readSource(this.store, name) }));
    return {
      sources: states.map(({ name, revision, refs }) => ({ name, revision, objects: refs.length })),
      endpoints: this.publisher.snapshot?.mode,
      findings: [
        ...states.flatMap(({ findings }) => findings),
        ...lostStore(this.publisher),
        ...this.publisher.findings,
      ],
    };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  #finish(): void {
    if (unitsLeft(this.store) === 0) return;
    resume(this.store, { checkKeyPair: this.platform.checkKeyPair });
    this.publisher.publish();
  }

  /** The write before, whose text may still be read. */
  #last: Promise<unknown> = Promise.resolve();

  /** Writes come one after the other: each sees what the one before has left, and their texts take the memory of one. */
  #inTurn<T>(write: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(write);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Applies one push whole, or refuses it whole. An object in it that is not valid stays as it was before. */
  put(push: Push): Promise<Pushed | RefusedPush> {
    return this.#inTurn(() => this.#put(push));
  }

  async #put(push: Push): Promise<Pushed | RefusedPush> {
    const state = readSource(this.store, push.name);
    const digest = contentHash(push.text);
    const stale = checkRevision(push, state, digest, this.publisher.now()) ?? checkCount(this.store, push);
    if (stale) return stale;
    const repeated = digest === state.digest && push.revision === state.revision;
    if (repeated && this.publisher.snapshot) return this.#unchanged(push, state);
    const source = await parseSource(push.text);
    if ("code" in source) return notContent(source);
    const refusal = checkContent(this.store, push, state, source);
    if (refusal) return refusal;
    if (push.strict || push.dryRun) this.#finish();
    const revision = push.revision ?? state.revision + 1;
    return this.store.transaction(() => this.#apply(push, source, state, { revision, digest }));
  }

  /** What a push is not to blame for: what other sources hold, and the server's own settings where it has none itself. */
  #refsOfOthers(name: string, kept: ReadonlySet<Ref>): ReadonlySet<Ref> {
    const others = this.#refsOf(sourceNames(this.store).filter((other) => other !== name));
    return this.settings && !kept.has(settingsRef) ? new Set([...others, settingsRef]) : others;
  }

  #refsOf(names: readonly string[]): ReadonlySet<Ref> {
    return new Set(names.flatMap((name) => readSource(this.store, name).refs));
  }

  /** The changes that take objects away: settings give way to the server's own. */
  #without(refs: readonly Ref[]): Change[] {
    return refs.map((gone) => (gone === settingsRef && this.settings) || { gone });
  }

  #unchanged({ name, namespaces }: Push, { revision, refs, findings }: SourceState): Pushed {
    return {
      source: name,
      revision,
      objects: refs.length,
      changed: false,
      version: this.publisher.sequence,
      findings: visibleFindings([...findings, ...this.publisher.findings], namespaces),
      ...leftOf(unitsLeft(this.store)),
      ...missingIn(this.publisher),
    };
  }

  #apply(
    push: Push,
    source: ParsedSource,
    before: SourceState,
    now: Pick<SourceState, "revision" | "digest">,
  ): Pushed | RefusedPush {
    const refs = [...refsAfter(source, before)];
    const kept = new Set(refs);
    const gone = this.#without(before.refs.filter((ref) => !kept.has(ref)));
    const old = push.dryRun ? this.publisher.preview() : undefined;
    const changes = [...gone, ...source.objects];
    const { updated, undo } =
      push.strict || push.dryRun
        ? tryChanges(this.store, changes, this.platform)
        : { updated: update(this.store, changes, this.platform) };
    const all = [...source.findings, ...this.publisher.storeFindings];
    const findings = visibleFindings(all, push.namespaces);
    const others = this.#refsOfOthers(push.name, kept);
    const errors =
      push.strict && all.some(({ about, severity }) => severity === "error" && !others.has(about));
    const tried = old && this.publisher.preview();
    const traffic = old && tried && new Traffic(old, tried, push.namespaces);
    traffic?.judge(this.store);
    if (errors || push.dryRun) undo?.();
    traffic?.judge(this.store);
    if (errors)
      return refusedPush(422, "invalid-objects", "an object is not valid, and the push is strict", findings);
    if (!push.dryRun) {
      writeSource(this.store, push.name, { ...now, refs, findings: source.findings });
      tellPushed(this.store, this.publisher);
    }
    const changed = old && tried ? !isSameServed(old, tried) : this.publisher.publish();
    const linked = visibleFindings((tried ?? this.publisher.snapshot)?.findings ?? [], push.namespaces);
    return {
      source: push.name,
      revision: now.revision,
      objects: source.objects.length,
      changed: changed || updated.left > 0,
      version: this.publisher.sequence,
      findings: [...findings, ...linked],
      ...leftOf(updated.left),
      ...missingIn(this.publisher),
      ...(traffic ? { traffic: traffic.lines } : {}),
    };
  }
}

const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});

const notContent = ({ code, detail }: SourceRefusal): RefusedPush =>
  refusedPush(400, code, `${detail}; nothing was changed`, [
    { about: "Source//", severity: "error", type: "SourceError", reason: "NotReadable", message: detail },
  ]);

const refusedPush = (
  status: RefusedPush["refused"]["status"],
  code: string,
  detail: string,
  findings: readonly Finding[] = [],
): RefusedPush => ({ refused: { status, code, detail, findings } });

/** The same revision with the same content is a push that is tried again; with other content, two publishers raced. */
function checkRevision(
  push: Push,
  { revision, digest }: SourceState,
  pushed: string,
  nowMs: number,
): RefusedPush | undefined {
  const highest = nowMs + maxAheadMs;
  if (push.revision !== undefined && push.revision > highest) {
    const detail = `revision ${push.revision} is more than a day after now in milliseconds (${highest} at most); give the number of the CI run or a time`;
    return refusedPush(422, "revision-too-high", detail);
  }
  if (push.expect !== undefined && push.expect !== revision)
    return refusedPush(412, "other-revision", `the source is at revision ${revision}, not ${push.expect}`);
  if (push.revision === undefined || push.revision > revision) return undefined;
  if (push.revision === revision && digest === pushed) return undefined;
  const why =
    push.revision === revision ? "was pushed with other content" : "is older than what was pushed last";
  return refusedPush(409, "stale-revision", `revision ${push.revision} ${why} (${revision})`);
}

function checkCount(store: Store, { name }: Push): RefusedPush | undefined {
  const names = sourceNames(store);
  const { maxSources } = settingsOf(store);
  if (names.length < maxSources || names.includes(name)) return undefined;
  const detail = `there are ${names.length} sources, and the setting maxSources allows ${maxSources}; an admin's DELETE /sources/NAME takes one away`;
  return refusedPush(409, "too-many-sources", detail);
}

function checkContent(
  store: Store,
  push: Push,
  before: SourceState,
  source: ParsedSource,
): RefusedPush | undefined {
  const { namespaces } = push;
  if (namespaces) {
    const foreign = foreignRefs(namespaces, source);
    const detail = `this token may push to ${namespaces.join(", ")} alone; nothing was changed`;
    if (foreign.length > 0) return refusedPush(403, "namespace-not-allowed", detail, foreign.map(notAllowed));
    if (before.refs.some((ref) => !namespaces.includes(namespaceOf(ref))))
      return refusedPush(
        403,
        "namespace-not-allowed",
        `the source holds objects of other namespaces; ${detail}`,
      );
  }
  const clashes = clashesOf(store, push, source);
  if (clashes.length > 0)
    return refusedPush(
      409,
      "in-another-source",
      "objects are in another source; nothing was changed",
      clashes,
    );
  return push.acceptShrink ? undefined : checkShrink(store, before, source);
}

function checkShrink(store: Store, before: SourceState, source: ParsedSource): RefusedPush | undefined {
  const hostsBefore = new Set(before.refs.flatMap((ref) => store.claimsOf(ref).filter(isHost)));
  if (hostsBefore.size < fewHosts) return undefined;
  if (source.hasUnnamed) return undefined;
  const held = source.invalid.flatMap((ref) => store.claimsOf(ref));
  const hostsNow = new Set([...source.objects.flatMap((object) => claimsOf(object)), ...held]);
  const gone = [...hostsBefore].filter((host) => !hostsNow.has(host)).length;
  if (gone / hostsBefore.size <= maxShrink) return undefined;
  const detail = `${gone} of ${hostsBefore.size} hosts would go; push with accept-shrink if this is meant`;
  return refusedPush(409, "shrink", detail);
}

const isHost = (claim: string): boolean => claim.startsWith("vhost:");

/** Objects that are in the source after a push: an invalid one stays if it was there before, and all beside an unnamed one. */
function refsAfter(source: ParsedSource, before: SourceState): Set<Ref> {
  const held = new Set(before.refs);
  if (source.hasUnnamed) return new Set([...held, ...source.objects.map(({ ref }) => ref)]);
  return new Set([...source.objects.map(({ ref }) => ref), ...source.invalid.filter((ref) => held.has(ref))]);
}

/** What is pushed outside the namespaces of its token. */
function foreignRefs(namespaces: readonly string[], { objects, invalid }: ParsedSource): readonly Ref[] {
  const pushed = new Set([...objects.map(({ ref }) => ref), ...invalid]);
  return [...pushed].filter((ref) => !namespaces.includes(namespaceOf(ref)));
}

const notAllowed = (ref: Ref): Finding => ({
  about: ref,
  severity: "error",
  type: "SourceError",
  reason: "NamespaceNotAllowed",
  message: "is outside the namespaces of the token",
});

function clashesOf(store: Store, { name, namespaces }: Push, source: ParsedSource): Finding[] {
  const others = sourceNames(store).filter((other) => other !== name);
  return others.flatMap((other) => {
    const held = new Set(readSource(store, other).refs);
    return source.objects
      .filter(({ ref }) => held.has(ref))
      .map(({ ref }) => ({
        about: ref,
        severity: "error" as const,
        type: "SourceError",
        reason: "Conflict",
        message: `is already in ${namespaces ? "another source" : `the source ${JSON.stringify(other)}`}`,
      }));
  });
}
