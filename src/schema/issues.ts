import type { z } from "zod";
import { pathText } from "./field-path.js";
import type { Finding, Ref } from "./meta.js";
import { quote } from "./words.js";

type Raw = Readonly<Record<string, unknown>>;
type Path = readonly PropertyKey[];

export const isRecord = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A schema error, before errors with the same cause are merged. */
export interface SchemaProblem {
  readonly finding: Finding;
  /** Whether the field is missing. */
  readonly missing: boolean;
}

export const schemaError = (about: Ref, message: string, path = ""): Finding => ({
  about,
  severity: "error",
  type: "SchemaError",
  reason: "Invalid",
  message,
  ...(path ? { path } : {}),
});

/** The limit of findings per object. */
const maxFindings = 100;

/**
 * Findings for the schema issues of `input`, which is at the path `prefix` of its object. With `secret`, messages never
 * quote values.
 */
export const schemaProblems = (
  about: Ref,
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  prefix: Path,
  secret: boolean,
): SchemaProblem[] => {
  const problems = issues.slice(0, maxFindings).map((issue): SchemaProblem => {
    const value = valueAt(input, issue.path);
    const found = secret ? "" : describeFound(value, issue);
    const path = pathText([...prefix, ...issue.path]);
    return {
      finding: schemaError(about, issueText(issue, value) + found, path),
      missing: value === undefined,
    };
  });
  const more = issues.length - problems.length;
  if (more > 0)
    problems.push({ finding: schemaError(about, `has ${more} more invalid fields`), missing: false });
  return problems;
};

/** The same as findings. */
export const schemaFindings = (...args: Parameters<typeof schemaProblems>): Finding[] =>
  schemaProblems(...args).map(({ finding }) => finding);

const valueAt = (input: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? value[key as keyof typeof value]
        : undefined,
    input,
  );

const nouns: Readonly<Record<string, string>> = {
  string: "text",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  array: "a list",
  object: "a map of fields",
  record: "a map of fields",
};

/** The text of an issue, which states the accepted values. */
function issueText(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return `is missing; it must be ${nouns[issue.expected] ?? issue.expected}`;
      // The schema's own text, such as the one for durations, is more specific than the type.
      return issue.message.startsWith("must ")
        ? issue.message
        : `must be ${nouns[issue.expected] ?? issue.expected}${quotesHelp(issue.expected, value)}`;
    case "invalid_value":
      return value === undefined
        ? `is missing; use one of ${choices(issue.values)}`
        : `must be one of ${choices(issue.values)}`;
    case "too_small":
      if (issue.origin === "string" && issue.minimum === 1) return "must not be empty";
      return `must ${amount(issue.origin, "at least", Number(issue.minimum))}`;
    case "too_big":
      return `must ${amount(issue.origin, "at most", Number(issue.maximum))}`;
    default:
      return issue.message;
  }
}

/** YAML reads some unquoted text as a number or boolean, and quoted numbers and booleans as text. */
function quotesHelp(expected: string, value: unknown): string {
  if (expected === "string" && (typeof value === "number" || typeof value === "boolean"))
    return " (put it in quotes)";
  const isNumber = (expected === "number" || expected === "int") && /^-?\d+$/.test(String(value));
  const isBoolean = expected === "boolean" && (value === "true" || value === "false");
  return typeof value === "string" && (isNumber || isBoolean) ? " (without quotes)" : "";
}

/** The message for a value that is not text, for fields that are read without a schema. */
export const textProblem = (value: unknown): string =>
  `must be text${quotesHelp("string", value)}${foundKind(value)}`;

const choices = (values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join(", ");

function amount(origin: string, bound: string, count: number): string {
  if (origin === "string") return `have ${bound} ${count} characters`;
  if (origin === "array") return `have ${bound} ${count} ${count === 1 ? "entry" : "entries"}`;
  return `be ${bound} ${count}`;
}

/** Variables of Flux, Argo CD, shells and templates. */
const placeholder = /\$\{[A-Za-z_][^}]*\}|\$\([A-Za-z_]\w*\)|\$ARGOCD_\w+|\{\{[^}]*\}\}|<path:[^>]+>/;

