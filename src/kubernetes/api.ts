import { isRecord } from "../schema/issues.js";
import { type Resource, resourcePath } from "./resources.js";

/** How requests reach an API server; a transport adds address, credentials and trust. */
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

export const resourceVersionOf = (object: Raw): string => {
  const { metadata } = object;
  return isRecord(metadata) && typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : "";
};

/**
 * Every object of a collection, page by page. All pages or nothing: an error, also on the last page, is thrown.
 *
 * @throws ApiError with the server's status (410 when the list took longer than the server remembers), or status 0
 *   when it answered with something that is no list.
 */
export async function list(
  transport: Transport,
  resource: Resource,
  signal: AbortSignal,
): Promise<{ items: readonly Raw[]; resourceVersion: string }> {
  const items: Raw[] = [];
  let token = "";
  for (;;) {
    const query = new URLSearchParams({ limit: String(pageSize) });
    if (resource.fieldSelector) query.set("fieldSelector", resource.fieldSelector);
    if (token) query.set("continue", token);
    const page = await getJson(transport, `${resourcePath(resource)}?${query}`, signal);
    const { metadata, kind } = page;
    if (kind === "Status") throw statusError(page, resource.plural);
    const isOther = kind !== undefined && kind !== "List" && kind !== `${resource.kind}List`;
    if (isOther || !Array.isArray(page.items) || !isRecord(metadata))
      throw new ApiError(0, "NotAList", `${resource.plural}: the answer is not a list`);
    for (const item of page.items) {
      if (!isRecord(item)) throw new ApiError(0, "NotAList", `${resource.plural}: an item is not an object`);
      items.push({ apiVersion: resource.apiVersion, kind: resource.kind, ...item });
    }
    token = typeof metadata.continue === "string" ? metadata.continue : "";
    if (!token) return { items, resourceVersion: resourceVersionOf(page) };
  }
}

/**
 * The resourceVersion that the server is at now.
 *
 * @throws ApiError
 */
export async function currentVersion(
  transport: Transport,
  resource: Resource,
  signal: AbortSignal,
): Promise<string> {
  return resourceVersionOf(await getJson(transport, `${resourcePath(resource)}?limit=1`, signal));
}

/**
 * Changes of a collection from a resourceVersion on, until `seconds` are over or the server ends it.
 *
 * @throws ApiError; 410 when the server does not remember the version any more.
 */
export async function* watch(
  transport: Transport,
  resource: Resource,
  resourceVersion: string,
  seconds: number,
  signal: AbortSignal,
  opened: () => void = () => undefined,
): AsyncGenerator<WatchEvent> {
  const query = new URLSearchParams({
    watch: "1",
    resourceVersion,
    allowWatchBookmarks: "true",
    timeoutSeconds: String(Math.max(1, Math.round(seconds))),
  });
  if (resource.fieldSelector) query.set("fieldSelector", resource.fieldSelector);
  const response = await transport.send({
    method: "GET",
    path: `${resourcePath(resource)}?${query}`,
    headers: { accept: "application/json" },
    signal,
  });
  if (response.status !== 200) throw await errorOf(response, resource.plural);
  opened();
  for await (const line of lines(response.body)) {
    const event = parse(line, resource.plural);
    const { type, object } = event;
    if (!isRecord(object)) throw new ApiError(0, "NotAnEvent", `${resource.plural}: an event has no object`);
    if (type === "ERROR" || object.kind === "Status") throw statusError(object, resource.plural);
    if (type === "ADDED" || type === "MODIFIED" || type === "DELETED" || type === "BOOKMARK")
      yield { type, object };
  }
}

/** @throws ApiError on anything but 200 with a JSON object. */
export async function getJson(transport: Transport, path: string, signal: AbortSignal): Promise<Raw> {
  const response = await transport.send({
    method: "GET",
    path,
    headers: { accept: "application/json" },
    signal,
  });
  if (response.status !== 200) throw await errorOf(response, path);
  return parse(await text(response.body), path);
}

/**
 * Sends an object and reads the one that comes back.
 *
 * @throws ApiError on anything but success with a JSON object.
 */
export async function sendJson(
  transport: Transport,
  method: "POST" | "PUT" | "PATCH",
  path: string,
  object: object,
  signal: AbortSignal,
  contentType = "application/json",
): Promise<Raw> {
  const response = await transport.send({
    method,
    path,
    headers: { accept: "application/json", "content-type": contentType },
    body: JSON.stringify(object),
    signal,
  });
  if (response.status >= 300) throw await errorOf(response, path);
  return parse(await text(response.body), path);
}

/** Merges into the status of an object, as a JSON merge patch (RFC 7396): lists are replaced whole. */
export const patchStatus = (
  transport: Transport,
  path: string,
  patch: object,
  signal: AbortSignal,
): Promise<Raw> => sendJson(transport, "PATCH", path, patch, signal, "application/merge-patch+json");

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
