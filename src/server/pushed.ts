import { readConfig } from "../explain/config.js";
import { diff } from "../explain/diff.js";
import { formatChanges } from "../explain/diff-text.js";
import { claimsOf } from "../graph/claims.js";
import { isSameServed, type Snapshot } from "../link/snapshot.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Store } from "../store/store.js";
import { tryChanges } from "../trial.js";
import { type Change, type Platform, resume, unitsLeft, update } from "../update.js";
import { contentHash } from "../xds/hash.js";
import type { Inspected } from "./inspect.js";
import type { Publisher } from "./publisher.js";
import { type ParsedSource, parseSource, type SourceRefusal } from "./source.js";
import { readSource, type SourceState, sourceNames, writeSource } from "./source-state.js";

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
  /** The only namespaces that may be touched; undefined for all. */
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
  /** Of a dry run: what would change for traffic, a line each. */
  readonly traffic?: readonly string[];
}

export interface RefusedPush {
  readonly refused: {
    readonly status: 400 | 403 | 409 | 412 | 422;
    readonly code: string;
    readonly detail: string;
    readonly findings: readonly Finding[];
  };
}

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
  ) {}

  get inspected(): Inspected {
    const { store, publisher, platform } = this;
    return { store, publisher, platform };
  }

  /** Publishes what was pushed before a restart. */
  start(): void {
    if (sourceNames(this.store).length > 0) this.publisher.publish();
  }

  describe(name: string): object | undefined {
    if (!sourceNames(this.store).includes(name)) return undefined;
    const { revision, refs, findings } = readSource(this.store, name);
    const left = unitsLeft(this.store);
    const found = { source: name, revision, objects: refs.length };
    // To gather them takes a while, and now they would not be all.
    if (left > 0) return { ...found, findings, left };
    return { ...found, findings: [...findings, ...this.publisher.findings] };
  }

  status(): object {
    const states = sourceNames(this.store).map((name) => ({ name, ...readSource(this.store, name) }));
    return {
      sources: states.map(({ name, revision, refs }) => ({ name, revision, objects: refs.length })),
      endpoints: this.publisher.snapshot?.mode,
      findings: [...states.flatMap(({ findings }) => findings), ...this.publisher.findings],
    };
  }

  /** What is tried and taken back must not be mixed with what is left of a push before. */
  #finish(): void {
    if (unitsLeft(this.store) === 0) return;
    resume(this.store, { checkKeyPair: this.platform.checkKeyPair });
    this.publisher.publish();
  }

  /** The push before, which may still be read. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Applies one push whole, or refuses it whole. An object in it that is not valid stays as it was before. Pushes are read
   * one after the other, so that they take the memory of one.
   */
  put(push: Push): Promise<Pushed | RefusedPush> {
    const done = this.#last.then(() => this.#put(push));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #put(push: Push): Promise<Pushed | RefusedPush> {
    const state = readSource(this.store, push.name);
    const digest = contentHash(push.text);
    const stale = checkRevision(push, state, digest);
    if (stale) return stale;
    const repeated = digest === state.digest && push.revision === state.revision;
    if (repeated && this.publisher.snapshot) return this.#unchanged(push.name, state);
    const source = await parseSource(push.text);
    if ("code" in source) return notContent(source);
    const refusal = checkContent(this.store, push, state, source);
    if (refusal) return refusal;
    if (push.strict || push.dryRun) this.#finish();
    const revision = push.revision ?? state.revision + 1;
    return this.store.transaction(() => this.#apply(push, source, state, { revision, digest }));
  }

  #refsOfOthers(name: string): ReadonlySet<Ref> {
    const others = sourceNames(this.store).filter((other) => other !== name);
    return new Set(others.flatMap((other) => readSource(this.store, other).refs));
  }

  #unchanged(name: string, { revision, refs, findings }: SourceState): Pushed {
    return {
      source: name,
      revision,
      objects: refs.length,
      changed: false,
      version: this.publisher.sequence,
      findings: [...findings, ...this.publisher.findings],
      ...leftOf(unitsLeft(this.store)),
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
    const gone = before.refs.filter((ref) => !kept.has(ref)).map((ref): Change => ({ gone: ref }));
    const old = push.dryRun ? this.publisher.preview() : undefined;
    const changes = [...gone, ...source.objects];
    const { updated, undo } =
      push.strict || push.dryRun
        ? tryChanges(this.store, changes, this.platform)
        : { updated: update(this.store, changes, this.platform) };
    const findings = [...source.findings, ...this.publisher.storeFindings];
    const others = this.#refsOfOthers(push.name);
    const errors =
      push.strict && findings.some(({ about, severity }) => severity === "error" && !others.has(about));
    const tried = old && this.publisher.preview();
    const traffic = old && tried && trafficOf(old, tried);
    if (errors || push.dryRun) undo?.();
    if (errors)
      return refusedPush(422, "invalid-objects", "an object is not valid, and the push is strict", findings);
    if (!push.dryRun) writeSource(this.store, push.name, { ...now, refs, findings: source.findings });
    const changed = old && tried ? !isSameServed(old, tried) : this.publisher.publish();
    return {
      source: push.name,
      revision: now.revision,
      objects: source.objects.length,
      changed: changed || updated.left > 0,
      version: this.publisher.sequence,
      findings,
      ...leftOf(updated.left),
      ...(traffic ? { traffic } : {}),
    };
  }
}

