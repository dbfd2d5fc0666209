import type { Engine } from "../../engine/engine.js";
import type { Log } from "../../log/log.js";
import { bootstrapFindings, unfilteredFindings } from "../../schema/bootstrap-settings.js";
import type { AppOptions } from "../../server/app.js";
import { clusterSurface } from "../../server/cluster-surface.js";
import type { Metrics } from "../../server/metrics.js";
import { FileSource } from "../../sources/files/file-source.js";
import { placed } from "../../sources/files/objects.js";
import { readSettings } from "../../sources/files/settings-file.js";
import { PushedSources } from "../../sources/push/push-source.js";
import type { Source } from "../../sources/source.js";
import { type KubernetesOptions, kubernetesSource } from "./kubernetes.js";

/** The origin of a server's objects. */
export interface SourceOptions {
  /** Files and folders of manifests; empty with `kube`. */
  readonly paths: readonly string[];
  /** Follow a Kubernetes cluster instead of files. */
  readonly kube?: KubernetesOptions;
  /** Accept pushes to `/sources/NAME` instead of reading files. */
  readonly push?: boolean;
  readonly settingsFile?: string;
  /** Keys that take precedence over the settings file. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly log: Log;
}

/** A source with its part of the HTTP surface. */
interface Wired {
  readonly source: Source;
  readonly surface: Pick<AppOptions, "hooks" | "sources" | "inspected" | "holds">;
  /**
   * When the API server of a Kubernetes cluster last answered, in ms since the epoch; absent where none is followed.
   */
  readonly lastAnswerAt?: () => number;
}

/** The source that the options select. @throws Error where it can't be made. */
export async function sourceOf(engine: Engine, options: SourceOptions, metrics: Metrics): Promise<Wired> {
  const { kube, push } = options;
  if (kube) {
    const source = await kubernetesSource(engine, { ...options, ...kube, metrics });
    const { strictAdmission: strict = false, pollSeconds } = kube;
    const surface = clusterSurface(engine, source, {
      strict,
      ready: () => source.complete && source.hasAnswered,
      // With open watches, a change that a hook reports is already on its way.
      ring: () => (pollSeconds === undefined ? undefined : source.ring()),
    });
    return { source, surface, lastAnswerAt: () => source.lastAnswerAt };
  }
  if (!push) {
    const source = new FileSource(engine, options);
    return { source, surface: { inspected: { engine, source } } };
  }
  const sources = pushedSources(engine, options);
  return { source: sources, surface: { sources, inspected: { engine, source: sources } } };
}

function pushedSources(engine: Engine, { settingsFile, overrides = {} }: SourceOptions): PushedSources {
  if (settingsFile === undefined && Object.keys(overrides).length === 0) return new PushedSources(engine);
  const { settings, findings: wrong, locate } = readSettings(settingsFile, overrides);
  const findings = [
    ...wrong,
    ...bootstrapFindings(settings),
    ...unfilteredFindings(settings, "push only the objects that are to be read"),
  ];
  return new PushedSources(engine, {
    settings,
    findings: findings.map((finding) => placed(locate(finding))),
  });
}
