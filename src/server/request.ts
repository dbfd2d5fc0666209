import { isRecord } from "../schema/issues.js";
import type { EnvoyVersion } from "../xds/envoy-version.js";

/** The fields of a DiscoveryRequest, read from the two ends of its text. */
export interface DiscoveryRequest {
  readonly node: string;
  readonly version: string;
  readonly names: readonly string[];
  /** The name of the xDS cluster in the Envoy's bootstrap, from its metadata (`node.metadata.isoline.xds_cluster`). */
  readonly xdsCluster?: string;
  /** The Envoy's release (`node.user_agent_build_version`), if stated. */
  readonly envoy?: EnvoyVersion;
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

/** Envoy's description of itself (`node`) is about 77 KB. */
export const maxRequestBytes = 256 * 1024;
const maxNames = 512;

/**
 * Reads a body of at most `limit` bytes, also after decompression.
 *
 * @throws RequestError 413 beyond the limit, 415 for an encoding other than gzip, 400 when it is not gzip.
 */
export async function readBody(request: Request, limit = maxRequestBytes): Promise<Uint8Array> {
  const { headers } = request;
  const [coding, length] = ["content-encoding", "content-length"].map(
    (name) => headers.get(name) ?? undefined,
  );
  const encoding = encodingOf(coding, length, limit);
  if (!request.body) return new Uint8Array();
  if (encoding === "identity") return collect(request.body, limit);
  try {
    const gunzip = new DecompressionStream("gzip");
    return await collect(request.body.pipeThrough(gunzip as unknown as TransformPair), limit);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw notGzip();
  }
}

/**
 * The encoding of a body, by its headers.
 *
 * @throws RequestError 413 beyond the limit, 415 for an encoding other than gzip.
 */
export function encodingOf(coding = "identity", length = "0", limit = maxRequestBytes): "identity" | "gzip" {
  const encoding = coding.toLowerCase();
  if (Number(length) > limit) throw tooLarge(limit);
  if (encoding !== "identity" && encoding !== "gzip")
    throw new RequestError(415, "unsupported-encoding", "content-encoding must be gzip or absent");
  return encoding;
}

export const notGzip = (): RequestError => new RequestError(400, "bad-gzip", "the body is not gzip");

export const tooLarge = (limit: number): RequestError =>
  new RequestError(413, "too-large", `the body is more than ${limit} bytes`);

async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > limit) {
      await reader.cancel().catch(() => undefined);
      throw tooLarge(limit);
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
const tailLength = 4096;
const headLength = 1024;

// The output of Envoy's JSON printer:
// `"node":{"id":"…","cluster":"…","metadata":{"isoline":{"xds_cluster":"…"}},"user_agent_name":"envoy",
// "user_agent_build_version":{"version":{"major_number":1,"minor_number":40` near the front; the three other fields
// last or (version) first. Each expression has only one way to match a text, so that matching is fast.
const head =
  /^\{\s*(?:"version_info"\s*:\s*("[^"\\]*")\s*,\s*)?"node"\s*:\s*\{\s*"id"\s*:\s*("[^"\\]*")(?:\s*,\s*"cluster"\s*:\s*"[^"\\]*")?(?:\s*,\s*"metadata"\s*:\s*\{\s*"isoline"\s*:\s*\{\s*"xds_cluster"\s*:\s*("[^"\\]*")\s*\}\s*\})?(?:\s*,\s*"user_agent_name"\s*:\s*"[^"\\]*"\s*,\s*"user_agent_build_version"\s*:\s*\{\s*"version"\s*:\s*\{\s*"major_number"\s*:\s*(\d{1,4})\s*,\s*"minor_number"\s*:\s*(\d{1,4})\s*(?=[,}]))?/;
const tail =
  /\}\s*(?:,\s*"version_info"\s*:\s*("[^"\\]*")\s*)?(?:,\s*"resource_names"\s*:\s*(\[\s*(?:"[^"\\]*"\s*(?:,\s*"[^"\\]*"\s*)*)?\])\s*)?,\s*"type_url"\s*:\s*"[^"\\]*"\s*\}\s*$/;

/**
 * Recently checked middle parts without doubtful fields: an Envoy's description of itself is the same in each of its
 * polls.
 */
const plain: string[] = [];
const maxPlain = 8;

function isPlain(middle: string): boolean {
  if (plain.includes(middle)) return true;
  if (doubtful.some((sign) => middle.includes(sign))) return false;
  plain.push(middle);
  if (plain.length > maxPlain) plain.shift();
  return true;
}

/**
 * Each of these between the two ends may be a second field of the name, which would take precedence; `\u` may hide
 * one.
 */
const doubtful = [
  '"version_info"',
  '"resource_names"',
  '"node"',
  '"id"',
  '"isoline"',
  '"user_agent_build_version"',
  "\\u",
];

/**
 * Reads a request without parsing the 77 KB in the middle if it has the form that Envoy writes; any other form is
 * parsed completely. For every body that is JSON, both ways give the same result.
 *
 * @throws RequestError 400 when it is not a DiscoveryRequest.
 */
export function readDiscoveryRequest(body: Uint8Array, known?: KnownMiddles): DiscoveryRequest {
  const quick = known && scanBytes(body, known);
  if (quick) return validate(quick);
  const text = readText(body);
  const scanned = scan(text);
  if (scanned && known) learn(body, known);
  return validate(scanned ?? parse(text));
}

/** Middle parts of bodies, as bytes, that were checked: valid UTF-8 without doubtful fields. */
export interface KnownMiddles {
  has(middle: Uint8Array): boolean;
  add(middle: Uint8Array): void;
}

/** Both ends of a body; undefined where it does not have the form that Envoy writes, or the ends are not ASCII. */
function endsOf(
  body: Uint8Array,
): { front: RegExpExecArray; back: RegExpExecArray; middle: Uint8Array } | undefined {
  if (body.length <= headLength + tailLength) return undefined;
  const [first, last] = [asciiIn(body.subarray(0, headLength)), asciiIn(body.subarray(-tailLength))];
  const [front, back] = [head.exec(first), tail.exec(last)];
  if (!front || !back) return undefined;
  return { front, back, middle: body.subarray(front[0].length, body.length - back[0].length) };
}

const lenient = new TextDecoder();
/** Empty if a byte is not ASCII: then places in the text and in the bytes differ. */
function asciiIn(bytes: Uint8Array): string {
  const text = lenient.decode(bytes);
  return text.length === bytes.length && !text.includes("\uFFFD") ? text : "";
}

/** Reads a request whose middle part is known, without making text of it. */
function scanBytes(body: Uint8Array, known: KnownMiddles): DiscoveryRequest | undefined {
  const ends = endsOf(body);
  return ends && known.has(ends.middle) ? requestOf(ends.front, ends.back) : undefined;
}

function learn(body: Uint8Array, known: KnownMiddles): void {
  const ends = endsOf(body);
  if (ends && !known.has(ends.middle)) known.add(ends.middle);
}

/** @throws RequestError 400 for bytes that are not UTF-8: no text is read with replacement characters. */
export function readText(body: Uint8Array): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new RequestError(400, "bad-text", "the body is not UTF-8");
  }
}

