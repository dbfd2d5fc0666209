/** The maximum length of a PEM text: 64 KB contain a chain of about forty certificates. */
const maxPem = 64 * 1024;

export interface Block {
  readonly label: string;
  /** The decoded content: a byte string, one character for each byte. */
  readonly bytes: string;
}

export type ReadBlocks =
  | { readonly blocks: readonly Block[]; readonly problem?: undefined }
  | { readonly blocks?: undefined; readonly problem: string };

/** A PEM block on lines of its own (RFC 7468 §3). Blanks may end a line; empty lines and headers are not allowed. */
const block =
  /(?<![^\n])-----BEGIN ([A-Z0-9 ]{1,64})-----[\t ]*\r?\n((?:[\t ]*[A-Za-z0-9+/=][A-Za-z0-9+/=\t ]*\r?\n)+)-----END \1-----[\t ]*\r?(?![^\n])/g;

/** The PEM blocks of a text, which may have other text between them; or the problem. */
export function readPem(text: string): ReadBlocks {
  if (text.length > maxPem)
    return { problem: `it has ${text.length} characters, more than the maximum of ${maxPem}` };
  const found = [...text.matchAll(block)];
  if (found.length !== text.split("-----BEGIN").length - 1) return { problem: "a PEM block in it is broken" };
  try {
    return { blocks: found.map(([, label = "", base64 = ""]) => ({ label, bytes: atob(base64) })) };
  } catch {
    return { problem: "a PEM block in it is not base64" };
  }
}

/** A PEM block with lines of 64 characters, which every parser accepts; Envoy's refuses some other lengths. */
export function writePem({ label, bytes }: Block): string {
  const lines = btoa(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
