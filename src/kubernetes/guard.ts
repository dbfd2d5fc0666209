import type { Change } from "../update.js";

/** A list that takes away more than this share of a kind's objects is not believed at once. */
const maxShrink = 0.3;
/** Below this many objects a large share is still a normal edit. */
const fewObjects = 10;
/** A second list that says the same is believed only after this long. */
const confirmMs = 60_000;

/** Why a list is not applied yet. */
export interface Held {
  readonly reason: "Shrink" | "Empty" | "VersionWentBack";
  readonly message: string;
  readonly since: number;
}

interface Listed {
  readonly before: number;
  readonly gone: number;
  /** resourceVersions of the list before and of this one. */
  readonly from: string;
  readonly to: string;
}

/**
 * Decides whether a full list may replace what is known. Lists that shrink a kind too much, that are empty where there
 * were objects, or that come from a server which went back in time (restored from a backup) are held.
 */
export class ListGuard {
  #held: (Held & { readonly gone: number }) | undefined;

  constructor(private readonly acceptShrink: boolean) {}

  get held(): Held | undefined {
    return this.#held;
  }

  /** Undefined when the list may be applied. */
  check(listed: Listed, now: number): Held | undefined {
    const wrong = this.acceptShrink ? undefined : suspicion(listed);
    if (!wrong) {
      this.#held = undefined;
      return undefined;
    }
    const first =
      this.#held?.reason === wrong.reason && this.#held.gone === listed.gone ? this.#held : undefined;
    if (first && wrong.reason === "VersionWentBack" && now - first.since >= confirmMs) {
      this.#held = undefined;
      return undefined;
    }
    this.#held = { ...wrong, since: first?.since ?? now, gone: listed.gone };
    return this.#held;
  }
}

/** Whether one resourceVersion is before another, as far as they can be compared. */
export const isOlderVersion = (a: string, b: string): boolean =>
  /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);

function suspicion({ before, gone, from, to }: Listed): Pick<Held, "reason" | "message"> | undefined {
  const accept = "run with --accept-shrink if this is meant";
  if (before > 0 && gone === before && before >= fewObjects)
    return { reason: "Empty", message: `the list is empty, ${before} objects were there; ${accept}` };
  if (before >= fewObjects && gone / before > maxShrink)
    return { reason: "Shrink", message: `${gone} of ${before} objects are missing from the list; ${accept}` };
  if (isOlderVersion(to, from))
    return {
      reason: "VersionWentBack",
      message: `resourceVersion went back from ${from} to ${to}, as after a restored backup; waiting for a second list`,
    };
  return undefined;
}

/** The names that a list no longer has, as changes. */
export const goneFrom = (known: Iterable<string>, listed: ReadonlySet<string>): Change[] => {
  const gone: Change[] = [];
  for (const ref of known) if (!listed.has(ref)) gone.push({ gone: ref as never });
  return gone;
};
