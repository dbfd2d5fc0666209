/** Control characters, marks that turn or hide the text around them, and ends of lines and paragraphs. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text of users in one line, without what a terminal, a log or a page would follow. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(unprintable, (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
