import type { Engine } from "../engine/engine.js";
import { review } from "../engine/review.js";
import { resourcesOf } from "../kubernetes/resources.js";
import type { Hooks } from "./hooks.js";

/** What a cluster's webhooks lead to. */
export function clusterHooks(options: {
  readonly engine: Engine;
  readonly strict: boolean;
  ready(): boolean;
  ring(): void;
}): Hooks {
  const { engine, strict, ready, ring } = options;
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
