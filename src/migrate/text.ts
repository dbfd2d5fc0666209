import { writeYaml } from "../documents/write.js";
import { printable } from "../schema/printable.js";
import type { ResultDocument } from "./document.js";

/**
 * Writes the documents of a result as one YAML stream, with their sources as comments. Kept objects keep their original
 * text.
 */
export function writeDocuments(documents: readonly ResultDocument[]): string {
  return documents.map((document) => `---\n${documentText(document)}`).join("");
}

function documentText({ object, comments, members, source, isKept }: ResultDocument): string {
  if (isKept && source.text !== undefined) return withoutMarker(source.text);
  const lines = comments.map((line) => `# ${printable(line)}\n`).join("");
  const { spec } = object;
  if (!members || typeof spec !== "object" || spec === null) return lines + writeYaml(object);
  const { [members.list]: list, ...rest } = spec as Record<string, unknown>;
  const { spec: _, ...head } = object;
  const items = Array.isArray(list) ? (list as unknown[]) : [];
  const before = Object.keys(rest).length > 0 ? indented(writeYaml(rest)) : "";
  const written = items.map(
    (item, i) => `    # ${printable(members.comments[i] ?? "")}\n${indented(writeYaml([item]), 4)}`,
  );
  const after = items.length > 0 ? `  ${members.list}:\n${written.join("")}` : "";
  return `${lines}${writeYaml(head)}spec:${before + after === "" ? " {}\n" : `\n${before}${after}`}`;
}

const indented = (text: string, by = 2): string => text.replace(/^(?=.)/gm, " ".repeat(by));

/** The text of a document without its `---` line and without empty lines around it. */
const withoutMarker = (text: string): string => `${text.replace(/^---[ \t]*\n/, "").trim()}\n`;
