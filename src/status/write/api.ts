import { ApiError, getJson, patchStatus, type Raw, type Transport } from "../../kubernetes/api.js";
import { type ApiResource, resourcePath, resources } from "../../kubernetes/resources.js";
import type { Ref } from "../../schema/meta.js";
import { NoSubresource } from "./failures.js";

/** Reading and writing one status may take this long. */
const maxWriteMs = 15_000;

/** Reads objects one by one, and writes their statuses. */
export class StatusApi {
  /** The API version that a kind was read in, which need not be the newest. */
  readonly #versions = new Map<string, string>();

  constructor(
    private readonly options: {
      readonly transport: Transport;
      /** Resolves after so many ms, or when the signal is aborted. */
      sleep(ms: number, signal: AbortSignal): Promise<void>;
    },
  ) {}

  /** Takes note of the version that objects of a kind come in. */
  learn({ kind, apiVersion }: Raw): void {
    if (typeof kind === "string" && typeof apiVersion === "string") this.#versions.set(kind, apiVersion);
  }

  /** An API server that does not answer for one object must not hold up the others. */
  async inTime(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const done = new AbortController();
    const late = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    void this.options.sleep(maxWriteMs, either).then(() => {
      if (!either.aborted) late.abort(new Error("no answer in time"));
    });
    await work(AbortSignal.any([signal, late.signal])).finally(() => done.abort());
  }

  /**
   * Undefined when there is no such object.
   *
   * @throws ApiError
   */
  async get(ref: Ref, signal: AbortSignal): Promise<Raw | undefined> {
    const { object } = this.#pathsOf(ref);
    return orGone(() => getJson(this.options.transport, object, signal));
  }

  /**
   * Merges into the status, and returns the object as it is then; undefined when it is gone.
   *
   * @throws ApiError; NoSubresource where the object is there, and no status of it.
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
