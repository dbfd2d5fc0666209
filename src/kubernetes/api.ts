import { isRecord } from "../schema/issues.js";
import { Deadline } from "./deadline.js";
import { type ApiResource, resourcePath } from "./resources.js";

/**
 * Sends requests to an API server; a transport adds address, credentials and trust. When the signal is aborted, `send`
 * rejects and the body throws, independently of what either waits for.
 */
export interface Transport {
  send(request: ApiRequest): Promise<ApiResponse>;
}

export interface ApiRequest {
  readonly method: "GET" | "PATCH" | "PUT" | "POST" | "DELETE";
  /** Includes the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** An error answer of an API server, or an invalid answer. `reason` is Kubernetes' own where the server gave one. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** Any object of the API as received; the schema determines which fields are read. */
export type Raw = Readonly<Record<string, unknown>>;

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Raw }
  | { readonly type: "BOOKMARK"; readonly object: Raw };

const pageSize = 500;
const maxResponse = 512 * 1024 * 1024;
/** Time limit of a whole request. */
const requestMs = 30_000;
/** Time limits of a page of a list, which may be long: between two chunks, and for the whole page. */
const pageMs = { silent: 20_000, whole: 300_000 };
/** API servers answer a watch at once, before there is any event. */
const openMs = 15_000;
/** API servers end a watch after the requested time; one that is this late counts as gone. */
const marginMs = 10_000;
/** Time limit of a request that others wait for. */
const questionMs = 5000;

/** Time limit of an answer in ms: of the whole, or also between two chunks. */
type Limit = number | { readonly silent: number; readonly whole: number };

export const resourceVersionOf = (object: Raw): string => {
  const { metadata } = object;
  return isRecord(metadata) && typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : "";
};

/** The objects of a collection at one resourceVersion. */
export interface Listed {
  readonly items: readonly Raw[];
  readonly resourceVersion: string;
}

const notAList = (resource: ApiResource, why: string): ApiError =>
  new ApiError(0, "NotAList", `${resource.plural}: ${why}`);

/**
 * Lists every object of a collection, page by page. The result is complete or an error is thrown, also for the last
 * page.
 *
 * @throws ApiError with the server's status (410 when the list took longer than the server keeps the version), or
 * status 0 when the answer is not a list of these objects.
 */
export async function list(
  transport: Transport,
  resource: ApiResource,
  signal: AbortSignal,
): Promise<Listed> {
  const items: Raw[] = [];
  let token = "";
  let version: string | undefined;
  for (;;) {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (resource.fieldSelector) query.set("fieldSelector", resource.fieldSelector);
    if (token) query.set("continue", token);
    const page = await getJson(transport, `${resourcePath(resource)}?${query}`, signal, pageMs);
    const { metadata, kind } = page;
    if (kind === "Status") throw statusError(page, resource.plural);
    const isOther = kind !== undefined && kind !== "List" && kind !== `${resource.kind}List`;
    if (isOther || !Array.isArray(page.items) || !isRecord(metadata))
      throw notAList(resource, "the answer is not a list");
    for (const item of page.items) items.push(itemOf(resource, item));
    const resourceVersion = resourceVersionOf(page);
    if (!resourceVersion) throw notAList(resource, "the list has no resourceVersion");
    version ??= resourceVersion;
    if (resourceVersion !== version) throw notAList(resource, "the pages have different resourceVersions");
    const next = typeof metadata.continue === "string" ? metadata.continue : "";
    if (!next) return { items, resourceVersion };
    if (next === token) throw notAList(resource, "the list repeats the same page");
    token = next;
  }
}

/** An object of a list or a watch, with the kind and version that typed lists omit. */
function itemOf(resource: ApiResource, item: unknown): Raw {
  const { kind, apiVersion } = resource;
  if (!isRecord(item)) throw notAList(resource, "an item is not an object");
  const object = { apiVersion, kind, ...item };
  if (object.kind !== kind || object.apiVersion !== apiVersion)
    throw notAList(resource, "an item has another kind or version");
  const { metadata } = item;
  if (!isRecord(metadata) || typeof metadata.name !== "string" || metadata.name === "")
    throw notAList(resource, "an item has no name");
  return object;
}

