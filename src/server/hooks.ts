import type { Context } from "hono";
import { JsonSyntaxError, parseWhole } from "../documents/json.js";
import { DocumentError } from "../documents/limits.js";
import type { ReviewVerdict } from "../engine/review.js";
import { isRecord } from "../schema/issues.js";
import type { Finding } from "../schema/meta.js";
import { problem, uncached } from "./problem.js";
import { RequestError, readBody, readText } from "./request.js";

export const hookNames = ["admission", "audit", "refresh"] as const;
export type HookName = (typeof hookNames)[number];

/** The actions of hooks. No content of a hook is ever compiled into the served configuration. */
export interface Hooks {
  /** Polls the cluster soon, because something may have changed. */
  ring(): void;
  /** `old` is the current state of the object; null for a new one. */
  review(object: unknown, old: unknown): ReviewVerdict;
  /** Whether routing reads objects of a resource such as `httpproxies`. */
  concerns(group: string, resource: string): boolean;
  /** A user has written an object, or is about to. */
  wrote?(object: WrittenObject, user: string): void;
}

/** An object of the API of a cluster, as audit events and reviews name it. */
interface WrittenObject {
  readonly group: string;
  /** The plural, such as `httpproxies`. */
  readonly resource: string;
  /** Empty for an object without a namespace. */
  readonly namespace: string;
  readonly name: string;
}

type Raw = Readonly<Record<string, unknown>>;

const maxHookBytes = 4 * 1024 * 1024;
const maxDepth = 64;

/** Answers `POST /hooks/NAME`. */
export async function answerHook(c: Context, name: HookName, hooks: Hooks): Promise<Response> {
  if (name === "refresh") {
    hooks.ring();
    return c.json({ accepted: true }, 202, uncached);
  }
  const body = await readJson(c);
  return name === "admission" ? answerAdmission(c, body, hooks) : answerAudit(c, body, hooks);
}

async function readJson(c: Context): Promise<Raw> {
  const text = readText(await readBody(c.req.raw, maxHookBytes));
  const value = parseJson(text);
  if (!isRecord(value)) throw new RequestError(400, "bad-request", "the body is not a JSON object");
  return value;
}

function parseJson(text: string): unknown {
  try {
    return parseWhole(text, maxDepth);
  } catch (error) {
    if (error instanceof JsonSyntaxError) throw new RequestError(400, "bad-json", "the body is not JSON");
    if (error instanceof DocumentError) throw new RequestError(400, error.code, error.message);
    throw error;
  }
}

/** The fields of an AdmissionReview (admission.k8s.io/v1) that are used. */
function readReview(body: Raw): {
  uid: string;
  operation: string;
  dryRun: boolean;
  object: unknown;
  old: unknown;
} {
  const { apiVersion, kind, request } = body;
  const wrong = (what: string): RequestError =>
    new RequestError(400, "bad-review", `the body is not an AdmissionReview: ${what}`);
  if (apiVersion !== "admission.k8s.io/v1" || kind !== "AdmissionReview")
    throw wrong("apiVersion admission.k8s.io/v1 and kind AdmissionReview are expected");
  if (!isRecord(request)) throw wrong("request is missing");
  const { uid, operation, dryRun = false, object, oldObject: old } = request;
  if (typeof uid !== "string" || !/^[\x21-\x7e]{1,128}$/.test(uid)) throw wrong("request.uid is not valid");
  if (typeof operation !== "string") throw wrong("request.operation is missing");
  return { uid, operation, dryRun: dryRun === true, object, old };
}

function answerAdmission(c: Context, body: Raw, hooks: Hooks): Response {
  const { uid, operation, dryRun, object, old } = readReview(body);
  const isReviewed = operation === "CREATE" || operation === "UPDATE";
  const verdict: ReviewVerdict = isReviewed
    ? hooks.review(object, old)
    : { allowed: true, errors: [], warnings: [] };
  if (!dryRun && verdict.allowed) {
    noteWriter(body.request, hooks);
    hooks.ring();
  }
  const response = {
    uid,
    allowed: verdict.allowed,
    ...(verdict.allowed ? {} : { status: denial(verdict.errors) }),
    ...(verdict.warnings.length > 0
      ? { warnings: verdict.warnings.slice(0, maxWarnings).map(warningOf) }
      : {}),
  };
  return c.json({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }, 200, {
    "cache-control": "no-store",
  });
}

/** The API server drops warnings beyond 4,096 characters in total. */
const maxWarnings = 15;
const maxWarning = 250;
const maxDenial = 4000;

/** `path: message (Type/Reason)`, as `isoline check` prints it, cut to `most` characters; the code is kept. */
function textOf({ path, message, type, reason }: Finding, most: number): string {
  const code = ` (${type}/${reason})`;
  const text = (path ? `${path}: ${message}` : message).replace(/[\r\n]+/g, " ");
  return text.slice(0, most - code.length) + code;
}

const warningOf = (finding: Finding): string => textOf(finding, maxWarning);

/** A `metav1.Status` with a cause for each error, so that clients can show fields. */
function denial(errors: readonly Finding[]): object {
  const about = errors[0]?.about ?? "Unknown//";
  return {
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: errors
      .map((error) => textOf(error, maxDenial))
      .join("; ")
      .slice(0, maxDenial),
    details: {
      kind: about.split("/")[0],
      name: about.split("/")[2],
      causes: errors
        .slice(0, 50)
        .map(({ reason, message, path }) => ({ reason, message, field: path ?? "" })),
    },
  };
}

/** Rings for events (audit.k8s.io/v1) of successful writes to resources that routing reads. */
function answerAudit(c: Context, body: Raw, hooks: Hooks): Response {
  if (body.kind !== "EventList" || !Array.isArray(body.items))
    return problem(c, 400, "bad-events", "the body is not an EventList of audit.k8s.io/v1");
  const concerning = body.items.filter(isRecord).filter((event) => isWrite(event, hooks));
  for (const { objectRef, user, impersonatedUser } of concerning)
    noteUser(objectRef, isRecord(impersonatedUser) ? impersonatedUser : user, hooks);
  if (concerning.length > 0) hooks.ring();
  return c.json({ concerning: concerning.length }, 200, uncached);
}

const textIn = (value: unknown): string => (typeof value === "string" ? value : "");

/** Notes the user of a review, for the history of changes. */
function noteWriter(request: unknown, hooks: Hooks): void {
  if (!isRecord(request) || !isRecord(request.resource)) return;
  const { resource, namespace, name, userInfo } = request;
  noteUser({ apiGroup: resource.group, resource: resource.resource, namespace, name }, userInfo, hooks);
}

function noteUser(object: unknown, user: unknown, hooks: Hooks): void {
  if (!isRecord(object) || !isRecord(user)) return;
  const { apiGroup, resource, namespace, name } = object;
  const username = textIn(user.username);
  if (username === "") return;
  const written = {
    group: textIn(apiGroup),
    resource: textIn(resource),
    namespace: textIn(namespace),
    name: textIn(name),
  };
  hooks.wrote?.(written, username);
}

const writes: ReadonlySet<unknown> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

function isWrite({ verb, objectRef, responseStatus }: Raw, hooks: Hooks): boolean {
  if (!writes.has(verb) || !isRecord(objectRef)) return false;
  if (isRecord(responseStatus) && typeof responseStatus.code === "number" && responseStatus.code >= 400)
    return false;
  const { apiGroup = "", resource = "", subresource } = objectRef;
  return subresource !== "status" && hooks.concerns(String(apiGroup), String(resource));
}