const leftOf = (left: number): Pick<Pushed, "left"> => (left > 0 ? { left } : {});

/** Beyond this many clusters a diff takes more memory than a function has. */
const maxDiffClusters = 3000;

function trafficOf(before: Snapshot, after: Snapshot): readonly string[] {
  if (Math.max(before.sets.clusters.size, after.sets.clusters.size) > maxDiffClusters)
    return [`over ${maxDiffClusters} clusters: use \`isoline diff\` on the manifests`];
  return formatChanges(diff(readConfig(before), readConfig(after)))
    .trimEnd()
    .split("\n");
}

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
function checkRevision(push: Push, { revision, digest }: SourceState, now: string): RefusedPush | undefined {
  if (push.expect !== undefined && push.expect !== revision)
    return refusedPush(412, "other-revision", `the source is at revision ${revision}, not ${push.expect}`);
  if (push.revision === undefined || push.revision > revision) return undefined;
  if (push.revision === revision && digest === now) return undefined;
  const why =
    push.revision === revision ? "was pushed with other content" : "is older than what was pushed last";
  return refusedPush(409, "stale-revision", `revision ${push.revision} ${why} (${revision})`);
}

function checkContent(
  store: Store,
  push: Push,
  before: SourceState,
  source: ParsedSource,
): RefusedPush | undefined {
  const foreign = foreignRefs(push.namespaces, before, source);
  if (foreign.length > 0) {
    const detail = `this token may push to ${push.namespaces?.join(", ")} alone; nothing was changed`;
    return refusedPush(403, "namespace-not-allowed", detail, foreign.map(notAllowed));
  }
  const clashes = clashesOf(store, push.name, source);
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

/** What a push would add, change or take away outside the namespaces of its token. */
function foreignRefs(
  namespaces: readonly string[] | undefined,
  before: SourceState,
  source: ParsedSource,
): readonly Ref[] {
  if (!namespaces) return [];
  const isForeign = (ref: Ref): boolean => !namespaces.includes(ref.split("/")[1] ?? "");
  const after = source.objects.map(({ ref }: KubeObject) => ref);
  return [...new Set([...after, ...source.invalid, ...before.refs])].filter(isForeign);
}

const notAllowed = (ref: Ref): Finding => ({
  about: ref,
  severity: "error",
  type: "SourceError",
  reason: "NamespaceNotAllowed",
  message: "is outside the namespaces of the token",
});

function clashesOf(store: Store, name: string, source: ParsedSource): Finding[] {
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
        message: `is already in the source ${JSON.stringify(other)}`,
      }));
  });
}
