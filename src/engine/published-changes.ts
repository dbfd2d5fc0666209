import { type ServedChange, servedChange } from "../explain/served-change.js";
import { servedHosts } from "../explain/served-hosts.js";
import { type Snapshot, xdsTypes } from "../link/snapshot.js";
import type { Log } from "../log/log.js";
import type { Ref } from "../schema/meta.js";
import type { Store } from "../store/store.js";

/** The cause of a publication: a change of a source. */
export interface Cause {
  /** The name of a pushed source or of a cluster, or `files`. */
  readonly source: string;
  /** The revision of the push, if the source is pushed. */
  readonly revision?: number;
  /**
   * Who made the change: the name of the token of a push; in a cluster the user that an audit or admission hook
   * reported, or the field manager of the object.
   */
  readonly by?: string;
  /** The commit of the pushed files, if the client sent it. */
  readonly commit?: string;
  /** The first objects that changed, if the source reports them. */
  readonly objects?: readonly Ref[];
}

/** One entry of the history of publications. */
export interface PublishedChange extends ServedChange {
  /** The number of the entry, from 1. */
  readonly number: number;
  /** The times of the first (`at`) and the last (`until`) publication of the entry, in ms since the epoch. */
  readonly at: number;
  readonly until: number;
  /** The number of publications in the entry. */
  readonly count: number;
  /** The sequence of the last publication: the first part of its versions. */
  readonly sequence: number;
  readonly causes: readonly Cause[];
  /**
   * `first`: the first publication of a store. `restart`: the first publication after a restart, if its content differs
   * from the content before. In both cases no previous snapshot is in memory to compare with.
   */
  readonly start?: "first" | "restart";
}

/** The number of entries that are kept. A further entry replaces the oldest one. */
export const maxChanges = 200;
const maxCauses = 10;
const maxObjects = 5;
const maxPeople = 3;
const maxSections = 40;
/**
 * Publications within this time after the first one of an entry belong to the entry, if they have the same sources and
 * no revisions: a controller writes many objects.
 */
const togetherMs = 5000;
/** The same time for publications that change only endpoints, as each restart of a Pod does. */
const endpointsTogetherMs = 600_000;

const slotOf = (number: number): string => `published:${number % maxChanges}`;

/** A publication as it was noted. */
interface Added {
  /** The data to store with it. */
  readonly noted: Noted;
  readonly causes: readonly Cause[];
  /** The publication alone; undefined after a restart with the same content. */
  readonly change: ServedChange | undefined;
}

/** The number of the newest entry, and the hashes of the content that it describes. */
interface Noted {
  readonly changes: number;
  readonly content: string;
}

/**
 * The history of publications: a bounded number of entries in the store. An entry is one publication, or several that
 * belong together. A change is described when it is published, because snapshots are not kept.
 */
export class PublishedChanges {
  #causes: Cause[] = [];
  readonly #salt = crypto.randomUUID();

  constructor(
    private readonly store: Pick<Store, "cursor" | "setCursor">,
    private readonly log: Log,
  ) {}

  /** Records a cause of the next publication. */
  because(cause: Cause): void {
    const objects = cause.objects?.slice(0, maxObjects);
    const noted = { ...cause, ...(objects ? { objects } : {}) };
    const last = this.#causes.at(-1);
    if (last && last.source === noted.source && last.revision === noted.revision) {
      this.#causes[this.#causes.length - 1] = joinedCause(last, noted);
    } else if (this.#causes.length < maxCauses) this.#causes.push(noted);
  }

  /** Discards the recorded causes: their changes are linked, and the served configuration stays the same. */
  unchanged(): void {
    this.#causes = [];
  }

  /**
   * Adds a publication. A failed description is only logged, so that it can't stop the publication.
   */
  add(
    before: Snapshot | undefined,
    after: Snapshot,
    { sequence, at }: { sequence: number; at: number },
  ): Added {
    const causes = this.#causes;
    this.#causes = [];
    const noted = this.#noted();
    const content = xdsTypes.map((type) => after.sets[type].hash).join(" ");
    if (!before && noted.content === content)
      return { noted: { ...noted, content }, causes, change: undefined };
    const change = before ? this.#describe(before, after) : startOf(after);
    const entry: PublishedChange = {
      number: noted.changes + 1,
      at,
      until: at,
      count: 1,
      sequence,
      causes,
      ...(before ? {} : { start: noted.changes === 0 ? "first" : "restart" }),
      ...change,
    };
    const last = this.#entry(noted.changes);
    const kept = last && belongTogether(last, entry) ? joined(last, entry) : entry;
    this.store.setCursor(slotOf(kept.number), JSON.stringify(kept));
    return { noted: { changes: kept.number, content }, causes, change };
  }

  #describe(before: Snapshot, after: Snapshot): ServedChange {
    try {
      return servedChange(before, after, this.#salt);
    } catch (error) {
      this.log(`a change is published and can't be described: ${String(error)}`, "change-not-described");
      return {
        ...nothingKnown,
        types: xdsTypes.filter((type) => !before.sets[type].isSame(after.sets[type])),
      };
    }
  }

  #noted(): Noted {
    const { changes = 0, content = "" } = JSON.parse(this.store.cursor("linked") ?? "{}") as Partial<Noted>;
    return { changes, content };
  }

