import type { Engine } from "../engine/engine.js";
import { review } from "../engine/review.js";
import { resourcesOf } from "../kubernetes/resources.js";
import { type Ref, refOf } from "../schema/meta.js";
import type { Source } from "../sources/source.js";
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
  /** An object was written by a user. */
  wrote?(ref: Ref, user: string): void;
}

/** The part of the HTTP surface that a source of followed Kubernetes clusters adds. */
export const clusterSurface = (
  engine: Engine,
  source: Source & {
    readonly clusters: NonNullable<Inspected["clusters"]>;
    holds(): readonly FollowedHolds[];
    wrote(ref: Ref, user: string): void;
  },
  options: Omit<HookOptions, "wrote">,
) => ({
  inspected: { engine, source, clusters: () => source.clusters() },
  holds: () => source.holds(),
  hooks: clusterHooks(engine, { ...options, wrote: (ref, user) => source.wrote(ref, user) }),
});

/** The actions of a cluster's webhooks. */
export function clusterHooks(engine: Engine, { strict, ready, ring, wrote }: HookOptions): Hooks {
  const { store, now } = engine;
  const kindOf = (group: string, plural: string): string | undefined =>
    resourcesOf(engine.settings).find((one) => one.plural === plural && groupOf(one.apiVersion) === group)
      ?.kind;
  const platform = { checkKeyPair: engine.platform.checkKeyPair };
  return {
    ring,
    review: (object, old) => review(object, old, { store, strict, platform, ready: ready(), now: now() }),
    concerns: (group, plural) => kindOf(group, plural) !== undefined,
    wrote: ({ group, resource, namespace, name }, user) => {
      const kind = kindOf(group, resource);
      if (kind !== undefined && name !== "") wrote?.(refOf(kind, namespace, name), user);
    },
  };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
