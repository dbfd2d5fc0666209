import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { PublishedChange } from "../engine/published-changes.js";
import { ask, overview } from "./api.js";
import { Change } from "./change.js";
import { useResource } from "./resource.js";
import { Empty, Failure } from "./words.js";

interface SourceList {
  readonly sources: readonly {
    readonly name: string;
    readonly revision: number;
    readonly revisions: readonly { readonly revision: number; readonly at: number; readonly by: string }[];
  }[];
}

/** A rollback: the content of revision `to` is published as a new revision after `from`. */
interface Rollback {
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

const queryOf = ({ source, from, to }: Rollback): string =>
  `sources/${encodeURIComponent(source)}?rollback=${to}&expect=${from}`;

/** A button with a dialog that shows what a rollback changes for traffic, and runs it after confirmation. */
function RollbackButton({ rollback }: { readonly rollback: Rollback }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const traffic = useSignal<readonly string[] | undefined>(undefined);
  const failure = useSignal("");
  const busy = useSignal(false);
  const { source, from, to } = rollback;
  const run = async (work: () => Promise<void>): Promise<void> => {
    busy.value = true;
    failure.value = "";
    try {
      await work();
    } catch (error) {
      failure.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = false;
  };
  const open = (): void => {
    traffic.value = undefined;
    dialog.current?.showModal();
    void run(async () => {
      const answer = await ask<{ readonly traffic?: readonly string[] }>(
        `${queryOf(rollback)}&dry-run`,
        "PUT",
      );
      traffic.value = answer.traffic ?? [];
    });
  };
  const confirm = (): void =>
    void run(async () => {
      await ask(queryOf(rollback), "PUT");
      dialog.current?.close();
    });
  return (
    <>
      <button type="button" class="quiet" onClick={open}>
        Roll back…
      </button>
      <dialog ref={dialog} aria-labelledby={`rollback-${source}-${from}`}>
        <h3 id={`rollback-${source}-${from}`}>
          Serve revision {to} of {source} again?
        </h3>
        <p>
          Its content becomes a new revision after {from}. Other sources stay as they are. This changes for
          traffic:
        </p>
        {traffic.value ? (
          <pre>{traffic.value.join("\n") || "nothing"}</pre>
        ) : (
          !failure.value && <p>Trying it out…</p>
        )}
        <Failure text={failure.value} />
        <div class="dialog-actions">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="button" class="danger" disabled={busy.value || !traffic.value} onClick={confirm}>
            Roll back to revision {to}
          </button>
        </div>
      </dialog>
    </>
  );
}

/** The rollback to the content before a push; undefined if the change has another cause or that content is not kept. */
function rollbackOf({ causes }: PublishedChange, list: SourceList | undefined): Rollback | undefined {
  const [cause] = causes;
  if (causes.length !== 1 || cause?.revision === undefined) return undefined;
  const { source: name, revision } = cause;
  const source = list?.sources.find((one) => one.name === name);
  const before = source?.revisions.find((one) => one.revision < revision);
  return source && before ? { source: name, from: source.revision, to: before.revision } : undefined;
}

export function Changes() {
  const { last, role } = overview.value ?? {};
  const version = JSON.stringify([last?.number, last?.at]);
  const limit = useSignal(50);
  const { data, error } = useResource<{ total: number; changes: PublishedChange[] }>(
    `changes?limit=${limit.value}`,
    version,
  );
  const hasPushes = data.value?.changes.some(({ causes }) =>
    causes.some(({ revision }) => revision !== undefined),
  );
  const sources = useResource<SourceList>(role === "admin" && hasPushes ? "sources" : undefined, version);
  const { changes = [], total = 0 } = data.value ?? {};
  return (
    <section aria-labelledby="changes-title">
      <h2 id="changes-title" class="visually-hidden">
        Changes
      </h2>
      <Failure text={error.value} />
      {data.value && changes.length === 0 && <Empty title="Nothing has been published yet" />}
      <ol class="timeline">
        {changes.map((change, i) => {
          const rollback = rollbackOf(change, sources.data.value);
          return (
            <Change key={change.number} change={change} open={i === 0}>
              {rollback && <RollbackButton rollback={rollback} />}
            </Change>
          );
        })}
      </ol>
      {total > limit.value && (
        <button
          type="button"
          onClick={() => {
            limit.value += 50;
          }}
        >
          Show more changes
        </button>
      )}
    </section>
  );
}
