import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { LineCounter, parseAllDocuments, parseDocument } from "yaml";
import type { Finding } from "../schema/meta.js";
import { expandList } from "../schema/object.js";

/** One manifest as it stands in a file. */
export interface LoadedDocument {
  readonly value: unknown;
  readonly file: string;
  /** Line of the document's first key, from 1. */
  readonly line: number;
  /** YAML text of the document, for finding the line of a field; absent for JSON. */
  readonly text?: string;
}

export interface Loaded {
  readonly documents: readonly LoadedDocument[];
  readonly findings: readonly { readonly finding: Finding; readonly file: string; readonly line: number }[];
}

const maxBytes = 64 * 1024 * 1024;
const yamlNames = new Set([".yaml", ".yml"]);
const lineNames = new Set([".jsonl", ".ndjson"]);
const names = new Set([...yamlNames, ...lineNames, ".json"]);

/** Reads files, folders (recursively) and `-` (standard input). A file that can't be read costs only itself. */
export function loadDocuments(paths: readonly string[]): Loaded {
  const documents: LoadedDocument[] = [];
  const findings: Loaded["findings"][number][] = [];
  const fail = (file: string, line: number, message: string): void => {
    findings.push({
      finding: { about: "File//", severity: "error", type: "FileError", reason: "NotReadable", message },
      file,
      line,
    });
  };
  for (const path of paths) {
    for (const file of filesOf(path, fail)) {
      const text = readText(file, fail);
      if (text !== undefined) parseText(file, text, documents, fail);
    }
  }
  return { documents, findings };
}

type Fail = (file: string, line: number, message: string) => void;

function filesOf(path: string, fail: Fail): string[] {
  if (path === "-") return ["-"];
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .filter((name) => names.has(extname(name)))
      .sort()
      .map((name) => join(path, name))
      .filter((file) => statSync(file).isFile());
  } catch (error) {
    fail(path, 0, reason(error));
    return [];
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function readText(file: string, fail: Fail): string | undefined {
  try {
    if (file !== "-" && statSync(file).size > maxBytes) {
      fail(file, 0, `the file is larger than ${maxBytes / 1024 / 1024} MiB; split it`);
      return undefined;
    }
    return readFileSync(file === "-" ? 0 : file, "utf8").replace(/^\ufeff/, "");
  } catch (error) {
    fail(file, 0, reason(error));
    return undefined;
  }
}

function parseText(file: string, text: string, documents: LoadedDocument[], fail: Fail): void {
  const start = text.trimStart()[0];
  if (lineNames.has(extname(file))) return parseLines(file, text, documents, fail);
  if (extname(file) === ".json" || (file === "-" && start === "{")) {
    try {
      add(file, 1, JSON.parse(text), documents);
      return;
    } catch (error) {
      if (text.includes("\n{")) return parseLines(file, text, documents, fail);
      return fail(file, lineOfJsonError(error, text), `not valid JSON: ${jsonReason(error)}`);
    }
  }
  parseYaml(file, text, documents, fail);
}

/** V8 quotes the input in its message, which may be a secret: only the kind of mistake is told. */
const jsonReason = (error: unknown): string => reason(error).replace(/("|,).*$/s, "").trim() || "unexpected text";

function lineOfJsonError(error: unknown, text: string): number {
  const position = /position (\d+)/.exec(reason(error))?.[1];
  return position ? text.slice(0, Number(position)).split("\n").length : 1;
}

function parseLines(file: string, text: string, documents: LoadedDocument[], fail: Fail): void {
  let line = 0;
  for (const row of text.split("\n")) {
    line++;
    if (row.trim() === "") continue;
    try {
      add(file, line, JSON.parse(row), documents);
    } catch (error) {
      fail(file, line, `not valid JSON: ${jsonReason(error)}`);
    }
  }
}

function parseYaml(file: string, text: string, documents: LoadedDocument[], fail: Fail): void {
  const lines = new LineCounter();
  for (const document of parseAllDocuments(text, { lineCounter: lines, version: "1.2", uniqueKeys: true, logLevel: "silent" })) {
    const at = lines.linePos(document.range?.[0] ?? 0).line;
    const error = document.errors[0];
    if (error) {
      fail(file, lines.linePos(error.pos[0]).line, `not valid YAML: ${error.message.split("\n")[0]}`);
      continue;
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 });
      const [from = 0, , to = text.length] = document.range ?? [];
      if (value !== null) add(file, at, value, documents, text.slice(from, to));
    } catch (thrown) {
      fail(file, at, `not valid YAML: ${reason(thrown)}`);
    }
  }
}

function add(file: string, line: number, value: unknown, documents: LoadedDocument[], text?: string): void {
  const members = expandList(value);
  const whole = members.length === 1 && members[0] === value;
  for (const member of members) documents.push({ value: member, file, line, ...(whole && text ? { text } : {}) });
}

/** The line of a field such as `spec.routes[0].services[1].port`, or of its nearest parent that is there. */
export function lineOf({ text, line }: LoadedDocument, path: string): number {
  if (text === undefined) return line;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: "silent" });
  const keys = [...path.matchAll(/[^.[\]]+/g)].map(([key]) => (/^\d+$/.test(key) ? Number(key) : key));
  for (let length = keys.length; length > 0; length--) {
    const node: unknown = document.getIn(keys.slice(0, length), true);
    const start = node && typeof node === "object" && "range" in node ? (node.range as number[] | null)?.[0] : undefined;
    if (start !== undefined) return line + lines.linePos(start).line - 1;
  }
  return line;
}