/** The current resourceVersion of an API server, and the identity of its cluster. */
export interface ApiServerState {
  readonly resourceVersion: string;
  /** The uid of the namespace `kube-system`, which lives as long as its cluster; empty where there is none. */
  readonly uid: string;
}

/**
 * Requests the current state of the server.
 *
 * @throws ApiError
 */
export async function apiServerState(transport: Transport, signal: AbortSignal): Promise<ApiServerState> {
  const path = "/api/v1/namespaces?fieldSelector=metadata.name%3Dkube-system";
  const answer = await getJson(transport, path, signal, questionMs);
  const [first] = Array.isArray(answer.items) ? answer.items : [];
  const metadata = isRecord(first) && isRecord(first.metadata) ? first.metadata : {};
  const uid = metadata.name === "kube-system" && typeof metadata.uid === "string" ? metadata.uid : "";
  return { resourceVersion: resourceVersionOf(answer), uid };
}

/**
 * The changes of a collection after a resourceVersion, until `seconds` are over or the server ends the watch. Calls
 * `opened` when the server has accepted the watch.
 *
 * @throws ApiError; 410 when the server no longer has the version; reason `Stalled` when the server has neither ended
 * the watch in time nor sent anything recently.
 */
export async function* watch(
  transport: Transport,
  resource: ApiResource,
  resourceVersion: string,
  seconds: number,
  signal: AbortSignal,
  opened: () => void = () => undefined,
): AsyncGenerator<WatchEvent> {
  const timeout = Math.max(1, Math.round(seconds));
  const query = new URLSearchParams({
    watch: "1",
    resourceVersion,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(timeout),
  });
  if (resource.fieldSelector) query.set("fieldSelector", resource.fieldSelector);
  const deadline = new Deadline(signal);
  const overtime = new Overtime(deadline, timeout * 1000);
  try {
    deadline.in(openMs, "the watch was not opened");
    const path = `${resourcePath(resource)}?${query}`;
    const headers = { accept: "application/json" };
    const response = await transport.send({ method: "GET", path, headers, signal: deadline.signal });
    if (response.status !== 200) throw await errorOf(response, resource.plural);
    overtime.begin();
    opened();
    for await (const line of lines(noticed(response.body, () => overtime.received())))
      yield eventOf(resource, parse(line, resource.plural));
  } catch (error) {
    if (overtime.ended) return;
    throw overtime.stalled ? stalledError(resource) : deadline.reasonOf(error);
  } finally {
    deadline.end();
  }
}

const stalledError = ({ plural }: ApiResource): ApiError =>
  new ApiError(0, stalled, `${plural}: the watch was silent beyond its time; it is opened again`);

/** The reason of an ApiError for a silent watch. */
export const stalled = "Stalled";

/**
 * Handles a watch that the server does not end in time: one that still sends data is ended here, a silent one has
 * stalled.
 */
class Overtime {
  #received = false;
  #over = false;

  constructor(
    private readonly deadline: Deadline,
    private readonly ms: number,
  ) {}

  begin(): void {
    this.deadline.at(this.ms, () => {
      this.#received = false;
      this.deadline.at(marginMs, () => {
        this.#over = true;
        this.deadline.abort();
      });
    });
  }

  received(): void {
    this.#received = true;
  }

  get ended(): boolean {
    return this.#over && this.#received;
  }

  get stalled(): boolean {
    return this.#over && !this.#received;
  }
}

function eventOf(resource: ApiResource, { type, object }: Raw): WatchEvent {
  const bad = (why: string): ApiError => new ApiError(0, "NotAnEvent", `${resource.plural}: ${why}`);
  if (!isRecord(object)) throw bad("an event has no object");
  if (type === "ERROR" || object.kind === "Status") throw statusError(object, resource.plural);
  if (type === "BOOKMARK") return { type, object };
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED")
    throw bad("an event has an unknown type");
  if (!resourceVersionOf(object)) throw bad("an event has no resourceVersion");
  return { type, object: itemOf(resource, object) };
}

