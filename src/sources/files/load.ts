import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { type Ambiguity, type Format, readNow, type TextDocument } from "../../documents/documents.js";
import { type Position, positionOf as positionIn } from "../../documents/locate.js";
import type { Part } from "../../documents/split.js";
import { joinPaths } from "../../schema/field-path.js";
import type { Finding } from "../../schema/meta.js";
import { membersOf } from "../../schema/object.js";
import { messageOf } from "../../schema/words.js";

/** The place of a manifest. */
export interface ManifestPlace {
  /** `-` for standard input. */
  readonly file: string;
  /** Line on which the document, or the list member, begins; from 1. */
  readonly line: number;
  /** Finds the lines of fields; absent where each document is one line. */
  readonly part?: Part;
  /** Path of the object in its document, such as `items[3]`; empty for the document itself. */
  readonly within: string;
}

/** A file or document that could not be read, or a warning about its text. `line` is 0 for the whole file. */
export interface LoadFinding {
  readonly finding: Finding;
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

/** Takes one manifest. A value that it does not keep is garbage before the next one is read. */
export type Visit = (value: unknown, place: ManifestPlace) => void;

const maxMegabytes = 64;
const maxBytes = maxMegabytes * 1024 * 1024;
const lineNames = new Set([".jsonl", ".ndjson"]);
/** Extensions of files that hold manifests. */
export const manifestNames: ReadonlySet<string> = new Set([...lineNames, ".yaml", ".yml", ".json"]);

/**
 * Reads files, folders (recursively, sorted by name) and `-` (standard input); lists are split into their members.
 * Never throws: a file or document that can't be read gives a finding, and the others are still read. `emptyList` is
 * called for each list without members.
 */
export function loadDocuments(
  paths: readonly string[],
  visit: Visit,
  emptyList: () => void = () => undefined,
): readonly LoadFinding[] {
  const findings: LoadFinding[] = [];
  for (const path of paths) {
    const loader: Loader = { file: path, visit, findings, emptyList };
    for (const file of path === "-" ? ["-"] : filesOf(loader)) loadFile({ ...loader, file });
  }
  return findings;
}

/** Like `loadDocuments`, for a text in place of a file. */
export function loadText(file: string, text: string, visit: Visit): readonly LoadFinding[] {
  const findings: LoadFinding[] = [];
  readText({ file, visit, findings }, text);
  return findings;
}

interface Loader {
  readonly file: string;
  readonly visit: Visit;
  readonly findings: LoadFinding[];
  readonly emptyList?: () => void;
}

function fail({ file, findings }: Loader, line: number, message: string, column?: number): void {
  const about = { about: "File//", type: "FileError" } as const;
  findings.push({
    finding: { ...about, severity: "error", reason: "NotReadable", message },
    file,
    line,
    ...(column ? { column } : {}),
  });
}

function warn({ file, findings }: Loader, { line, message }: Ambiguity): void {
  const about = { about: "File//", type: "FileError" } as const;
  findings.push({ finding: { ...about, severity: "warning", reason: "Ambiguous", message }, file, line });
}

function filesOf(loader: Loader): string[] {
  try {
    return statSync(loader.file).isDirectory() ? walk(loader.file, loader) : [loader.file];
  } catch (error) {
    fail(loader, 0, messageOf(error));
    return [];
  }
}

function walk(folder: string, loader: Loader): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    fail({ ...loader, file: folder }, 0, messageOf(error));
    return [];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path, loader);
      if (!manifestNames.has(extname(entry.name))) return [];
      if (!isSpecial(path)) return [path];
      fail({ ...loader, file: path }, 0, specialFile);
      return [];
    });
}

/** The finding for a special file in a folder: such a file may have no end, or block until a writer comes. */
export const specialFile = "is a device, a pipe or a socket; such files in a folder are not read";

/** Whether a path (after links) exists and is neither a file nor a folder. */
export function isSpecial(path: string): boolean {
  try {
    const stats = statSync(path);
    return !stats.isFile() && !stats.isDirectory();
  } catch {
    return false;
  }
}

function loadFile(loader: Loader): void {
  const text = textOf(loader);
  if (text !== undefined) readText(loader, text);
}

function readText(loader: Loader, text: string): void {
  const { file } = loader;
  const format: Format = lineNames.has(extname(file)) ? "lines" : extname(file) === ".json" ? "json" : "yaml";
  for (const one of readNow(text, format)) {
    if ("fault" in one)
      fail(
        loader,
        one.line,
        `${one.fault} (column ${one.column})${templateHint(text, one.line)}`,
        one.column,
      );
    else add(loader, one, format);
  }
}

/** Templates of Helm and others are often not valid YAML before they are rendered. */
const templateHint = (text: string, line: number): string =>
  /\{\{/.test(text.split("\n")[line - 1] ?? "") ? "; render the template first" : "";

function textOf(loader: Loader): string | undefined {
  const { file } = loader;
  const tooLarge = `the file is larger than ${maxMegabytes} MiB; split it`;
  try {
    if (file !== "-" && statSync(file).size > maxBytes) {
      fail(loader, 0, tooLarge);
      return undefined;
    }
    const bytes = readFileSync(file === "-" ? 0 : file);
    if (bytes.length <= maxBytes) return bytes.toString("utf8");
    fail(loader, 0, tooLarge);
  } catch (error) {
    fail(loader, 0, messageOf(error));
  }
  return undefined;
}

function add(
  loader: Loader,
  { value, line, itemLines, ambiguities, part }: TextDocument,
  format: Format,
): void {
  const { file, visit } = loader;
  for (const ambiguity of ambiguities) warn(loader, ambiguity);
  const found = membersOf(value);
  if ("problem" in found) {
    fail(loader, line, `the document ${found.problem}`);
    return;
  }
  if (found.members.length === 0) loader.emptyList?.();
  const list = Array.isArray(value) ? "" : "items";
  for (const [i, member] of found.members.entries()) {
    if (member === value) visit(member, placeAt(file, line, format === "lines" ? undefined : part, ""));
    else visit(member, placeAt(file, itemLines[i] ?? line, part, `${list}[${i}]`));
  }
}

/** Assigns each field: a spread would give each of the many places a hidden class of its own. */
const placeAt = (file: string, line: number, part: Part | undefined, within: string): ManifestPlace =>
  part === undefined ? { file, line, within } : { file, line, within, part };

/**
 * The line of a field such as `spec.routes[0].services[1].port` or `metadata.annotations["a/b"]`, or of its nearest
 * parent that exists. Also the column, where it is known.
 */
export function positionOf(
  { line, part, within }: ManifestPlace,
  path: string,
): Partial<Position> & { line: number } {
  if (!part) return { line };
  const found = positionIn(part, joinPaths(within, path));
  return found.line < line ? { line } : found;
}

/** The line of a field, see `positionOf`. */
export const lineOf = (place: ManifestPlace, path: string): number => positionOf(place, path).line;
