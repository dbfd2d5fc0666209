import type { Context } from "hono";
import type { LogFields } from "../log/log.js";
import { type Identity, idLength, type Role, type TokenEntry } from "./tokens.js";

const longestPath = 200;

/** Whether a request belongs in the audit log: any change by the role `admin`, and any rollback. */
export const isAudited = (c: Context, role: Role | undefined): boolean =>
  c.req.method !== "GET" &&
  (role === "admin" || (c.req.query("rollback") !== undefined && role === "publish"));

/** A line of the audit log, such as `audit: DELETE /sources/web by ops (1f2e3d4c): 200`, with its fields. */
export function auditLine(c: Context, { name, id }: Identity, status: number): readonly [string, LogFields] {
  const { method } = c.req;
  const { pathname, search } = new URL(c.req.url);
  const path = `${pathname}${search}`.slice(0, longestPath);
  return [
    `audit: ${method} ${path} by ${shownToken(name, id)}: ${status}`,
    { method, path, token: name, tokenId: id, status },
  ];
}

const shownToken = (name: string, id: string): string =>
  id === "" ? name || "a client without a token" : `${name || "a token without a name"} (${id})`;

/** A line of the audit log with its event, for each token that was added to a file of tokens or removed from it. */
export function tokenChanges(
  before: readonly TokenEntry[],
  after: readonly TokenEntry[],
): (readonly [string, "token-added" | "token-removed"])[] {
  const without = (entries: readonly TokenEntry[], others: readonly TokenEntry[]): TokenEntry[] => {
    const known = new Set(others.map(lineOf));
    return entries.filter((entry) => !known.has(lineOf(entry)));
  };
  return [
    ...without(before, after).map(
      (entry) => [`audit: token removed: ${shownEntry(entry)}`, "token-removed"] as const,
    ),
    ...without(after, before).map(
      (entry) => [`audit: token added: ${shownEntry(entry)}`, "token-added"] as const,
    ),
  ];
}

const lineOf = (entry: TokenEntry): string =>
  JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));

const shownEntry = ({ role, name, digest, fleet, source, namespaces, nodes }: TokenEntry): string =>
  [
    `role ${role}`,
    shownToken(name, digest.slice(0, idLength)),
    ...(fleet === "default" ? [] : [`fleet ${fleet}`]),
    ...(source === undefined ? [] : [`source ${source}`]),
    ...(namespaces === undefined ? [] : [`namespaces ${namespaces.join(",")}`]),
    ...(nodes === undefined ? [] : [`nodes ${nodes}`]),
  ].join(", ");
