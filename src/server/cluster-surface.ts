import type { Engine } from "../engine/engine.js";
import { review } from "../engine/review.js";
import { resourcesOf } from "../kubernetes/resources.js";
import type { Source } from "../sources/source.js";
import type { FollowedHolds } from "./holds.js";
import type { Hooks } from "./hooks.js";
import type { Inspected } from "./inspect.js";

interface HookOptions {
  /** Also deny what refers to something that is not there yet. */
  readonly strict: boolean;
  /** Whether the store holds whole clusters, so that references can be looked up. */
  ready(): boolean;
  /** Something may have changed: look soon. */
  ring(): void;
}

/** What a source that follows clusters adds to the HTTP surface. */
export const clusterSurface = (
  engine: Engine,
  source: Source & {
    readonly clusters: NonNullable<Inspected["clusters"]>;
    holds(): readonly FollowedHolds[];
  },
  options: HookOptions,
) => ({
  inspected: { engine, source, clusters: () => source.clusters() },
  holds: () => source.holds(),
  hooks: clusterHooks(engine, options),
});

/** What a cluster's webhooks lead to. */
export function clusterHooks(engine: Engine, { strict, ready, ring }: HookOptions): Hooks {
  const { store, now } = engine;
  const platform = { checkKeyPair: engine.platform.checkKeyPair };
  return {
    ring,
    review: (object, old) => review(object, old, { store, strict, platform, ready: ready(), now: now() }),
    concerns: (group, plural) =>
      resourcesOf(engine.settings).some((one) => one.plural === plural && groupOf(one.apiVersion) === group),
  };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
