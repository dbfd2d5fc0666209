/** What a DiscoveryRequest says, read from its ends. */
export interface DiscoveryRequest {
  readonly node: string;
  readonly version: string;
  readonly names: readonly string[];
}

/** A request that is answered with an error status. */
export class RequestError extends Error {
  constructor(
    readonly status: 400 | 413 | 415,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type TransformPair = { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> };

/** An Envoy's description of itself is about 77 KB. */
export const maxRequestBytes = 256 * 1024;
const maxNames = 512;

/** Reads a body with a limit that holds for what it unpacks to. Throws RequestError. */
export async function readBody(request: Request): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > maxRequestBytes) throw tooLarge();
  if (!request.body) return new Uint8Array();
  if (encoding === "identity") return collect(request.body);
  if (encoding !== "gzip")
    throw new RequestError(415, "unsupported-encoding", "content-encoding is gzip or none");
  try {
    const gunzip = new DecompressionStream("gzip");
    return await collect(request.body.pipeThrough(gunzip as unknown as TransformPair));
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError(400, "bad-gzip", "the body is not gzip");
  }
}

const tooLarge = (): RequestError =>
  new RequestError(413, "too-large", `a discovery request is at most ${maxRequestBytes} bytes`);

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > maxRequestBytes) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    chunks.push(value);
  }
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
const tailBytes = 4096;
const headBytes = 1024;

// What Envoy's JSON printer writes: `"node":{"id":"…"` near the front; the three other fields last or (version) first.
const head =
  /^\{\s*(?:"version_info"\s*:\s*("(?:[^"\\])*")\s*,\s*)?"node"\s*:\s*\{\s*"id"\s*:\s*("(?:[^"\\])*")/;
const tail =
  /\}\s*(?:,\s*"version_info"\s*:\s*("(?:[^"\\])*"))?(?:,\s*"resource_names"\s*:\s*(\[(?:\s*"(?:[^"\\])*"\s*,?)*\]))?\s*,\s*"type_url"\s*:\s*"([^"\\]*)"\s*\}\s*$/;

/**
 * Reads a request without parsing the 77 KB in the middle where it has the form that Envoy gives it; any other form is
 * parsed whole. Throws RequestError when it is not a DiscoveryRequest.
 */
export function readDiscoveryRequest(body: Uint8Array): DiscoveryRequest {
  return validate(body.length > headBytes + tailBytes ? (scan(body) ?? parse(body)) : parse(body));
}

function scan(body: Uint8Array): DiscoveryRequest | undefined {
  try {
    const front = head.exec(decoder.decode(asciiSlice(body, 0, headBytes)));
    const back = tail.exec(decoder.decode(asciiSlice(body, body.length - tailBytes, body.length)));
    if (!front?.[2] || !back || (front[1] && back[1])) return undefined;
    return {
      node: JSON.parse(front[2]) as string,
      version: JSON.parse(front[1] ?? back[1] ?? '""') as string,
      names: back[2] ? (JSON.parse(back[2]) as string[]) : [],
    };
  } catch {
    return undefined;
  }
}

/** Cuts where no character of several bytes is split. */
function asciiSlice(body: Uint8Array, from: number, to: number): Uint8Array {
  let start = from;
  let end = to;
  while (start < end && ((body[start] ?? 0) & 0xc0) === 0x80) start++;
  while (end < body.length && end > start && ((body[end] ?? 0) & 0xc0) === 0x80) end--;
  return body.subarray(start, end);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parse(body: Uint8Array): DiscoveryRequest {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch {
    throw new RequestError(400, "bad-json", "the body is not JSON");
  }
  if (!isRecord(value)) throw new RequestError(400, "bad-request", "the body is not a DiscoveryRequest");
  const { node, version_info: version = "", resource_names: names = [] } = value;
  const id = isRecord(node) ? (node.id ?? "") : "";
  if (typeof id !== "string" || typeof version !== "string" || !Array.isArray(names)) {
    throw new RequestError(400, "bad-request", "the body is not a DiscoveryRequest");
  }
  return { node: id, version, names: names as string[] };
}

function validate(request: DiscoveryRequest): DiscoveryRequest {
  const { node, version, names } = request;
  const wrong = /\p{Cc}/u;
  if (node.length > 256 || wrong.test(node))
    throw new RequestError(400, "bad-node", "node.id is not printable or too long");
  if (version.length > 128) throw new RequestError(400, "bad-version", "version_info is too long");
  if (names.length > maxNames || names.some((name) => typeof name !== "string" || name.length > 1024)) {
    throw new RequestError(400, "bad-names", `resource_names are at most ${maxNames} names`);
  }
  return request;
}
