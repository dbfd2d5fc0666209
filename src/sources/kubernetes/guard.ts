import { isOlderVersion } from "../../kubernetes/resource-version.js";
import type { ApiResource } from "../../kubernetes/resources.js";
import { type Finding, namespaceOf, type Ref, refOf } from "../../schema/meta.js";

/** A list that lacks more than this share of a kind's objects is not trusted at once. */
const maxShrink = 0.3;
/** Below this number of objects a large share is still a normal edit, which a second list confirms. */
const fewObjects = 10;
/** Deletions in other namespaces than those with large losses are trusted up to this share of their objects. */
const maxRest = 0.1;
/** A second list with the same result is trusted only after this time. */
const secondLookMs = 60_000;

/** Why deletions of a list, or a whole list, wait for confirmation. */
export interface HeldDeletions {
  readonly reason: "Shrink" | "Empty" | "VersionWentBack";
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Number of objects whose deletion waits. */
  readonly objects: number;
}

/** A full list of one kind, compared with the known objects. */
export interface Comparison {
  readonly known: ReadonlySet<Ref>;
  readonly listed: ReadonlySet<Ref>;
  /**
   * The owner of objects whose names change, such as the Service of EndpointSlices: an owner loses nothing while it
   * has one object. Undefined: the namespace is the owner, and each new object compensates for a deleted one.
   */
  ownerOf?(ref: Ref): string;
  /** resourceVersions of the previous list and of this one. */
  readonly from: string;
  readonly to: string;
}

/** The permitted use of a list. */
export interface ListVerdict {
  /** Set when nothing of the list may be applied. */
  readonly refused?: Omit<HeldDeletions, "objects">;
  /** Objects that the list lacks and that are deleted. */
  readonly gone: readonly Ref[];
  /** Objects that the list lacks and that stay for now. */
  readonly kept: readonly Ref[];
  readonly held?: Omit<HeldDeletions, "objects" | "message">;
}

/**
 * Decides which deletions of a full list are trusted. Objects in the list are always applied. Missing objects may be
 * missing by mistake: where a kind loses all or a large share of its objects, these deletions wait. A list of a server
 * that went back in time (restored from a backup, or a replica that lags) is refused until a second list, a minute
 * later, gives the same result.
 */
export class ListGuard {
  #waiting: { readonly reason: HeldDeletions["reason"]; readonly since: number } | undefined;

  /** @param believed what the operator has confirmed: all lists, or that the server went back in time */
  decide(
    list: Comparison,
    believed: { readonly all: boolean; readonly version: boolean },
    now: number,
  ): ListVerdict {
    const gone = [...list.known].filter((ref) => !list.listed.has(ref));
    if (believed.all) {
      this.#waiting = undefined;
      return { gone, kept: [] };
    }
    if (!believed.version && isOlderVersion(list.to, list.from)) {
      const since = this.#since("VersionWentBack", now);
      if (now - since < secondLookMs) return refusal(list, since);
    }
    const kept = new Set(keptOf(list, gone));
    if (kept.size === 0) {
      this.#waiting = undefined;
      return { gone, kept: [] };
    }
    const reason = list.listed.size === 0 ? "Empty" : "Shrink";
    const since = this.#since(reason, now);
    if (list.known.size < fewObjects && now - since >= secondLookMs) {
      this.#waiting = undefined;
      return { gone, kept: [] };
    }
    return { gone: gone.filter((ref) => !kept.has(ref)), kept: [...kept], held: { reason, since } };
  }

  #since(reason: HeldDeletions["reason"], now: number): number {
    if (this.#waiting?.reason !== reason) this.#waiting = { reason, since: now };
    return this.#waiting.since;
  }
}

function refusal({ from, to }: Comparison, since: number): ListVerdict {
  const message = `resourceVersion went back from ${from} to ${to}, as after a restored backup; a second list must confirm it`;
  return { gone: [], kept: [], refused: { reason: "VersionWentBack", message, since } };
}

/** The objects that a namespace had and loses. */
interface Loss {
  before: number;
  net: number;
  gone: Ref[];
}

/** The missing objects of a list whose absence may be a mistake. */
function keptOf(list: Comparison, gone: readonly Ref[]): Ref[] {
  const before = list.known.size;
  if (before === 0 || gone.length === 0) return [];
  const losses = lossesOf(list);
  const net = sum(losses, (loss) => loss.net);
  if (list.listed.size > 0 && net / before <= maxShrink) return [];
  const heavy = losses.filter((loss) => loss.net >= fewObjects && loss.net / loss.before > maxShrink);
  const rest = losses.filter((loss) => !heavy.includes(loss));
  const restLost =
    sum(rest, (loss) => loss.net) /
    Math.max(
      sum(rest, (loss) => loss.before),
      1,
    );
  const held = heavy.length > 0 && restLost <= maxRest ? heavy : losses;
  return held.flatMap((loss) => loss.gone);
}

const sum = (losses: readonly Loss[], of: (loss: Loss) => number): number =>
  losses.reduce((all, loss) => all + of(loss), 0);

/**
 * Losses by namespace: new objects of one tenant do not compensate for losses of another, and renames of one tenant do
 * not hold because of another's losses.
 */
function lossesOf({ known, listed, ownerOf }: Comparison): Loss[] {
  const owners = new Map<string, { namespace: string; gone: Ref[]; left: number; came: number }>();
  const at = (ref: Ref): { gone: Ref[]; left: number; came: number } => {
    const namespace = namespaceOf(ref);
    const key = ownerOf ? `${namespace}/${ownerOf(ref)}` : namespace;
    const owner = owners.get(key) ?? { namespace, gone: [], left: 0, came: 0 };
    owners.set(key, owner);
    return owner;
  };
  for (const ref of known) {
    if (listed.has(ref)) at(ref).left++;
    else at(ref).gone.push(ref);
  }
  for (const ref of listed) if (!known.has(ref)) at(ref).came++;
  const losses = new Map<string, Loss>();
  for (const { namespace, gone, left, came } of owners.values()) {
    const loss = losses.get(namespace) ?? { before: 0, net: 0, gone: [] };
    losses.set(namespace, loss);
    loss.before += left + gone.length;
    const replaced = ownerOf ? (left + came > 0 ? gone.length : 0) : came;
    const net = Math.max(0, gone.length - replaced);
    loss.net += net;
    if (net > 0) loss.gone.push(...gone);
  }
  return [...losses.values()];
}

/** The held deletions of a kind, as a finding. */
export const holdFinding = ({ kind }: ApiResource, { reason, message }: HeldDeletions): Finding => ({
  about: refOf(kind, "", ""),
  severity: "warning",
  type: "ClusterError",
  reason: `Held${reason}`,
  message,
});
