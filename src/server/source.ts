import { type Document, parseAllDocuments } from "yaml";
import { bootstrapFindings, unfilteredFindings } from "../schema/bootstrap-settings.js";
import type { Finding, Ref } from "../schema/meta.js";
import { expandList, type KubeObject, parseObject } from "../schema/object.js";
import { parseSettings } from "../schema/settings.js";

/** The text of one source, parsed. */
export interface ParsedSource {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
  /** Objects that are there but not valid. */
  readonly invalid: readonly Ref[];
  /** The text can't be read as a whole: it must change nothing. */
  readonly refused: boolean;
}

const about: Ref = "Source//";

const sourceError = (reason: string, message: string): Finding => ({
  about,
  severity: "error",
  type: "SourceError",
  reason,
  message,
});

/** Thrown inside this file alone, for text that is neither YAML nor JSON. */
class SyntaxFault extends Error {}

/**
 * Reads pushed manifests: YAML documents, a JSON object, `List` or array, or JSON Lines. A document of kind
 * `IsolineSettings` holds settings under `spec`. Never throws; no message quotes the text, which may hold keys.
 */
export function parseSource(text: string): ParsedSource {
  try {
    const values = readValues(text.replace(/^\ufeff/, ""));
    if (values === undefined)
      return refuse("Empty", "there is no document; push an empty List to remove all");
    return parseValues(values);
  } catch (error) {
    if (error instanceof SyntaxFault) return refuse("NotReadable", error.message);
    throw error;
  }
}

const refuse = (reason: string, message: string): ParsedSource => ({
  objects: [],
  findings: [sourceError(reason, message)],
  invalid: [],
  refused: true,
});

/** Each object in turn, so that what is parsed of one can go before the next is. Undefined when there is no document. */
function readValues(text: string): Iterable<unknown> | undefined {
  const documents = /^\s*[[{]/.test(text) ? (readJson(text) ?? readYaml(text)) : readYaml(text);
  return Array.isArray(documents) && documents.length === 0 ? undefined : expand(documents);
}

function* expand(documents: Iterable<unknown>): Iterable<unknown> {
  for (const document of documents)
    for (const value of Array.isArray(document) ? document : [document]) yield* expandList(value);
}

/** Undefined when the text is not JSON, but may be YAML in flow style. */
function readJson(text: string): Iterable<unknown> | undefined {
  try {
    return [JSON.parse(text)];
  } catch {
    return /\}\s*\n\s*\{/.test(text) ? readLines(text) : undefined;
  }
}

function* readLines(text: string): Iterable<unknown> {
  let start = 0;
  for (let number = 1; start <= text.length; number++) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    const line = text.slice(start, end);
    start = end + 1;
    if (line.trim() !== "") yield readLine(line, number);
  }
}

function readLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new SyntaxFault(`line ${number} is not valid JSON`);
  }
}

function readYaml(text: string): unknown[] {
  const options = { schema: "core", uniqueKeys: true, prettyErrors: true, logLevel: "silent" } as const;
  return [...parseAllDocuments(text, options)].flatMap((document) => {
    const value = readDocument(document);
    return value === null ? [] : [value];
  });
}

function readDocument(document: Document.Parsed): unknown {
  const error = document.errors[0] ?? document.warnings[0];
  if (error) {
    const place = error.linePos?.[0];
    throw new SyntaxFault(
      `not valid YAML (${error.code})${place ? ` at line ${place.line}:${place.col}` : ""}`,
    );
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    throw new SyntaxFault("not valid YAML: an alias has no anchor, or there are too many aliases");
  }
}

function parseValues(values: Iterable<unknown>): ParsedSource {
  const objects = new Map<Ref, KubeObject>();
  const findings: Finding[] = [];
  const invalid: Ref[] = [];
  for (const value of values) {
    const settings = settingsIn(value);
    const parsed = settings ? parseSettingsDocument(settings.spec) : parseObject(value);
    if ("ignored" in parsed) continue;
    if ("findings" in parsed) findings.push(...parsed.findings);
    if ("object" in parsed) {
      if (objects.has(parsed.object.ref)) findings.push(duplicate(parsed.object.ref));
      objects.set(parsed.object.ref, parsed.object);
    } else if (parsed.ref) invalid.push(parsed.ref);
  }
  return { objects: [...objects.values()], findings, invalid, refused: false };
}

const duplicate = (ref: Ref): Finding => ({
  about: ref,
  severity: "warning",
  type: "SchemaError",
  reason: "Duplicate",
  message: "is in the source more than once; the last one is used",
});

const settingsIn = (value: unknown): { readonly spec?: unknown } | undefined =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "IsolineSettings"
    ? (value as { readonly spec?: unknown })
    : undefined;

function parseSettingsDocument(spec: unknown): { object: KubeObject; findings: readonly Finding[] } {
  const { settings, findings: wrong } = parseSettings(spec);
  const findings = [
    ...wrong,
    ...bootstrapFindings(settings),
    ...unfilteredFindings(settings, "push what is to be read, and nothing else"),
  ];
  return { object: settings, findings };
}
