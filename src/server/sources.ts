import type { Context } from "hono";
import { isRecord } from "../schema/issues.js";
import { maxRevisions, type SourceCopy } from "../sources/push/history.js";
import type { PushedSources } from "../sources/push/push-source.js";
import type { HeldObject } from "../store/store.js";
import { problem, uncached } from "./problem.js";
import { readBody, readText } from "./request.js";
import { type Identity, isSimpleName } from "./tokens.js";

const maxSourceBytes = 32 * 1024 * 1024;
const flags = {
  strict: "strict",
  "accept-shrink": "acceptShrink",
  "default-settings": "defaultSettings",
} as const;

/** Whether a push is a dry run. */
export const isDryRun = (c: Context): boolean => isSet(c.req.query("dry-run"));

/**
 * `PUT /sources/NAME?revision=N&expect=N&commit=SHA&strict&dry-run&accept-shrink&default-settings`: the body is the
 * source's whole content. With `rollback=N` the body is empty, and the content is that of revision N.
 */
export async function putSource(c: Context, sources: PushedSources, who: Identity): Promise<Response> {
  const name = nameOf(c, who);
  if (name instanceof Response) return name;
  const numbers: { revision?: number; expect?: number; rollback?: number } = {};
  for (const key of ["revision", "expect", "rollback"] as const) {
    const text = c.req.query(key);
    if (text === undefined) continue;
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
      return problem(c, 400, `bad-${key}`, `${key} must be a whole number`);
    numbers[key] = value;
  }
  const asked = Object.entries(flags).map(([query, option]) => [option, isSet(c.req.query(query))] as const);
  const text = readText(await readBody(c.req.raw, maxSourceBytes));
  const commit = c.req.query("commit");
  if (commit !== undefined && !/^[0-9a-f]{7,64}$/i.test(commit))
    return problem(c, 400, "bad-commit", "commit must be 7 to 64 hexadecimal digits");
  const { namespaces, role } = who;
  const { rollback, ...order } = numbers;
  if (rollback !== undefined && text !== "")
    return problem(c, 400, "bad-rollback", "a rollback uses the content of a revision; send no body");
  const push = {
    name,
    text,
    ...order,
    ...(Object.fromEntries(asked) as Record<(typeof flags)[keyof typeof flags], boolean>),
    dryRun: isDryRun(c) || role === "preview",
    hidesValues: role === "preview",
    ...(namespaces ? { namespaces } : {}),
    by: who.name,
    ...(commit === undefined ? {} : { commit }),
  };
  return answerOf(c, await (rollback === undefined ? sources.put(push) : sources.rollBack(push, rollback)));
}

function answerOf(c: Context, outcome: Awaited<ReturnType<PushedSources["put"]>>): Response {
  if (!("refused" in outcome)) return c.json(outcome, 200, uncached);
  const { status, code, detail, ...more } = outcome.refused;
  return problem(c, status, code, detail, { more });
}

/** `DELETE /sources/NAME`: removes the source with all its objects. */
export async function deleteSource(c: Context, sources: PushedSources): Promise<Response> {
  const removed = await sources.remove(c.req.param("name") ?? "");
  return removed ? c.json(removed, 200, uncached) : unknownSource(c);
}

/**
 * `POST /sources?complete`: confirms that all sources are pushed; Envoys that have more sources of a lost store then
 * lose these.
 */
export function completeSources(c: Context, sources: PushedSources): Response {
  if (!isSet(c.req.query("complete")))
    return problem(c, 400, "bad-query", "use POST /sources?complete to confirm that all sources are pushed");
  return c.json(sources.complete(), 200, uncached);
}

/** `GET /sources/NAME`: its revision and size, without its content. */
export function getSource(c: Context, sources: PushedSources, who: Identity): Response {
  const name = nameOf(c, who);
  if (name instanceof Response) return name;
  const found = sources.describe(name, who.namespaces);
  return found ? c.json(found, 200, uncached) : unknownSource(c);
}

/**
 * `GET /sources/NAME/revisions?last=N`: the kept revisions of a source, with who pushed each, when, and the changed
 * objects; no contents.
 */
export function getHistory(c: Context, sources: PushedSources, who: Identity): Response {
  const name = nameOf(c, who);
  if (name instanceof Response) return name;
  const last = c.req.query("last") ?? String(maxRevisions);
  if (!/^[1-9]\d{0,3}$/.test(last)) return problem(c, 400, "bad-last", "last must be a whole number from 1");
  const revisions = sources.history(name, who.namespaces);
  return revisions.length === 0
    ? unknownSource(c)
    : c.json({ source: name, revisions: revisions.slice(0, Number(last)) }, 200, uncached);
}

/** `GET /sources`: all sources with their revisions, without contents. */
export const listSources = (c: Context, sources: PushedSources): Response =>
  c.json({ sources: sources.list() }, 200, uncached);

/** `GET /sources/NAME/revisions/N`: one content of a source as it was pushed, including its keys. */
export function getRevision(c: Context, sources: PushedSources): Response {
  const copy = sources.copy(c.req.param("name") ?? "", Number(c.req.param("revision")));
  return copy ? c.json(copy, 200, uncached) : problem(c, 404, "not-found", "this revision is not kept");
}

/** `PUT /sources/NAME/revisions/N`: takes the answer of `GET` of another server. */
export async function putRevision(c: Context, sources: PushedSources, who: Identity): Promise<Response> {
  const source = nameOf(c, who);
  if (source instanceof Response) return source;
  const copy = copyIn(readText(await readBody(c.req.raw, 2 * maxSourceBytes)));
  const revision = Number(c.req.param("revision"));
  if (!copy || !Number.isSafeInteger(revision) || revision < 1)
    return problem(
      c,
      400,
      "bad-revision",
      "the body must be the answer of GET of a revision: at, by, text and held",
    );
  return answerOf(c, await sources.putCopy({ ...copy, source, revision }));
}

/** The content of a copy, checked against mistakes only: it comes from an admin. */
function copyIn(text: string): Omit<SourceCopy, "source" | "revision"> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const { at, by, text: content, held } = value;
  const isCopy =
    Number.isSafeInteger(at) && typeof by === "string" && typeof content === "string" && Array.isArray(held);
  if (!isCopy || !held.every(isHeld)) return undefined;
  return { at: Number(at), by, text: content, held, digest: "" };
}

const isKept = (value: unknown): boolean =>
  isRecord(value) && Number.isSafeInteger(value.revision) && Array.isArray(value.findings);

const isHeld = (value: unknown): value is HeldObject =>
  isRecord(value) &&
  (value.kept === undefined || isKept(value.kept)) &&
  typeof value.kind === "string" &&
  typeof value.ref === "string" &&
  value.ref.split("/").length === 3 &&
  isRecord(value.meta) &&
  isRecord(value.spec);

const unknownSource = (c: Context): Response => problem(c, 404, "not-found", "no source has this name");

const isSet = (value: string | undefined): boolean =>
  value !== undefined && value !== "0" && value !== "false";

function nameOf(c: Context, who: Identity): string | Response {
  const name = c.req.param("name") ?? "";
  if (!isSimpleName(name)) return problem(c, 400, "bad-source", "a source's name must be a DNS name");
  if (who.source !== undefined && who.source !== name)
    return problem(c, 403, "source-not-allowed", `this token is only for the source ${who.source}`);
  return name;
}
