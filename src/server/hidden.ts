import type { EnvoyConfig } from "../explain/config.js";
import { isSensitiveHeader, notShown } from "../explain/served-config.js";
import { isRecord } from "../schema/issues.js";

/** What of a configuration is shown to those who may not see all of it. */
export interface Shown {
  /** Values that headers and query parameters of requests are compared with. */
  readonly values: boolean;
}

/** Texts of a matcher of a header or query parameter. */
const texts = new Set(["exact", "prefix", "suffix", "contains", "regex"]);
const matcherLists = new Set(["headers", "query_parameters"]);

/**
 * The JSON of a part of a configuration without its keys and certificates, in whose place a SHA-256 of their content is, and without values
 * of headers that are often credentials. A value that is not shown has the same text everywhere.
 */
export async function hiddenText(json: string, shown: Shown): Promise<string> {
  return JSON.stringify(copy(JSON.parse(await withDigests(json)), "", shown));
}

/** What users write is in JSON strings, where quotes are escaped, so that no text of theirs is taken for a field. */
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

/** Of pseudo headers all is shown, as of paths. */
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

/** A configuration as one is served to those who may not see all of it, so that what is hidden there is no difference. */
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

/** How many values of a configuration are not shown. */
export const countHidden = ({ tables, listeners }: EnvoyConfig): number =>
  JSON.stringify([...tables.values(), ...listeners.values()]).split(JSON.stringify(notShown)).length - 1;
