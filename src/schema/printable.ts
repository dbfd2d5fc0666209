/** Control characters, format characters (which can reverse or hide text), and line and paragraph separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** User text as one line, with characters escaped that a terminal, a log or a page would interpret. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(unprintable, (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