/** @throws ApiError on anything but 200 with a JSON object; NoAnswer after the time limit. */
export async function getJson(
  transport: Transport,
  path: string,
  signal: AbortSignal,
  limit: Limit = requestMs,
): Promise<Raw> {
  const headers = { accept: "application/json" };
  return exchange(transport, { method: "GET", path, headers, signal }, limit, async (response) => {
    if (response.status !== 200) throw await errorOf(response, path);
    return parse(await text(response.body), path);
  });
}

/** Sends a request and reads its answer within the limit. */
async function exchange<T>(
  transport: Transport,
  request: ApiRequest,
  limit: Limit,
  read: (response: ApiResponse) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(request.signal);
  const { silent, whole } = typeof limit === "number" ? { silent: limit, whole: limit } : limit;
  const received = (): void => deadline.in(silent, "no data arrived");
  deadline.whole(whole, "the answer was not complete");
  received();
  try {
    const { status, body } = await transport.send({ ...request, signal: deadline.signal });
    return await read({ status, body: noticed(body, received) });
  } catch (error) {
    throw deadline.reasonOf(error);
  } finally {
    deadline.end();
  }
}

async function* noticed(body: AsyncIterable<Uint8Array>, received: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    received();
    yield chunk;
  }
}

interface SendOptions {
  /** Time limit of the answer. */
  readonly ms?: number;
  readonly contentType?: string;
}

/**
 * Sends an object and reads the returned one.
 *
 * @throws ApiError on anything but success with a JSON object; NoAnswer after the time limit.
 */
export async function sendJson(
  transport: Transport,
  method: "POST" | "PUT" | "PATCH",
  path: string,
  object: object,
  signal: AbortSignal,
  { ms = requestMs, contentType = "application/json" }: SendOptions = {},
): Promise<Raw> {
  const headers = { accept: "application/json", "content-type": contentType };
  const body = JSON.stringify(object);
  return exchange(transport, { method, path, headers, body, signal }, ms, async (response) => {
    if (response.status >= 300) throw await errorOf(response, path);
    return parse(await text(response.body), path);
  });
}

/** Merges into the status of an object, as a JSON merge patch (RFC 7396): lists are replaced whole. */
export const patchStatus = (
  transport: Transport,
  path: string,
  patch: object,
  signal: AbortSignal,
): Promise<Raw> =>
  sendJson(transport, "PATCH", path, patch, signal, { contentType: "application/merge-patch+json" });

function parse(line: string, what: string): Raw {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch {
    // The error below does not quote the answer, which may hold secrets.
  }
  throw new ApiError(0, "NotJson", `${what}: the answer is not a JSON object`);
}

async function errorOf(response: ApiResponse, what: string): Promise<ApiError> {
  let status: unknown;
  try {
    status = JSON.parse(await text(response.body));
  } catch {
    status = undefined;
  }
  return isRecord(status) && status.kind === "Status"
    ? statusError(status, what, response.status)
    : new ApiError(response.status, "Unknown", `${what}: the API server answered ${response.status}`);
}

function statusError(status: Raw, what: string, fallback = 500): ApiError {
  const code = typeof status.code === "number" ? status.code : fallback;
  const reason = typeof status.reason === "string" ? status.reason : "Unknown";
  const message = typeof status.message === "string" ? status.message.slice(0, 500) : reason;
  return new ApiError(code, reason, `${what}: ${message}`);
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let result = "";
  for await (const chunk of body) {
    result += decoder.decode(chunk, { stream: true });
    if (result.length > maxResponse) throw new ApiError(0, "TooLarge", "the answer is too large");
  }
  return result + decoder.decode();
}

/** The lines of a stream. An incomplete line at the end was cut off, and is dropped. */
async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > maxResponse) throw new ApiError(0, "TooLarge", "an event is too large");
  }
}