  #entry(number: number): PublishedChange | undefined {
    const text = number > 0 ? this.store.cursor(slotOf(number)) : undefined;
    const entry = text ? (JSON.parse(text) as PublishedChange) : undefined;
    return entry?.number === number ? entry : undefined;
  }

  /** The number of entries so far, including replaced ones. */
  get count(): number {
    return this.#noted().changes;
  }

  /** At most `limit` entries with numbers below `below`, newest first. */
  list(limit: number, below = Number.POSITIVE_INFINITY): readonly PublishedChange[] {
    const found: PublishedChange[] = [];
    const newest = this.count;
    for (let number = Math.min(newest, below - 1); number > 0 && number > newest - maxChanges; number--) {
      if (found.length === limit) break;
      const entry = this.#entry(number);
      if (entry) found.push(entry);
    }
    return found;
  }
}

const nothingKnown = {
  types: [],
  hosts: [],
  hostCount: 0,
  sections: [],
  more: 0,
  onlyEndpoints: false,
} as const;

const startOf = (after: Snapshot): ServedChange => ({
  ...nothingKnown,
  types: xdsTypes.filter((type) => after.sets[type].size > 0),
  hostCount: servedHosts(after).length,
});

const sourcesOf = ({ causes }: PublishedChange): string => causes.map(({ source }) => source).join("\n");

function belongTogether(last: PublishedChange, next: PublishedChange): boolean {
  if (last.start || next.start || sourcesOf(last) !== sourcesOf(next)) return false;
  if ([...last.causes, ...next.causes].some(({ revision }) => revision !== undefined)) return false;
  const quiet = last.onlyEndpoints && next.onlyEndpoints;
  return next.at - last.at < (quiet ? endpointsTogetherMs : togetherMs);
}

/** One cause with the objects and the people of both. */
function joinedCause(cause: Cause, next: Cause | undefined): Cause {
  const objects = [...new Set([...(cause.objects ?? []), ...(next?.objects ?? [])])].slice(0, maxObjects);
  const people = [...new Set([cause.by, next?.by].flatMap((by) => by?.split(", ") ?? []))];
  const named = people.length > maxPeople ? [...people.slice(0, maxPeople), "others"] : people;
  return {
    ...cause,
    ...(objects.length > 0 ? { objects } : {}),
    ...(named.length > 0 ? { by: named.join(", ") } : {}),
  };
}

function joined(last: PublishedChange, next: PublishedChange): PublishedChange {
  const hosts = [...new Set([...last.hosts, ...next.hosts])];
  const sections = [...last.sections, ...next.sections];
  const dropped = sections.slice(maxSections).reduce((sum, { lines }) => sum + lines.length, 0);
  return {
    ...last,
    until: next.at,
    count: last.count + next.count,
    sequence: next.sequence,
    causes: last.causes.map((cause, i) => joinedCause(cause, next.causes[i])),
    types: xdsTypes.filter((type) => last.types.includes(type) || next.types.includes(type)),
    hosts: hosts.slice(0, 50),
    hostCount: Math.max(hosts.length, last.hostCount, next.hostCount),
    sections: sections.slice(0, maxSections),
    more: last.more + next.more + dropped,
    onlyEndpoints: last.onlyEndpoints && next.onlyEndpoints,
  };
}
