import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ListenerChoice } from "../explain/request.js";
import { AnswerError, ask } from "./api.js";
import { Paced } from "./paced.js";

interface Resource<T> {
  /** The last successful response. It is kept during the next request, and if that request fails. */
  readonly data: Signal<T | undefined>;
  readonly error: Signal<string>;
  readonly missing: Signal<boolean>;
  /** Listeners, one of which the path must choose. */
  readonly choices: Signal<readonly ListenerChoice[]>;
}

const pace = { leastRestMs: 1000, restTimes: 5 };

/**
 * The response of the server for a path, requested again after `version` changes, with pauses: many publications do
 * not lead to as many requests. The response for a previous path is discarded.
 */
export function useResource<T>(path: string | undefined, version: unknown = ""): Resource<T> {
  const data = useSignal<T | undefined>(undefined);
  const error = useSignal("");
  const missing = useSignal(false);
  const choices = useSignal<readonly ListenerChoice[]>([]);
  const paced = useRef<Paced | undefined>(undefined);
  useEffect(() => {
    data.value = undefined;
    error.value = "";
    missing.value = false;
    choices.value = [];
    if (path === undefined) return;
    let current = true;
    const load = async (): Promise<void> => {
      try {
        const answer = await ask<T>(path);
        if (!current) return;
        data.value = answer;
        error.value = "";
        missing.value = false;
        choices.value = [];
      } catch (failure) {
        if (!current) return;
        missing.value = failure instanceof AnswerError && failure.status === 404;
        choices.value = failure instanceof AnswerError ? failure.choices : [];
        error.value = failure instanceof Error ? failure.message : String(failure);
      }
    };
    const own = new Paced(load, pace);
    paced.current = own;
    return () => {
      current = false;
      own.stop();
      paced.current = undefined;
    };
  }, [path]);
  useEffect(() => paced.current?.ask(), [path, version]);
  return { data, error, missing, choices };
}
