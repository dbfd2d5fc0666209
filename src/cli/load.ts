import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { type Document, LineCounter, parseAllDocuments, parseDocument } from "yaml";
import type { Finding } from "../schema/meta.js";
import { expandList } from "../schema/object.js";

/** Where a manifest stands. */
export interface Place {
  /** `-` for standard input. */
  readonly file: string;
  /** Line on which the document (or the list that holds it) begins, from 1. */
  readonly line: number;
  /** YAML text from that line on, for finding the line of a field; absent for JSON and members of lists. */
  readonly text?: string;
}

/** A file or document that could not be read; `line` is 0 when the whole file is meant. */
export interface LoadFinding {
  readonly finding: Finding;
  readonly file: string;
  readonly line: number;
}

/** Takes one manifest; a value that it does not keep is free before the next one is read. */
export type Visit = (value: unknown, place: Place) => void;

const maxMegabytes = 64;
const maxBytes = maxMegabytes * 1024 * 1024;
const lineNames = new Set([".jsonl", ".ndjson"]);
const names = new Set([...lineNames, ".yaml", ".yml", ".json"]);

/**
 * Reads files, folders (recursively, by name) and `-` (standard input); lists are taken apart. Never throws: a file or a
 * document that can't be read is a finding and costs only itself.
 */
export function loadDocuments(paths: readonly string[], visit: Visit): readonly LoadFinding[] {
  const findings: LoadFinding[] = [];
  for (const path of paths) {
    const loader: Loader = { file: path, visit, findings };
    for (const file of path === "-" ? ["-"] : filesOf(loader)) loadFile({ ...loader, file });
  }
  return findings;
}

interface Loader {
  readonly file: string;
  readonly visit: Visit;
  readonly findings: LoadFinding[];
}

function fail({ file, findings }: Loader, line: number, message: string): void {
  const finding: Finding = {
    about: "File//",
    severity: "error",
    type: "FileError",
    reason: "NotReadable",
    message,
  };
  findings.push({ finding, file, line });
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function filesOf(loader: Loader): string[] {
  try {
    return statSync(loader.file).isDirectory() ? walk(loader.file, loader) : [loader.file];
  } catch (error) {
    fail(loader, 0, reason(error));
    return [];
  }
}

function walk(folder: string, loader: Loader): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    fail({ ...loader, file: folder }, 0, reason(error));
    return [];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path, loader);
      return names.has(extname(entry.name)) ? [path] : [];
    });
}

function loadFile(loader: Loader): void {
  const { file } = loader;
  const text = readText(loader);
  if (text === undefined) return;
  if (lineNames.has(extname(file))) loadLines(loader, text);
  else if (extname(file) === ".json") loadJson(loader, text);
  else if (!/^\s*\{/.test(text) || !tryJson(loader, text)) loadYaml(loader, text);
}

function readText(loader: Loader): string | undefined {
  const { file } = loader;
  const tooLarge = `the file is larger than ${maxMegabytes} MiB; split it`;
  try {
    if (file !== "-" && statSync(file).size > maxBytes) {
      fail(loader, 0, tooLarge);
      return undefined;
    }
    const bytes = readFileSync(file === "-" ? 0 : file);
    if (bytes.length <= maxBytes) return bytes.toString("utf8").replace(/^\ufeff/, "");
    fail(loader, 0, tooLarge);
  } catch (error) {
    fail(loader, 0, reason(error));
  }
  return undefined;
}

/** JSON in a file that may also be YAML: flow style YAML begins with the same brace. */
function tryJson(loader: Loader, text: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (!/\}\s*\n\s*\{/.test(text)) return false;
    loadLines(loader, text);
    return true;
  }
  add(loader, 1, value);
  return true;
}

