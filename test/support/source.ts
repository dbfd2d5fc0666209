import { type ParsedSource, parseSource } from "../../src/sources/push/text.js";

/** Parses a text that must be readable. */
export async function sourceOf(text: string): Promise<ParsedSource> {
  const source = await parseSource(text);
  if ("code" in source) throw new Error(source.detail);
  return source;
}
