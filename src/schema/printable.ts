/** Control characters, format characters (which can reverse or hide text), and line and paragraph separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** User text as one line, with characters escaped that a terminal, a log or a page would interpret. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(unprintable, (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** One line of text for XML 1.0, which permits neither control characters nor halves of surrogate pairs, escaped or not. */
export const xmlText = (text: string): string =>
  printable(text)
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"']/g, (one) => entities[one] ?? one);
