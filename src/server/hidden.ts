import type { EnvoyConfig } from "../explain/config.js";
import { isSensitiveHeader, notShown } from "../explain/served-config.js";
import { isRecord } from "../schema/issues.js";

/** The parts of a configuration that a reader may see. */
export interface Shown {
  /** Values that headers and query parameters of requests are compared with. */
  readonly values: boolean;
}

/** Fields of a string matcher that hold its text. */
const texts = new Set(["exact", "prefix", "suffix", "contains", "regex"]);
const matcherLists = new Set(["headers", "query_parameters"]);

/**
 * The JSON of a part of a configuration, with the SHA-256 of their content in place of keys and certificates, and
 * without values of headers that often hold credentials. All hidden values have the same text.
 */
export async function hiddenText(json: string, shown: Shown): Promise<string> {
  return JSON.stringify(copy(JSON.parse(await withDigests(json)), "", shown));
}

/** In JSON strings of users quotes are escaped, so that none of their text can match a field. */
async function withDigests(json: string): Promise<string> {
  const found = new Map<string, string>();
  for (const [, text = ""] of json.matchAll(inlineBytes))
    if (!found.has(text)) found.set(text, isDigest.test(text) ? text : await digestOf(text));
  return json.replace(inlineBytes, (_, text: string) => `"inline_bytes":"${found.get(text)}"`);
}

const inlineBytes = /"inline_bytes":"([^"\\]*)"/g;
const isDigest = /^sha256:[0-9a-f]{64}$/;

async function digestOf(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `sha256:${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function copy(value: unknown, key: string, shown: Shown): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown) =>
      copy(matcherLists.has(key) && !shown.values ? hiddenMatcher(item) : item, "", shown),
    );
  if (!isRecord(value)) return value;
  const isHidden = key === "header" && typeof value.key === "string" && isSensitiveHeader(value.key);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      isHidden && name === "value" ? notShown : copy(inner, name, shown),
    ]),
  );
}

/** Pseudo headers are shown completely, as paths are. */
function hiddenMatcher(matcher: unknown): unknown {
  if (!isRecord(matcher) || !isRecord(matcher.string_match)) return matcher;
  if (typeof matcher.name === "string" && matcher.name.startsWith(":")) return matcher;
  return { ...matcher, string_match: hiddenTexts(matcher.string_match) };
}

const hiddenTexts = (match: Readonly<Record<string, unknown>>): unknown =>
  Object.fromEntries(
    Object.entries(match).map(([name, inner]) => [
      name,
      isRecord(inner) ? hiddenTexts(inner) : texts.has(name) ? notShown : inner,
    ]),
  );

/**
 * A configuration with hidden parts, as `GET /config` returns it, so that a comparison with a served one finds no
 * difference in them.
 */
export async function hidden(config: EnvoyConfig, shown: Shown): Promise<EnvoyConfig> {
  const hide = async <T>(map: ReadonlyMap<string, T>): Promise<Map<string, T>> => {
    const found = new Map<string, T>();
    for (const [name, value] of map)
      found.set(name, JSON.parse(await hiddenText(JSON.stringify(value), shown)) as T);
    return found;
  };
  const { listeners, tables, clusters, endpoints, secrets } = config;
  return {
    listeners: await hide(listeners),
    tables: await hide(tables),
    clusters: await hide(clusters),
    endpoints,
    secrets: await hide(secrets),
  };
}

/** Number of hidden values in a configuration. */
export const countHidden = ({ tables, listeners }: EnvoyConfig): number =>
  JSON.stringify([...tables.values(), ...listeners.values()]).split(JSON.stringify(notShown)).length - 1;
