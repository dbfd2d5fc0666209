import type { Engine } from "../engine/engine.js";
import { review } from "../engine/review.js";
import { resourcesOf } from "../kubernetes/resources.js";
import type { FollowedHolds } from "./holds.js";
import type { Hooks } from "./hooks.js";
import type { Inspected } from "./inspect.js";

interface HookOptions {
  /** Also deny objects with a reference to an object that does not exist yet. */
  readonly strict: boolean;
  /** Whether the store holds complete clusters, so that references can be resolved. */
  ready(): boolean;
  /** Polls the cluster soon, because something may have changed. */
  ring(): void;
}

/** The part of the HTTP surface that a source of followed Kubernetes clusters adds. */
export const clusterSurface = (
  engine: Engine,
  source: { readonly clusters: NonNullable<Inspected["clusters"]>; holds(): readonly FollowedHolds[] },
  options: HookOptions,
) => ({
  inspected: { engine, clusters: () => source.clusters() },
  holds: () => source.holds(),
  hooks: clusterHooks(engine, options),
});

/** The actions of a cluster's webhooks. */
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
