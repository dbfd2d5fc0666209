import { compilerVersion } from "../../compile.js";
import type { Engine } from "../../engine/engine.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { Revision, RevisionContent, Store } from "../../store/store.js";
import type { Change } from "../../update.js";
import { contentHash } from "../../xds/hash.js";
import { applyJob, jobOf } from "./apply.js";
import { forgetEdits } from "./keep-last-good.js";
import { applyingNames, readHead, readSource, setApplying, sourceNames, writeHead } from "./state.js";
import { parseSource } from "./text.js";

interface Options {
  readonly engine: Engine;
  /** The changes that delete objects. */
  without(refs: readonly Ref[]): readonly Change[];
}

/** After this many processes that ended while they applied one content, the previous content is applied instead. */
const maxAttempts = 2;

const attemptsCursor = (name: string): string => `attempts:${name}`;

/** Whether another version of the compiler read the content of a source; it may have kept fewer fields. */
export const isOutdated = (store: Store, name: string): boolean =>
  readHead(store, name).compiler !== compilerVersion && store.revisions(name).length > 0;

/** Marks sources for application whose store has only contents, as after a rebuild of a damaged store. */
export function findLost(store: Store): void {
  const known = new Set(sourceNames(store));
  const lost = store.revisionSources().filter((name) => !known.has(name));
  if (lost.length === 0) return;
  store.transaction(() => {
    for (const name of lost) {
      const revision = store.revisions(name)[0]?.revision ?? 0;
      writeHead(store, name, { revision, digest: "", compiler: 0, objects: 0 });
      setApplying(store, name, true);
    }
  });
}

/**
 * Applies the kept content of a source again. If that ended the process twice, or the content can't be read, the
 * previous content is applied, and a finding reports it; objects that are complete in the store stay. Returns whether
 * a content was applied.
 */
export async function reapply(name: string, options: Options): Promise<boolean> {
  const { engine } = options;
  const { store } = engine;
  const log = (line: string): void => engine.log(line, "apply-failed", { source: name });
  const attempts = Number(store.cursor(attemptsCursor(name)) ?? 0);
  const isWhole = !applyingNames(store).includes(name);
  const revisions = store.revisions(name);
  const first = Math.floor(attempts / maxAttempts);
  for (const [place, revision] of revisions.entries()) {
    if (place < first) continue;
    if (isWhole && place > 0) break;
    store.setCursor(attemptsCursor(name), String(Math.max(attempts, place * maxAttempts) + 1));
    const problem = await apply(revision, revisions, options);
    if (problem === undefined) {
      store.setCursor(attemptsCursor(name), "");
      return true;
    }
    log(`revision ${revision.revision} of the source ${name} can't be applied again: ${problem}`);
  }
  store.setCursor(attemptsCursor(name), "");
  if (isWhole) {
    // The existing objects are already compiled again; a field that only this version reads comes with the next push.
    const { revision, digest, objects } = readHead(store, name);
    writeHead(store, name, { revision, digest, compiler: compilerVersion, objects });
    log(`the objects of the source ${name} stay as an earlier version of Isoline read them; push it again`);
  } else
    log(
      `no kept content of the source ${name} can be applied: the served state stays until it is pushed again`,
    );
  return false;
}

/** Returns why a content can't be applied; undefined after a success. */
async function apply(
  revision: Revision,
  [newest = revision]: readonly Revision[],
  { engine, without }: Options,
): Promise<string | undefined> {
  const { store } = engine;
  const content = contentOf(store, revision);
  if (!content) return "its text is damaged";
  const source = await parseSource(content.text);
  if ("code" in source) return source.detail;
  const isNewest = newest.revision === revision.revision;
  if (!isNewest) {
    engine.log(setAsideFinding(newest, revision).message, "apply-failed", {
      source: revision.source,
      revision: revision.revision,
    });
    forgetEdits(store, revision.source);
  }
  const findings = isNewest ? source.findings : [...source.findings, setAsideFinding(newest, revision)];
  const { source: name, digest, at, by } = revision;
  // The newest revision stays the one that the next push must follow.
  const { content: now, ...job } = jobOf(
    store,
    { source: name, revision: newest.revision, digest, at, by },
    { text: content.text, source: { ...source, findings } },
    { before: readSource(store, name), held: content.held, without },
  );
  // This version may read the text differently and hold other objects.
  const isKept = !isNewest || now.held.length === content.held.length;
  await applyJob(engine, isKept ? job : { ...job, content: now }, () => undefined);
  return undefined;
}

function contentOf(store: Store, { source, revision, digest }: Revision): RevisionContent | undefined {
  try {
    const content = store.revisionContent(source, revision);
    return content && contentHash(content.text) === digest ? content : undefined;
  } catch {
    return undefined;
  }
}

const setAsideFinding = (newest: Revision, served: Revision): Finding & { readonly message: string } => ({
  about: "Source//",
  severity: "error",
  type: "SourceError",
  reason: "SetAside",
  message: `revision ${newest.revision} of the source ${newest.source} could not be applied, or ended the server; revision ${served.revision} is served until it is pushed again`,
});