function loadJson(loader: Loader, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const first = text.slice(0, text.indexOf("\n") + 1);
    if (isJson(first)) loadLines(loader, text);
    else failJson(loader, error, text, 1);
    return;
  }
  add(loader, 1, value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function loadLines(loader: Loader, text: string): void {
  let line = 0;
  for (let start = 0; start < text.length; ) {
    line++;
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const row = text.slice(start, end);
    start = end + 1;
    if (row.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(row);
    } catch (error) {
      failJson(loader, error, row, line);
      continue;
    }
    add(loader, line, value);
  }
}

/** V8 quotes the input in its message, and that may be a secret: only the place of the mistake is told. */
function failJson(loader: Loader, error: unknown, text: string, line: number): void {
  const position = jsonErrorAt(error, text);
  const before = text.slice(0, position).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  const what = position >= text.length ? "it ends too early" : "unexpected text";
  fail(loader, line + before.length - 1, `not valid JSON: ${what} at column ${column}`);
}

const statedPosition = (error: unknown): number | undefined => {
  const stated = /at position (\d+)/.exec(reason(error))?.[1];
  return stated === undefined ? undefined : Number(stated);
};

/** Where JSON breaks. V8 does not always say it; then it is the end of the longest prefix that is only cut short. */
function jsonErrorAt(error: unknown, text: string): number {
  const stated = statedPosition(error);
  if (stated !== undefined) return stated;
  let good = 0;
  let bad = text.length + 1;
  while (bad - good > 1) {
    const length = (good + bad) >> 1;
    if (isCutShort(text.slice(0, length))) good = length;
    else bad = length;
  }
  return good;
}

function isCutShort(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    return /end of JSON|Unterminated/.test(reason(error)) || (statedPosition(error) ?? -1) >= prefix.length;
  }
}

function loadYaml(loader: Loader, text: string): void {
  const lines = new LineCounter();
  const options = {
    lineCounter: lines,
    version: "1.2",
    schema: "core",
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: "silent",
  } as const;
  for (const document of parseAllDocuments(text, options)) {
    // An unknown tag is only a warning to the parser; to us it is a value that we would misread.
    const error = document.errors[0] ?? document.warnings[0];
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      fail(loader, line, `not valid YAML: ${error.message} at column ${col}`);
    } else {
      addYaml(loader, document, lines, text);
    }
  }
}

function addYaml(loader: Loader, document: Document.Parsed, lines: LineCounter, text: string): void {
  const [, , end = text.length] = document.range;
  const start = document.contents?.range[0] ?? document.range[0];
  const { line, col } = lines.linePos(start);
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value !== null) add(loader, line, value, text.slice(start - col + 1, end));
  } catch (error) {
    fail(loader, line, `not valid YAML: ${reason(error)}`);
  }
}

function add({ file, visit }: Loader, line: number, value: unknown, text?: string): void {
  const members = expandList(value);
  const whole = members.length === 1 && members[0] === value;
  for (const member of members) visit(member, whole && text ? { file, line, text } : { file, line });
}

const parsed = new WeakMap<Place, { document: Document; lines: LineCounter }>();

function parseAgain(source: Place, text: string): { document: Document; lines: LineCounter } {
  const known = parsed.get(source);
  if (known) return known;
  const lines = new LineCounter();
  const fresh = { document: parseDocument(text, { lineCounter: lines, logLevel: "silent" }), lines };
  parsed.set(source, fresh);
  return fresh;
}

const step = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g;

/**
 * The line of a field such as `spec.routes[0].services[1].port` or `metadata.annotations["a/b"]`, or of its nearest
 * parent that is there; the document's own line for JSON.
 */
export function lineOf(source: Place, path: string): number {
  if (source.text === undefined) return source.line;
  const { document, lines } = parseAgain(source, source.text);
  const keys = [...path.matchAll(step)].map(
    ([, quoted, index, word]) => quoted ?? (index ? Number(index) : word),
  );
  for (let length = keys.length; length > 0; length--) {
    const node: unknown = document.getIn(keys.slice(0, length), true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
    if (Array.isArray(range)) return source.line + lines.linePos(Number(range[0])).line - 1;
  }
  return source.line;
}