function scan(text: string): DiscoveryRequest | undefined {
  if (text.length <= headLength + tailLength) return undefined;
  const front = head.exec(text.slice(0, headLength));
  const back = tail.exec(text.slice(-tailLength));
  if (!front || !back || !isPlain(text.slice(front[0].length, text.length - back[0].length)))
    return undefined;
  return requestOf(front, back);
}

function requestOf(front: RegExpExecArray, back: RegExpExecArray): DiscoveryRequest | undefined {
  if (!front[2] || (front[1] && back[1])) return undefined;
  try {
    return {
      node: JSON.parse(front[2]) as string,
      version: JSON.parse(front[1] ?? back[1] ?? '""') as string,
      names: back[2] ? (JSON.parse(back[2]) as string[]) : [],
      ...(front[3] ? { xdsCluster: JSON.parse(front[3]) as string } : {}),
      ...(front[5] ? { envoy: { major: Number(front[4]), minor: Number(front[5]) } } : {}),
    };
  } catch {
    return undefined;
  }
}

function parse(text: string): DiscoveryRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError(400, "bad-json", "the body is not JSON");
  }
  if (!isRecord(value)) throw new RequestError(400, "bad-request", "the body is not a DiscoveryRequest");
  const { node, version_info: version = "", resource_names: names = [] } = value;
  const id = isRecord(node) ? (node.id ?? "") : "";
  if (typeof id !== "string" || typeof version !== "string" || !Array.isArray(names)) {
    throw new RequestError(400, "bad-request", "the body is not a DiscoveryRequest");
  }
  const { isoline } = isRecord(node) && isRecord(node.metadata) ? node.metadata : {};
  const envoy = isRecord(node) ? envoyOf(node.user_agent_build_version) : undefined;
  const xdsCluster = isRecord(isoline) ? isoline.xds_cluster : undefined;
  return {
    node: id,
    version,
    names: names as string[],
    ...(typeof xdsCluster === "string" ? { xdsCluster } : {}),
    ...(envoy ? { envoy } : {}),
  };
}

/** A request as text without the 77 KB that are not used here; `readDiscoveryRequest` gives the same result for it. */
export function shortRequest(request: DiscoveryRequest): string {
  const { node: id, version, names, xdsCluster, envoy, ...others } = request;
  // A new field of DiscoveryRequest that is not written here would be lost on the way to the object; this line then
  // does not compile.
  const none: Record<string, never> = others;
  const metadata = xdsCluster === undefined ? {} : { metadata: { isoline: { xds_cluster: xdsCluster } } };
  const build = envoy && { version: { major_number: envoy.major, minor_number: envoy.minor } };
  const node = { id, ...metadata, ...(build ? { user_agent_build_version: build } : {}) };
  return JSON.stringify({ ...none, version_info: version, node, resource_names: names });
}

/** The release in an `envoy.config.core.v3.BuildVersion`. */
function envoyOf(build: unknown): EnvoyVersion | undefined {
  const version = isRecord(build) ? build.version : undefined;
  if (!isRecord(version)) return undefined;
  const { major_number: major, minor_number: minor } = version;
  const isNumber = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) < 10_000;
  return isNumber(major) && isNumber(minor) ? { major, minor } : undefined;
}

function validate(request: DiscoveryRequest): DiscoveryRequest {
  const { node, version, names, xdsCluster } = request;
  const wrong = /\p{Cc}/u;
  if (node.length > 256 || wrong.test(node))
    throw new RequestError(400, "bad-node", "node.id is not printable, or too long");
  if (version.length > 512) throw new RequestError(400, "bad-version", "version_info is too long");
  if (names.length > maxNames || names.some((name) => typeof name !== "string" || name.length > 1024)) {
    throw new RequestError(400, "bad-names", `resource_names must be at most ${maxNames} names`);
  }
  if (xdsCluster !== undefined && !/^[A-Za-z0-9._:[\]-]{1,253}$/.test(xdsCluster))
    throw new RequestError(
      400,
      "bad-xds-cluster",
      "node.metadata.isoline.xds_cluster must be a host name or address of at most 253 characters",
    );
  return request;
}
