import type { EnvoyConfig } from "../../explain/config.js";
import { isRecord } from "../../schema/issues.js";
import { contentHash } from "../../xds/hash.js";

/**
 * Hides the values that headers and query parameters of requests are compared with, and the values that headers are
 * set to: they may be shared secrets. Equal values stay equal in all configurations that one function is given, so
 * that differences still show. The salt prevents guessing of values.
 */
export function hideValues(salt: string): (config: EnvoyConfig) => EnvoyConfig {
  const hide = (value: unknown): string =>
    `(hidden ${contentHash(`${salt}\n${JSON.stringify(value)}`).slice(0, 8)})`;
  return (config) => ({
    ...config,
    tables: new Map([...config.tables].map(([name, table]) => [name, hidden(table, hide)])),
  });
}

function hidden<T>(value: T, hide: (value: unknown) => string): T {
  if (Array.isArray(value)) return value.map((item: unknown) => hidden(item, hide)) as T;
  if (!isRecord(value)) return value;
  const { name, key } = value;
  const isPseudo = typeof name === "string" && name.startsWith(":");
  const members = Object.entries(value).map(([field, inner]) => {
    if (field === "string_match" && typeof name === "string" && !isPseudo)
      return [field, { exact: hide(inner) }];
    if (field === "value" && typeof key === "string" && typeof inner === "string")
      return [field, hide(inner)];
    return [field, hidden(inner, hide)];
  });
  return Object.fromEntries(members) as T;
}
