import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ListenerChoice } from "../explain/request.js";
import { AnswerError, ask } from "./api.js";

interface Resource<T> {
  /** The last successful response. It is kept during the next request, and if that request fails. */
  readonly data: Signal<T | undefined>;
  readonly error: Signal<string>;
  readonly missing: Signal<boolean>;
  /** Listeners, one of which the path must choose. */
  readonly choices: Signal<readonly ListenerChoice[]>;
}

/**
 * The response of the server for a path, requested again whenever `version` changes. The response for a previous path
 * is discarded.
 */
export function useResource<T>(path: string | undefined, version: unknown = ""): Resource<T> {
  const data = useSignal<T | undefined>(undefined);
  const error = useSignal("");
  const missing = useSignal(false);
  const choices = useSignal<readonly ListenerChoice[]>([]);
  const shown = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (shown.value !== path) {
      shown.value = path;
      data.value = undefined;
      error.value = "";
      missing.value = false;
      choices.value = [];
    }
    if (path === undefined) return;
    let current = true;
    ask<T>(path).then(
      (answer) => {
        if (!current) return;
        data.value = answer;
        error.value = "";
        missing.value = false;
        choices.value = [];
      },
      (failure: unknown) => {
        if (!current) return;
        missing.value = failure instanceof AnswerError && failure.status === 404;
        choices.value = failure instanceof AnswerError ? failure.choices : [];
        error.value = failure instanceof Error ? failure.message : String(failure);
      },
    );
    return () => {
      current = false;
    };
  }, [path, version]);
  return { data, error, missing, choices };
}
