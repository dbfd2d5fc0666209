import type { Engine } from "../../engine/engine.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import { messageOf } from "../../schema/words.js";
import type { Source } from "../source.js";
import { attempt, failedAttempts, waitAfter } from "./attempts.js";
import { formatLocated, type Located, locateAll, type Manifests, readManifests } from "./objects.js";
import { readSettings } from "./settings-file.js";
import { watchPaths } from "./watch.js";

interface FileOptions {
  /** Files and folders of manifests. */
  readonly paths: readonly string[];
  readonly settingsFile?: string;
  /** Keys that take precedence over the settings file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  log(line: string): void;
}

interface ReadObject {
  readonly object: KubeObject;
  readonly file: string;
}

const maxLines = 50;

/**
 * Manifests on disk, read again when they change. An object that can no longer be read or parsed keeps its last good
 * state.
 */
export class FileSource implements Source {
  /** The files are read completely before the first publication. */
  readonly ready = true;
  readonly synced = true;
  /** The served objects, each with the file that had it last. An object stays while that file can't be read. */
  #objects = new Map<Ref, ReadObject>();
  #documents: Manifests["documents"] = new Map();
  #located: readonly Located[] = [];
  #reported = "";
  #watcher: { close(): Promise<void> } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly options: FileOptions,
  ) {
    engine.attach(this);
  }

  /**
   * Reads the files. If a process ended while it applied them to this store, the earlier content of the store is
   * served first, and the files are read after a delay, or when they change.
   */
  async start(): Promise<void> {
    const { paths, settingsFile, log } = this.options;
    this.#watcher = await watchPaths(settingsFile ? [...paths, settingsFile] : paths, () => this.#refresh());
    const { store } = this.engine;
    const attempts = failedAttempts(store);
    if (attempts === 0 || !this.engine.isCompiled) {
      this.#refresh();
      return;
    }
    this.engine.offer();
    const wait = waitAfter(attempts);
    log(
      `the server ended ${attempts} times while it applied these files; it serves the state before them and applies them again in ${wait / 1000} s, or when they change`,
    );
    this.#timer = setTimeout(() => this.#refresh(), wait);
  }

  #refresh(): void {
    try {
      attempt(this.engine.store, () => this.#read());
    } catch (error) {
      if (!this.engine.snapshot) throw error;
      this.options.log(`keeping the last good configuration: ${messageOf(error)}`);
    }
  }

  #read(): void {
    const { paths, settingsFile, overrides } = this.options;
    const { settings, findings, locate } = readSettings(settingsFile, overrides);
    const manifests = readManifests(paths, settings.spec.watchNamespaces);
    const objects = this.#keepLastGood(manifests);
    this.engine.replace([settings, ...[...objects.values()].map(({ object }) => object)]);
    this.#objects = objects;
    this.#documents = manifests.documents;
    this.#located = [...[...findings, ...bootstrapFindings(settings)].map(locate), ...manifests.located];
    this.#report();
    this.engine.offer();
  }

  /** The objects as read now, plus the last good state of objects whose document or file is not valid now. */
  #keepLastGood(now: Manifests): Map<Ref, ReadObject> {
    const objects = new Map(
      now.objects.map((object) => [object.ref, { object, file: now.documents.get(object.ref)?.file ?? "" }]),
    );
    for (const [ref, before] of this.#objects) {
      const inBroken = now.broken.has(before.file) || now.unnamed.has(before.file);
      const broken = now.invalid.has(ref) || inBroken;
      if (broken && !objects.has(ref)) objects.set(ref, before);
    }
    return objects;
  }

  /** Logs findings when they differ from the last report. */
  #report(): void {
    const found = [...this.#located, ...locateAll(this.engine.storeFindings, this.#documents)];
    const lines = found.map(formatLocated);
    const text = lines.join("\n");
    if (text === this.#reported) return;
    this.#reported = text;
    for (const line of lines.slice(0, maxLines)) this.options.log(line);
    if (lines.length > maxLines)
      this.options.log(`and ${lines.length - maxLines} more findings; see /status`);
  }

  get findings(): readonly Finding[] {
    return this.#located.map(placed);
  }

  locate(finding: Finding): Finding {
    return locateAll([finding], this.#documents).map(placed)[0] ?? finding;
  }

  status(): readonly object[] {
    return [{ name: "files", paths: this.options.paths, objects: this.#objects.size }];
  }

  async resume(): Promise<boolean> {
    return (await this.engine.resume()) > 0;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher?.close();
  }
}

/** A finding with its file and line. */
const placed = ({
  finding,
  file,
  line,
}: Located): Finding & { readonly file: string; readonly line: number } => ({
  ...finding,
  file,
  line,
});
