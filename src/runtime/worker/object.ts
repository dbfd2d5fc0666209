import { xdsTypes } from "../../link/snapshot.js";
import { isRecord } from "../../schema/issues.js";
import { messageOf } from "../../schema/words.js";
import { timeoutHeader } from "../../server/hold-time.js";
import { problemOf } from "../../server/problem.js";
import { QuietLog } from "../../server/quiet-log.js";
import { RequestError, readBody, readDiscoveryRequest, shortRequest } from "../../server/request.js";
import type { Objects } from "./bindings.js";
import { consoleLog } from "./console-log.js";

/** A request that can be sent again: its body is text, or absent. */
interface Repeatable {
  readonly request: Request;
  readonly body?: string;
}

const lines = new QuietLog(consoleLog(), Date.now);

/**
 * If an object fails, all polls that it holds fail at the same time. They are sent again at random times within this
 * interval.
 */
const spreadMs = 1000;
/** If less time than this remains, the request is not sent again: Envoy repeats it. */
const leastMs = 4000;

const pollPaths: ReadonlySet<string> = new Set(xdsTypes.map((type) => `/v3/discovery:${type}`));

/**
 * Sends a request to the object of a fleet. A request that only reads (a poll, a GET) is sent once more if the object
 * fails, for example after a reset by a deployment. A second failure, or the failure of a write, gives a response with
 * status 503. Never rejects. `mayPoll`: the request has a token of the role node; for other requests to the paths of
 * polls, the body is not read.
 */
export async function askObject(
  objects: Objects,
  fleet: string,
  request: Request,
  mayPoll: boolean,
): Promise<Response> {
  try {
    const repeatable = await repeatableOf(request, mayPoll);
    return await (repeatable ? askTwice(objects, fleet, repeatable) : ask(objects, fleet, request));
  } catch (error) {
    if (error instanceof RequestError) {
      const { status, code, message: detail } = error;
      return problemOf({ status, code, detail, headers: {} });
    }
    report(fleet, error);
    return problemOf(objectFailed);
  }
}

const objectFailed = {
  status: 503,
  code: "object-failed",
  detail: "the fleet's object does not answer; Envoys keep their configuration; see the Worker's log",
  headers: { "retry-after": "5" },
} as const;

/** @throws RequestError for a poll that can't be read. */
async function repeatableOf(request: Request, mayPoll: boolean): Promise<Repeatable | undefined> {
  if (request.method === "GET") return { request };
  const { pathname } = new URL(request.url);
  if (request.method !== "POST" || !mayPoll || !pollPaths.has(pathname)) return undefined;
  const body = shortRequest(readDiscoveryRequest(await readBody(request)));
  const headers = new Headers(request.headers);
  for (const name of ["content-encoding", "content-length"]) headers.delete(name);
  return { request: new Request(request.url, { method: "POST", headers }), body };
}

async function askTwice(objects: Objects, fleet: string, { request, body }: Repeatable): Promise<Response> {
  const since = Date.now();
  const send = (headers: Headers): Promise<Response> =>
    ask(
      objects,
      fleet,
      new Request(request.url, { method: request.method, headers, ...(body ? { body } : {}) }),
    );
  try {
    return await send(request.headers);
  } catch (error) {
    // A further request would increase the load of an overloaded object.
    if (isRecord(error) && error.overloaded === true) throw error;
    const timeout = Number(request.headers.get(timeoutHeader) ?? Number.NaN);
    const pause = spreadMs * Math.random();
    const left = timeout - (Date.now() - since) - pause;
    if (left < leastMs) throw error;
    report(fleet, error);
    await new Promise((resolve) => setTimeout(resolve, pause));
    const headers = new Headers(request.headers);
    if (!Number.isNaN(left)) headers.set(timeoutHeader, String(Math.floor(left)));
    return send(headers);
  }
}

/** @throws the errors of the object's code, or of the platform. */
function ask(objects: Objects, fleet: string, request: Request): Promise<Response> {
  // A new stub each time: the stub of an object that failed stays broken.
  const object = objects.get(objects.idFromName(fleet));
  return object.fetch(request);
}

function report(fleet: string, error: unknown): void {
  const message = messageOf(error);
  lines.logOnce(
    `${fleet} ${message}`,
    `the object of the fleet ${fleet} failed: ${message}`,
    "object-failed",
    {
      fleet,
    },
  );
}
