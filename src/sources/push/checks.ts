import { claimsOf } from "../../graph/core/claims.js";
import { type ClaimKey, isHostUnit } from "../../graph/core/keys.js";
import { type Finding, namespaceOf, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import { settingsRef } from "../../schema/settings.js";
import { settingsOf } from "../../schema/stored-settings.js";
import type { HeldObject, Store } from "../../store/store.js";
import { type SourceState, sourceNames, sourceRefs } from "./state.js";
import type { ParsedSource, SourceRefusal } from "./text.js";

/** One push: the whole content of one source. */
export interface Push {
  readonly name: string;
  readonly text: string;
  /** Must be higher than the revision before; absent: the revision before plus one. */
  readonly revision?: number;
  /** The revision that the source must have now; 0 for none. */
  readonly expect?: number;
  /** Refuse the whole push for one object with an error. */
  readonly strict: boolean;
  /** Return the result, and change nothing. */
  readonly dryRun: boolean;
  /** Apply a push that removes a large share of the hosts. */
  readonly acceptShrink: boolean;
  /**
   * Apply a push without settings to a source that has settings: the server's own settings, or the defaults, apply
   * again.
   */
  readonly defaultSettings?: boolean;
  /** Hide the values that headers are compared with or set to. */
  readonly hidesValues?: boolean;
  /** The only namespaces that the push may change and that the answer may name; undefined for all. */
  readonly namespaces?: readonly string[];
  /** The name of the token. */
  readonly by?: string;
  /** The commit of the files, in hexadecimal digits. */
  readonly commit?: string;
}

export interface RefusedPush {
  readonly refused: {
    readonly status: 400 | 403 | 404 | 409 | 412 | 422;
    readonly code: string;
    readonly detail: string;
    readonly findings: readonly Finding[];
  };
}

/** Revisions are numbers of CI runs, or times in s or ms: no honest push could follow one further ahead than this. */
const maxAheadMs = 86_400_000;
/** A push that removes more than this share of a source's hosts is refused. */
const maxShrink = 0.3;
/** Below this many hosts a large share is still a normal edit. */
const fewHosts = 10;

export const notContent = ({ code, detail }: SourceRefusal): RefusedPush =>
  refusedPush(400, code, `${detail}; nothing was changed`, [
    { about: "Source//", severity: "error", type: "SourceError", reason: "NotReadable", message: detail },
  ]);

export const refusedPush = (
  status: RefusedPush["refused"]["status"],
  code: string,
  detail: string,
  findings: readonly Finding[] = [],
): RefusedPush => ({ refused: { status, code, detail, findings } });

export const tooMuchHeld = (): RefusedPush =>
  refusedPush(
    422,
    "too-much-held",
    "invalid objects stay as they were before, up to 32 MB per source, and this push exceeds that; fix or remove some of them",
  );

/** The same revision with the same content is a repeated push; with other content, two publishers raced. */
export function checkRevision(
  push: Push,
  { revision, digest }: SourceState,
  pushed: string,
  nowMs: number,
): RefusedPush | undefined {
  const highest = nowMs + maxAheadMs;
  if (push.revision !== undefined && push.revision > highest) {
    const detail = `revision ${push.revision} is too high (maximum: ${highest}, one day from now in milliseconds); give the number of the CI run or a time`;
    return refusedPush(422, "revision-too-high", detail);
  }
  if (push.expect !== undefined && push.expect !== revision)
    return refusedPush(412, "other-revision", `the source is at revision ${revision}, not ${push.expect}`);
  if (push.revision === undefined || push.revision > revision) return undefined;
  if (push.revision === revision && digest === pushed) return undefined;
  const why = push.revision === revision ? "was pushed with other content" : "is older than the last push";
  return refusedPush(409, "stale-revision", `revision ${push.revision} ${why} (${revision})`);
}

export function checkCount(store: Store, { name }: Push): RefusedPush | undefined {
  const names = sourceNames(store);
  const { maxSources } = settingsOf(store);
  if (names.length < maxSources || names.includes(name)) return undefined;
  const detail = `there are ${names.length} sources, and the setting maxSources allows ${maxSources}; an admin removes one with DELETE /sources/NAME`;
  return refusedPush(409, "too-many-sources", detail);
}

/** Checks a parsed text, with the objects that it was kept with if it was pushed before. */
export function checkContent(
  store: Store,
  push: Push,
  before: SourceState,
  source: ParsedSource,
  held: readonly HeldObject[],
): RefusedPush | undefined {
  const { namespaces } = push;
  if (namespaces) {
    const foreign = foreignRefs(namespaces, source, held);
    const detail = `this token may push only to ${namespaces.join(", ")}; nothing was changed`;
    if (foreign.length > 0) return refusedPush(403, "namespace-not-allowed", detail, foreign.map(notAllowed));
    if (before.refs.some((ref) => !namespaces.includes(namespaceOf(ref))))
      return refusedPush(
        403,
        "namespace-not-allowed",
        `the source holds objects of other namespaces; ${detail}`,
      );
  }
  const clashes = clashesOf(store, push, [...source.objects, ...held]);
  if (clashes.length > 0)
    return refusedPush(
      409,
      "in-another-source",
      "objects are in another source; nothing was changed",
      clashes,
    );
  const forgotten = push.defaultSettings ? undefined : checkSettings(before, source);
  return forgotten ?? (push.acceptShrink ? undefined : checkShrink(store, before, source));
}

/** Settings that a push lacks are more likely forgotten than removed on purpose. */
function checkSettings(
  { refs }: SourceState,
  { objects, invalid, hasUnnamed }: ParsedSource,
): RefusedPush | undefined {
  const isThere =
    hasUnnamed || invalid.includes(settingsRef) || objects.some(({ ref }) => ref === settingsRef);
  if (!refs.includes(settingsRef) || isThere) return undefined;
  const detail =
    "the source has settings and this push has none; add them, or push with default-settings to return to the settings of the server's start, or the defaults";
  return refusedPush(409, "settings-missing", detail);
}

function checkShrink(store: Store, before: SourceState, source: ParsedSource): RefusedPush | undefined {
  const hostsBefore = new Set([...store.claimsOfAny(before.refs)].filter(isHostUnit));
  if (hostsBefore.size < fewHosts) return undefined;
  if (source.hasUnnamed) return undefined;
  const hostsNow = new Set<ClaimKey>(store.claimsOfAny(source.invalid));
  for (const object of source.objects) for (const claim of claimsOf(object)) hostsNow.add(claim);
  const gone = [...hostsBefore].filter((host) => !hostsNow.has(host)).length;
  if (gone / hostsBefore.size <= maxShrink) return undefined;
  const detail = `${gone} of ${hostsBefore.size} hosts would be removed; push with accept-shrink if this is intended`;
  return refusedPush(409, "shrink", detail);
}

/** Pushed objects outside the namespaces of the token. */
function foreignRefs(
  namespaces: readonly string[],
  { objects, invalid }: ParsedSource,
  held: readonly HeldObject[],
): readonly Ref[] {
  const pushed = new Set([...[...objects, ...held].map(({ ref }) => ref), ...invalid]);
  return [...pushed].filter((ref) => !namespaces.includes(namespaceOf(ref)));
}

const notAllowed = (ref: Ref): Finding => ({
  about: ref,
  severity: "error",
  type: "SourceError",
  reason: "NamespaceNotAllowed",
  message: "is outside the namespaces of the token",
});

function clashesOf(store: Store, { name, namespaces }: Push, objects: readonly KubeObject[]): Finding[] {
  const refs = new Set(objects.map(({ ref }) => ref));
  const others = sourceNames(store).filter((other) => other !== name);
  return others.flatMap((other) => {
    const held = new Set(sourceRefs(store, other));
    return [...refs]
      .filter((ref) => held.has(ref))
      .map((ref) => ({
        about: ref,
        severity: "error" as const,
        type: "SourceError",
        reason: "Conflict",
        message: `is already in ${namespaces ? "another source" : `the source ${JSON.stringify(other)}`}`,
      }));
  });
}
