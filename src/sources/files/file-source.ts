import type { Engine } from "../../engine/engine.js";
import type { Log } from "../../log/log.js";
import { bootstrapFindings } from "../../schema/bootstrap-settings.js";
import type { Finding, Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import { messageOf } from "../../schema/words.js";
import type { Source, SourceHealth } from "../source.js";
import { attempt, failedAttempts, waitAfter } from "./attempts.js";
import { type Located, locateAll, type Manifests, placed, readManifests } from "./objects.js";
import { readSettings } from "./settings-file.js";
import { watchPaths } from "./watch.js";

interface FileOptions {
  /** Files and folders of manifests. */
  readonly paths: readonly string[];
  readonly settingsFile?: string;
  /** Keys that take precedence over the settings file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly log: Log;
}

interface ReadObject {
  readonly object: KubeObject;
  readonly file: string;
}

const filesSource = "files";
const againMs = 2000;

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
  /** When the files were last read without an error, in ms since the epoch. */
  #lastSuccess: number | undefined;
  #problem = "";
  #failedSince: number | undefined;
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
      "apply-interrupted",
    );
    this.#timer = setTimeout(() => this.#refresh(), wait);
  }

  #refresh(): void {
    try {
      attempt(this.engine.store, () => this.#read());
    } catch (error) {
      if (!this.engine.snapshot) throw error;
      this.#keep(messageOf(error));
    }
  }

  /** Logs each problem once, and reads the files again until they can be read: a file that is gone is not watched. */
  #keep(problem: string): void {
    this.#failedSince ??= this.engine.now();
    if (problem !== this.#problem)
      this.options.log(`keeping the last good configuration: ${problem}`, "source-lost", {
        source: filesSource,
      });
    this.#problem = problem;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), againMs);
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
    this.#noteRead();
    this.engine.because({ source: filesSource });
    this.engine.offer();
  }

  #noteRead(): void {
    const now = this.engine.now();
    this.#lastSuccess = now;
    if (this.#failedSince === undefined) return;
    const seconds = (now - this.#failedSince) / 1000;
    this.#failedSince = undefined;
    this.#problem = "";
    this.options.log(`the files are read again, after ${Math.round(seconds)} s`, "source-back", {
      source: filesSource,
      seconds,
    });
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

  get findings(): readonly Finding[] {
    return this.#located.map(placed);
  }

  locate(finding: Finding): Finding {
    return locateAll([finding], this.#documents).map(placed)[0] ?? finding;
  }

  status(): readonly object[] {
    return [{ name: filesSource, paths: this.options.paths, objects: this.#objects.size }];
  }

  health(): readonly SourceHealth[] {
    return [
      { source: filesSource, lastSuccess: this.#lastSuccess, failing: this.#failedSince !== undefined },
    ];
  }

  async resume(): Promise<boolean> {
    return (await this.engine.resume()) > 0;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher?.close();
  }
}