function describeFound(value: unknown, issue: z.core.$ZodIssue): string {
  const isSize = issue.code === "too_small" || issue.code === "too_big";
  if (isSize && Array.isArray(value)) return `, found ${value.length === 0 ? "none" : value.length}`;
  if (isSize && typeof value === "string" && value.length > 80) return `, found ${value.length}`;
  if (typeof value === "string") {
    const hint = placeholder.test(value) ? ": a placeholder that is not substituted" : "";
    return `, found ${quote(value)}${hint}`;
  }
  return isRecord(value) && issue.code !== "invalid_type" ? "" : foundKind(value);
}

function foundKind(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return `, found ${value}`;
  if (Array.isArray(value)) return ", found a list";
  return isRecord(value) ? ", found a map" : "";
}

const maxDepth = 64;
/** The limit of fields and list entries per object. An object in etcd has at most 1.5 MB. */
const maxFields = 100_000;

interface Hostile {
  readonly problem: string;
  readonly keys: readonly PropertyKey[];
}

/**
 * Checks an object before other code reads it; `status` and `managedFields` are skipped because no code reads them.
 * Refuses keys that could reach a prototype, text that is not Unicode (Envoy rejects a whole response with half a
 * surrogate pair), more than 64 levels, and more fields than a Kubernetes object can have. `nulls` reports whether the
 * object contains nulls, which Kubernetes treats as absent fields.
 */
export function inspect(input: Raw): { problem?: string; path?: string; nulls: boolean } {
  const seen: Seen = { nulls: false, fields: 0 };
  const hostile = walkMap(input, 0, seen);
  const { nulls } = seen;
  return hostile ? { problem: hostile.problem, path: pathText(hostile.keys.slice(0, 8)), nulls } : { nulls };
}

interface Seen {
  nulls: boolean;
  fields: number;
}

const tooDeep: Hostile = {
  problem: `is nested deeper than ${maxDepth} levels; flatten the object`,
  keys: [],
};
const tooManyFields: Hostile = {
  problem: `has more than ${maxFields} fields and list entries; split the object`,
  keys: [],
};
const notUnicode: Hostile = {
  problem: "contains half a surrogate pair, which is not Unicode text",
  keys: [],
};
const within = ({ problem, keys }: Hostile, key: PropertyKey): Hostile => ({ problem, keys: [key, ...keys] });

function walkMap(map: Raw, depth: number, seen: Seen): Hostile | undefined {
  if (depth >= maxDepth) return tooDeep;
  for (const key in map) {
    if (++seen.fields > maxFields) return tooManyFields;
    if (key === "__proto__")
      return { problem: "is a key that no Kubernetes object has; remove it", keys: [key] };
    if (!key.isWellFormed()) return within(notUnicode, "(key)");
    if ((key === "status" && depth === 0) || (key === "managedFields" && depth === 1)) continue;
    const value = map[key];
    if (value === null) seen.nulls = true;
    const hostile = walkValue(value, depth, seen);
    if (hostile) return within(hostile, key);
  }
  return undefined;
}

function walkList(list: readonly unknown[], depth: number, seen: Seen): Hostile | undefined {
  if (depth >= maxDepth) return tooDeep;
  seen.fields += list.length;
  if (seen.fields > maxFields) return tooManyFields;
  for (let i = 0; i < list.length; i++) {
    const hostile = walkValue(list[i], depth, seen);
    if (hostile) return within(hostile, i);
  }
  return undefined;
}

function walkValue(value: unknown, depth: number, seen: Seen): Hostile | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : notUnicode;
  if (typeof value !== "object" || value === null) return undefined;
  return Array.isArray(value) ? walkList(value, depth + 1, seen) : walkMap(value as Raw, depth + 1, seen);
}

/** A copy without the fields that are null. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}
