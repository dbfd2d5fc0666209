import type { Raw } from "../../kubernetes/api.js";
import { isRecord } from "../../schema/issues.js";
import type { Ref } from "../../schema/meta.js";
import { printable } from "../../schema/printable.js";

/** A watch reports a write within seconds; a poll within its interval. */
const keepMs = 180_000;
const maxKnown = 1000;
const longest = 128;

const shown = (text: string): string => printable(text.slice(0, longest));

/**
 * The manager of the last write of an object's fields (`metadata.managedFields`), such as `kubectl-edit`; undefined
 * if the object does not say. Writes of the status do not count.
 */
export function managerOf({ metadata }: Raw): string | undefined {
  const entries = isRecord(metadata) && Array.isArray(metadata.managedFields) ? metadata.managedFields : [];
  let last: { readonly manager: string; readonly time: string } | undefined;
  for (const entry of entries as readonly unknown[]) {
    if (!isRecord(entry) || typeof entry.manager !== "string" || entry.subresource) continue;
    const time = typeof entry.time === "string" ? entry.time : "";
    if (entry.manager !== "" && (!last || time >= last.time)) last = { manager: entry.manager, time };
  }
  return last && shown(last.manager);
}

/** Users that hooks have reported as the last writers of objects: a watch has no user. */
export class Writers {
  readonly #users = new Map<Ref, { readonly user: string; readonly at: number }>();

  constructor(private readonly now: () => number) {}

  /** Notes the user of a write. */
  note(ref: Ref, user: string): void {
    this.#users.delete(ref);
    this.#users.set(ref, { user: shown(user), at: this.now() });
    for (const old of this.#users.keys()) {
      if (this.#users.size <= maxKnown) break;
      this.#users.delete(old);
    }
  }

  /** Who wrote an object that a watch reports: `alice (kubectl-edit)`. The manager of a deleted object did not delete it. */
  of(ref: Ref, object: Raw, isDeleted: boolean): string | undefined {
    const known = this.#users.get(ref);
    const user = known && this.now() - known.at <= keepMs ? known.user : undefined;
    const manager = isDeleted ? undefined : managerOf(object);
    return user !== undefined && manager !== undefined ? `${user} (${manager})` : (user ?? manager);
  }
}
