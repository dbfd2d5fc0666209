import type { Engine } from "../../engine/engine.js";
import { bootstrapFindings, unfilteredFindings } from "../../schema/bootstrap-settings.js";
import type { AppOptions } from "../../server/app.js";
import { clusterSurface } from "../../server/cluster-surface.js";
import type { Metrics } from "../../server/metrics.js";
import { FileSource } from "../../sources/files/file-source.js";
import { formatLocated } from "../../sources/files/objects.js";
import { readSettings } from "../../sources/files/settings-file.js";
import { PushedSources } from "../../sources/push/push-source.js";
import type { Source } from "../../sources/source.js";
import { type KubernetesOptions, kubernetesSource } from "./kubernetes.js";

/** Where the objects of a server come from. */
export interface SourceOptions {
  /** Files and folders of manifests; empty with `kube`. */
  readonly paths: readonly string[];
  /** Follow a cluster instead of files. */
  readonly kube?: KubernetesOptions;
  /** Serve what is pushed to `/sources/NAME` instead of files. */
  readonly push?: boolean;
  readonly settingsFile?: string;
  /** Keys that win over the settings file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  log(line: string): void;
}

/** A source with what it adds to the HTTP surface. */
interface Wired {
  readonly source: Source;
  readonly surface: Pick<AppOptions, "hooks" | "sources" | "inspected" | "holds">;
  /** When the API server of a cluster was last heard of, in ms since the epoch; absent where none is followed. */
  readonly lookedAt?: () => number;
}

/** The source that the options name. @throws Error where it can't be made. */
export async function sourceOf(engine: Engine, options: SourceOptions, metrics: Metrics): Promise<Wired> {
  const { kube, push } = options;
  if (kube) {
    const source = await kubernetesSource(engine, { ...options, ...kube, metrics });
    const { strictAdmission: strict = false, pollSeconds } = kube;
    const surface = clusterSurface(engine, source, {
      strict,
      ready: () => source.complete && source.looked,
      // With watches open, what a hook would report is already on its way.
      ring: () => (pollSeconds === undefined ? undefined : source.ring()),
    });
    return { source, surface, lookedAt: () => source.lookedAt };
  }
  if (!push) return { source: new FileSource(engine, options), surface: { inspected: { engine } } };
  const sources = pushedSources(engine, options);
  return { source: sources, surface: { sources, inspected: { engine } } };
}

function pushedSources(engine: Engine, { settingsFile, overrides = {}, log }: SourceOptions): PushedSources {
  if (settingsFile === undefined && Object.keys(overrides).length === 0) return new PushedSources(engine);
  const { settings, findings: wrong, locate } = readSettings(settingsFile, overrides);
  const findings = [
    ...wrong,
    ...bootstrapFindings(settings),
    ...unfilteredFindings(settings, "push what is to be read, and nothing else"),
  ];
  for (const finding of findings) log(formatLocated(locate(finding)));
  return new PushedSources(engine, { settings, findings });
}
