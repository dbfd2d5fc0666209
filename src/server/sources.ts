import type { Context } from "hono";
import { problem } from "./problem.js";
import type { PushedSources } from "./pushed.js";
import { readBody, readText } from "./request.js";
import { type Identity, isSimpleName } from "./tokens.js";

const maxSourceBytes = 32 * 1024 * 1024;
const flags = { strict: "strict", "dry-run": "dryRun", "accept-shrink": "acceptShrink" } as const;

/** `PUT /sources/NAME?revision=N&expect=N&strict&dry-run&accept-shrink`: the body is the source's whole content. */
export async function putSource(c: Context, sources: PushedSources, who: Identity): Promise<Response> {
  const name = nameOf(c, who);
  if (name instanceof Response) return name;
  const numbers: { revision?: number; expect?: number } = {};
  for (const key of ["revision", "expect"] as const) {
    const text = c.req.query(key);
    if (text === undefined) continue;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
      return problem(c, 400, `bad-${key}`, `${key} is a whole number`);
    numbers[key] = value;
  }
  const asked = Object.entries(flags).map(([query, option]) => [option, isSet(c.req.query(query))] as const);
  const text = readText(await readBody(c.req.raw, maxSourceBytes));
  const { namespaces } = who;
  const outcome = await sources.put({
    name,
    text,
    ...numbers,
    ...(Object.fromEntries(asked) as Record<(typeof flags)[keyof typeof flags], boolean>),
    ...(namespaces ? { namespaces } : {}),
    by: who.name,
  });
  if (!("refused" in outcome)) return c.json(outcome, 200, { "cache-control": "no-store" });
  const { status, code, detail, ...more } = outcome.refused;
  return problem(c, status, code, detail, { more });
}

/** `DELETE /sources/NAME`: takes it away with all its objects. */
export async function deleteSource(c: Context, sources: PushedSources): Promise<Response> {
  const removed = await sources.remove(c.req.param("name") ?? "");
  return removed ? c.json(removed, 200, { "cache-control": "no-store" }) : unknownSource(c);
}

/** `GET /sources/NAME`: its revision and size, without its content. */
export function getSource(c: Context, sources: PushedSources, who: Identity): Response {
  const name = nameOf(c, who);
  if (name instanceof Response) return name;
  const found = sources.describe(name, who.namespaces);
  return found ? c.json(found, 200, { "cache-control": "no-store" }) : unknownSource(c);
}

const unknownSource = (c: Context): Response =>
  problem(c, 404, "not-found", "nothing has been pushed under this name");

const isSet = (value: string | undefined): boolean =>
  value !== undefined && value !== "0" && value !== "false";

function nameOf(c: Context, who: Identity): string | Response {
  const name = c.req.param("name") ?? "";
  if (!isSimpleName(name)) return problem(c, 400, "bad-source", "a source's name is a DNS name");
  if (who.source !== undefined && who.source !== name)
    return problem(c, 403, "source-not-allowed", `this token is for the source ${who.source} alone`);
  return name;
}
