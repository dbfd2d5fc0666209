// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * What users write may hold line ends and escape sequences, which a terminal or a log would follow, and marks that turn or hide the
 * text around them.
 */
export const printable = (text: string): string =>
  text.toWellFormed().replace(controls, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
