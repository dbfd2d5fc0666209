import { review } from "../engine/review.js";
import { resourcesOf } from "../kubernetes/resources.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import type { Hooks } from "./hooks.js";

/** What a cluster's webhooks lead to. */
export function clusterHooks(options: {
  readonly store: Store;
  readonly strict: boolean;
  ready(): boolean;
  ring(): void;
}): Hooks {
  const { store, strict, ready, ring } = options;
  return {
    ring,
    review: (object, old) =>
      review(object, old, { store, strict, platform: { checkKeyPair }, ready: ready(), now: Date.now() }),
    concerns: (group, plural) =>
      resourcesOf(settingsOf(store)).some(
        (one) => one.plural === plural && groupOf(one.apiVersion) === group,
      ),
  };
}

const groupOf = (apiVersion: string): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
