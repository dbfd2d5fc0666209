/** What a token may be used for; each path of the HTTP surface requires one role. */
export const roles = ["hook", "preview", "publish", "node", "read", "admin"] as const;
export type Role = (typeof roles)[number];

/** The origin of a request. */
export interface Identity {
  readonly role: Role;
  /** For logs and the status; empty when the token has no name. */
  readonly name: string;
  /**
   * Distinguishes tokens, also those with the same name: the first digits of the digest; empty where no token is
   * required.
   */
  readonly id: string;
  /** The fleet of Envoys whose configuration this identity reads or writes. */
  readonly fleet: string;
  /** `node`: one `node.id`, or a prefix with a final `*`. */
  readonly nodes?: string;
  /** `publish`, `preview`: the only source that may be written or previewed; always present with `namespaces`. */
  readonly source?: string;
  /** `publish`, `preview`: the namespaces that pushed objects may be in. */
  readonly namespaces?: readonly string[];
}

/** A stored token: only its SHA-256. Or a client certificate, by its fingerprint. */
export interface TokenEntry extends Omit<Identity, "id"> {
  readonly digest: string;
  readonly certificate?: boolean;
  /** Milliseconds since the epoch. */
  readonly until?: number;
}

export interface ParsedTokens {
  readonly entries: readonly TokenEntry[];
  /** Errors by line; no message quotes a digest or a possible token. */
  readonly errors: readonly string[];
  /** Warnings by line, such as an old form of a prefix. */
  readonly warnings: readonly string[];
}

export const defaultFleet = "default";

/** Whether a name of a fleet, source or namespace is valid. */
export const isSimpleName = (text: string): boolean => /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(text);

/** The parsers of a line's options; they return undefined for an invalid value. */
const options: Readonly<Record<string, (text: string) => Partial<TokenEntry> | undefined>> = {
  name: (text) => (/^[\w.@:/-]{1,128}$/.test(text) ? { name: text } : undefined),
  fleet: (text) => (isSimpleName(text) ? { fleet: text } : undefined),
  nodes: (text) => (/^[\x21-\x29\x2b-\x7e]{0,255}[\x21-\x7e]$/.test(text) ? { nodes: text } : undefined),
  source: (text) => (isSimpleName(text) ? { source: text } : undefined),
  namespaces: (text) => {
    const namespaces = text.split(",");
    return namespaces.every(isSimpleName) ? { namespaces } : undefined;
  },
  until: (text) => {
    const until = Date.parse(text);
    return Number.isNaN(until) ? undefined : { until };
  },
};

/** Options that only some roles have. */
const optionRoles: Readonly<Record<string, readonly Role[]>> = {
  nodes: ["node"],
  source: ["publish", "preview"],
  namespaces: ["publish", "preview"],
};

/**
 * Parses tokens, one per line: `ROLE sha256:HEX` or `node cert:FINGERPRINT`, with `[name=…] [fleet=…]
 * [nodes=ID|PREFIX*] [source=NAME] [namespaces=A,B] [until=TIME]`. Empty lines and lines that begin with `#` are
 * skipped. A line with an error gives no entry.
 */
export function parseTokens(text: string): ParsedTokens {
  const entries: TokenEntry[] = [];
  const errors: string[] = [];
  const warnings: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === "" || words[0]?.startsWith("#")) continue;
    const entry = parseLine(words);
    if (typeof entry === "string") {
      errors.push(`line ${index + 1}: ${entry}`);
      continue;
    }
    const { nodes } = entry;
    const old = nodes !== undefined && endsAsPrefix(nodes);
    if (old)
      warnings.push(`line ${index + 1}: nodes=${nodes} is read as nodes=${nodes}*: add the * for a prefix`);
    entries.push(withSource(old ? { ...entry, nodes: `${nodes}*` } : entry));
  }
  return { entries, errors, warnings };
}

/** Before `*` was introduced, `nodes=` was always a prefix. */
const endsAsPrefix = (nodes: string): boolean => /[.-]$/.test(nodes);

/**
 * A publisher with namespaces has one source: the one with its name, or, if the name is not valid, with its first
 * namespace.
 */
function withSource(entry: TokenEntry): TokenEntry {
  const { source, name, namespaces: [first] = [] } = entry;
  if (source !== undefined || first === undefined) return entry;
  return { ...entry, source: isSimpleName(name) ? name : first };
}

/** Whether a token is valid for an Envoy. */
export const isForNode = ({ nodes }: Pick<Identity, "nodes">, node: string): boolean =>
  nodes === undefined || (nodes.endsWith("*") ? node.startsWith(nodes.slice(0, -1)) : node === nodes);

function parseLine([role = "", digest = "", ...rest]: readonly string[]): TokenEntry | string {
  const found = roles.find((known) => known === role);
  if (!found) return `the first word must be a role: ${roles.join(", ")}`;
  const [, form, hex] = /^(sha256|cert):([0-9a-f]{64})$/i.exec(digest) ?? [];
  if (!hex)
    return "the second word must be sha256: and 64 hex digits, as `isoline token` prints it, or cert: and a SHA-256 fingerprint";
  const certificate = form?.toLowerCase() === "cert";
  if (certificate && found !== "node") return "cert: is only for the role node";
  const common = { role: found, name: "", fleet: defaultFleet, digest: hex.toLowerCase() };
  let entry: TokenEntry = certificate ? { ...common, certificate } : common;
  for (const word of rest) {
    const [, key = "", value = ""] = /^([a-z]+)=(.+)$/.exec(word) ?? [];
    const read = Object.hasOwn(options, key) ? options[key]?.(value) : undefined;
    if (!read) return `word ${rest.indexOf(word) + 3} is not a valid ${Object.keys(options).join("=, ")}=`;
    const only = optionRoles[key];
    if (only && !only.includes(found)) return `${key}= is only for the role ${only.join(" or ")}`;
    entry = { ...entry, ...read };
  }
  return entry;
}

/** The SHA-256 of a token, in hex. */
export async function digestOf(token: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compares all digits, so that the duration reveals nothing. */
function sameDigest(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ (b.charCodeAt(i) || 0);
  return difference === 0;
}

/** Every identity of a token: the same token may have several roles. */
export async function identify(
  token: string,
  entries: readonly TokenEntry[],
  now: number,
): Promise<readonly Identity[]> {
  const tokens = entries.filter(({ certificate }) => !certificate);
  return identitiesOf(await digestOf(token), tokens, now);
}

/** Every identity of a verified client certificate, by its SHA-256 fingerprint in hex. */
export const identifyCertificate = (
  fingerprint: string,
  entries: readonly TokenEntry[],
  now: number,
): readonly Identity[] =>
  identitiesOf(
    fingerprint.replaceAll(":", "").toLowerCase(),
    entries.filter(({ certificate }) => certificate),
    now,
  );

/** Hex digits: enough to be unique, and too few to find a token. */
export const idLength = 16;

const identitiesOf = (digest: string, entries: readonly TokenEntry[], now: number): readonly Identity[] =>
  entries
    .filter((entry) => sameDigest(digest, entry.digest) && (entry.until === undefined || now < entry.until))
    .map(({ digest: _, until: __, certificate: ___, ...identity }) => ({
      ...identity,
      id: digest.slice(0, idLength),
    }));
