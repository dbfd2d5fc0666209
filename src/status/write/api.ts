import { ApiError, getJson, patchStatus, type Raw, type Transport } from "../../kubernetes/api.js";
import { type ApiResource, resourcePath, resources } from "../../kubernetes/resources.js";
import type { Ref } from "../../schema/meta.js";
import { NoSubresource } from "./failures.js";

/** The time limit for reading and writing one status. */
const maxWriteMs = 15_000;

/** Reads single objects, and writes their statuses. */
export class StatusApi {
  /** The API version in which objects of a kind were read; it may not be the newest. */
  readonly #versions = new Map<string, string>();

  constructor(
    private readonly options: {
      readonly transport: Transport;
      /** Resolves after this many ms, or when the signal is aborted. */
      sleep(ms: number, signal: AbortSignal): Promise<void>;
    },
  ) {}

  /** Records the API version of a kind. */
  learn({ kind, apiVersion }: Raw): void {
    if (typeof kind === "string" && typeof apiVersion === "string") this.#versions.set(kind, apiVersion);
  }

  /** Limits the time, so that an object without a response does not delay others. */
  async inTime(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const done = new AbortController();
    const late = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    void this.options.sleep(maxWriteMs, either).then(() => {
      if (!either.aborted) late.abort(new Error("no response within the time limit"));
    });
    await work(AbortSignal.any([signal, late.signal])).finally(() => done.abort());
  }

  /**
   * Undefined if the object does not exist.
   *
   * @throws ApiError
   */
  async get(ref: Ref, signal: AbortSignal): Promise<Raw | undefined> {
    const { object } = this.#pathsOf(ref);
    return orGone(() => getJson(this.options.transport, object, signal));
  }

  /**
   * Merges into the status and returns the resulting object; undefined if it does not exist any more.
   *
   * @throws ApiError; NoSubresource if the object exists and its kind has no status subresource.
   */
  async patchStatus(ref: Ref, patch: object, manager: string, signal: AbortSignal): Promise<Raw | undefined> {
    const { status, plural } = this.#pathsOf(ref);
    const path = `${status}?fieldManager=${encodeURIComponent(manager)}`;
    const after = await orGone(() => patchStatus(this.options.transport, path, patch, signal));
    if (!after && (await this.get(ref, signal))) throw new NoSubresource(plural);
    return after;
  }

  #pathsOf(ref: Ref): { readonly object: string; readonly status: string; readonly plural: string } {
    const [kind, namespace = "", name = ""] = ref.split("/");
    const newest = resources.find((one) => one.kind === kind) as ApiResource;
    const resource = { ...newest, apiVersion: this.#versions.get(newest.kind) ?? newest.apiVersion };
    return {
      object: resourcePath(resource, { namespace, name }),
      status: resourcePath(resource, { namespace, name, subresource: "status" }),
      plural: resource.plural,
    };
  }
}

async function orGone(ask: () => Promise<Raw>): Promise<Raw | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}
