import { isRecord } from "../schema/issues.js";
import { Deadline } from "./deadline.js";
import { type ApiResource, resourcePath } from "./resources.js";

/**
 * How requests reach an API server; a transport adds address, credentials and trust. When the signal is aborted, `send`
 * rejects and the body throws, whatever either waits for.
 */
export interface Transport {
  send(request: ApiRequest): Promise<ApiResponse>;
}

export interface ApiRequest {
  readonly method: "GET" | "PATCH" | "PUT" | "POST" | "DELETE";
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What an API server refused or failed to do. `reason` is Kubernetes's own, where it gave one. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

/** Any object of the API, as it came: the schema decides what of it is read. */
export type Raw = Readonly<Record<string, unknown>>;

export type WatchEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: Raw }
  | { readonly type: "BOOKMARK"; readonly object: Raw };

const pageSize = 500;
const maxResponse = 512 * 1024 * 1024;
/** How long a request has, as a whole. */
const requestMs = 30_000;
/** A page of a list may be long: it has as long from one piece of it to the next, and more as a whole. */
const pageMs = { silent: 20_000, whole: 300_000 };
/** API servers answer a watch at once, before there is any event. */
const openMs = 15_000;
/** API servers end a watch after the time that they were given; later than this they have gone away. */
const marginMs = 10_000;
/** A question that others wait for. */
const questionMs = 5000;

/** How long an answer has, in ms: as a whole, or also from one piece of it to the next. */
type Limit = number | { readonly silent: number; readonly whole: number };

export const resourceVersionOf = (object: Raw): string => {
  const { metadata } = object;
  return isRecord(metadata) && typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : "";
};

/** What is read of a collection at one resourceVersion. */
export interface Listed {
  readonly items: readonly Raw[];
  readonly resourceVersion: string;
}

const notAList = (resource: ApiResource, why: string): ApiError =>
  new ApiError(0, "NotAList", `${resource.plural}: ${why}`);

/**
 * Every object of a collection, page by page. All pages or nothing: an error, also on the last page, is thrown.
 *
 * @throws ApiError with the server's status (410 when the list took longer than the server remembers), or status 0
 *   when it answered with something that is no list of these objects.
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
    if (resourceVersion !== version) throw notAList(resource, "the pages are of different resourceVersions");
    const next = typeof metadata.continue === "string" ? metadata.continue : "";
    if (!next) return { items, resourceVersion };
    if (next === token) throw notAList(resource, "the list goes on with the same page again");
    token = next;
  }
}

/** An object of a list or a watch, with the kind and version that typed lists leave out. */
function itemOf(resource: ApiResource, item: unknown): Raw {
  const { kind, apiVersion } = resource;
  if (!isRecord(item)) throw notAList(resource, "an item is not an object");
  const object = { apiVersion, kind, ...item };
  if (object.kind !== kind || object.apiVersion !== apiVersion)
    throw notAList(resource, "an item is of another kind or version");
  const { metadata } = item;
  if (!isRecord(metadata) || typeof metadata.name !== "string" || metadata.name === "")
    throw notAList(resource, "an item has no name");
  return object;
}

/** Where an API server is, and which cluster it is of. */
export interface ApiServerState {
  readonly resourceVersion: string;
  /** Of the namespace `kube-system`, which lives as long as its cluster; empty where there is none. */
  readonly uid: string;
}

/**
 * Asks where the server is now.
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
 * Changes of a collection from a resourceVersion on, until `seconds` are over or the server ends it. Calls `opened` when
 * the server has taken the watch.
 *
 * @throws ApiError; 410 when the server does not remember the version any more; reason `Stalled` when the server has
 *   neither ended the watch in its time nor sent anything of late.
 */
