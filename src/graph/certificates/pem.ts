/** Characters of a PEM text that are read; 64 KB hold a chain of some forty certificates. */
const maxPem = 64 * 1024;

export interface Block {
  readonly label: string;
  /** What it encodes: a byte string, one character for each byte. */
  readonly bytes: string;
}

export type ReadBlocks =
  | { readonly blocks: readonly Block[]; readonly problem?: undefined }
  | { readonly blocks?: undefined; readonly problem: string };

/** A block of lines of its own (RFC 7468 §3): blanks at the ends of lines, neither empty lines nor headers. */
const block =
  /(?<![^\n])-----BEGIN ([A-Z0-9 ]{1,64})-----[\t ]*\r?\n((?:[\t ]*[A-Za-z0-9+/=][A-Za-z0-9+/=\t ]*\r?\n)+)-----END \1-----[\t ]*\r?(?![^\n])/g;

/** The PEM blocks of a text, with any text between them; or why it can't be read. */
export function readPem(text: string): ReadBlocks {
  if (text.length > maxPem)
    return { problem: `it has ${text.length} characters, more than the ${maxPem} that are read` };
  const found = [...text.matchAll(block)];
  if (found.length !== text.split("-----BEGIN").length - 1) return { problem: "a PEM block in it is broken" };
  try {
    return { blocks: found.map(([, label = "", base64 = ""]) => ({ label, bytes: atob(base64) })) };
  } catch {
    return { problem: "a PEM block in it is not base64" };
  }
}

/** A PEM block with the lines of 64 characters that every reader takes; Envoy's refuses some others. */
export function writePem({ label, bytes }: Block): string {
  const lines = btoa(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