export async function* watch(
  transport: Transport,
  resource: ApiResource,
  resourceVersion: string,
  seconds: number,
  signal: AbortSignal,
  opened: () => void = () => undefined,
): AsyncGenerator<WatchEvent> {
  const wanted = Math.max(1, Math.round(seconds));
  const query = new URLSearchParams({
    watch: "1",
    resourceVersion,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(wanted),
  });
  if (resource.fieldSelector) query.set("fieldSelector", resource.fieldSelector);
  const deadline = new Deadline(signal);
  const overtime = new Overtime(deadline, wanted * 1000);
  try {
    deadline.in(openMs, "the watch was not opened");
    const path = `${resourcePath(resource)}?${query}`;
    const headers = { accept: "application/json" };
    const response = await transport.send({ method: "GET", path, headers, signal: deadline.signal });
    if (response.status !== 200) throw await errorOf(response, resource.plural);
    overtime.begin();
    opened();
    for await (const line of lines(noticed(response.body, () => overtime.heard())))
      yield eventOf(resource, parse(line, resource.plural));
  } catch (error) {
    if (overtime.ended) return;
    throw overtime.stalled ? stalledError(resource) : deadline.reasonOf(error);
  } finally {
    deadline.end();
  }
}

const stalledError = ({ plural }: ApiResource): ApiError =>
  new ApiError(0, stalled, `${plural}: the watch was silent beyond its time; it is opened anew`);

/** The reason of an ApiError about a watch that went silent. */
export const stalled = "Stalled";

/** What becomes of a watch that is not ended when it should be: one that still sends something is ended, a silent one has stalled. */
class Overtime {
  #heard = false;
  #over = false;

  constructor(
    private readonly deadline: Deadline,
    private readonly ms: number,
  ) {}

  begin(): void {
    this.deadline.at(this.ms, () => {
      this.#heard = false;
      this.deadline.at(marginMs, () => {
        this.#over = true;
        this.deadline.abort();
      });
    });
  }

  heard(): void {
    this.#heard = true;
  }

  get ended(): boolean {
    return this.#over && this.#heard;
  }

  get stalled(): boolean {
    return this.#over && !this.#heard;
  }
}

function eventOf(resource: ApiResource, { type, object }: Raw): WatchEvent {
  const bad = (why: string): ApiError => new ApiError(0, "NotAnEvent", `${resource.plural}: ${why}`);
  if (!isRecord(object)) throw bad("an event has no object");
  if (type === "ERROR" || object.kind === "Status") throw statusError(object, resource.plural);
  if (type === "BOOKMARK") return { type, object };
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED")
    throw bad("an event is of no known type");
  if (!resourceVersionOf(object)) throw bad("an event has no resourceVersion");
  return { type, object: itemOf(resource, object) };
}

/** @throws ApiError on anything but 200 with a JSON object, NoAnswer when it is not there in time. */
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

/** Sends a request and reads its answer, both in time. */
async function exchange<T>(
  transport: Transport,
  request: ApiRequest,
  limit: Limit,
  read: (response: ApiResponse) => Promise<T>,
): Promise<T> {
  const deadline = new Deadline(request.signal);
  const { silent, whole } = typeof limit === "number" ? { silent: limit, whole: limit } : limit;
  const heard = (): void => deadline.in(silent, "nothing came");
  deadline.whole(whole, "there was no whole answer");
  heard();
  try {
    const { status, body } = await transport.send({ ...request, signal: deadline.signal });
    return await read({ status, body: noticed(body, heard) });
  } catch (error) {
    throw deadline.reasonOf(error);
  } finally {
    deadline.end();
  }
}

async function* noticed(body: AsyncIterable<Uint8Array>, heard: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    heard();
    yield chunk;
  }
}

interface SendOptions {
  /** How long the answer may take. */
  readonly ms?: number;
  readonly contentType?: string;
}

/**
 * Sends an object and reads the one that comes back.
 *
 * @throws ApiError on anything but success with a JSON object, NoAnswer when it is not there in time.
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
    // Said below: what came is not quoted, as it may hold secrets.
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

/** Lines of a stream. What comes after the last line break was cut off, and is dropped. */
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
