import { createReadStream, renameSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Engine } from "../engine/engine.js";
import { statusReport } from "../engine/status-report.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { appendPrivateFile } from "../platform/private-file.js";
import { isRecord } from "../schema/issues.js";
import { messageOf } from "../schema/words.js";
import { createApp } from "../server/app.js";
import { everyone } from "../server/auth.js";
import { Hub } from "../server/hub.js";
import { PushedSources } from "../sources/push/push-source.js";
import { openSqliteStore } from "../store/sqlite.js";
import { ask, type ServerAnswer } from "./client.js";
import { readToken, serverUrl } from "./server-url.js";
import { UsageError } from "./usage.js";

/** The options of `isoline fleet export` and `import`. */
export interface FleetCommandOptions {
  readonly output?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly insecure?: boolean;
}

/** A server, or a store that is not open in a server. */
interface Place {
  get(path: string): Promise<ServerAnswer>;
  put(path: string, body: string): Promise<ServerAnswer>;
  close(): void;
}

interface Listed {
  readonly name: string;
  readonly revisions: readonly { readonly revision: number }[];
}

/** The first line of an export. */
const header = { isoline: "fleet", version: 1 };
const lookMs = 300;

/**
 * `isoline fleet export FROM`: writes all sources with their kept contents as JSON Lines; the newest content of each
 * source comes first. Returns the exit code.
 *
 * @throws UsageError when an option is not valid.
 */
export function exportCommand(from: string, options: FleetCommandOptions): Promise<number> {
  return at(from, options, async (place) => {
    const { sources } = answerOf(await place.get("sources")) as { readonly sources: readonly Listed[] };
    const write = writerTo(options.output);
    write.line(header);
    let revisions = 0;
    for (const { name, revisions: kept } of sources)
      for (const { revision } of kept) {
        write.line(answerOf(await place.get(`sources/${name}/revisions/${revision}`)));
        revisions++;
      }
    write.end();
    console.error(`${revisions} revisions of ${sources.length} sources; ${warningOf(options.output)}`);
    return 0;
  });
}

const warningOf = (output = "-"): string =>
  output === "-"
    ? "they contain private keys: keep them secret"
    : `${output} contains private keys: only its owner may read it (mode 0600)`;

/** Writes lines to standard output, or to a file that appears once it is complete. */
function writerTo(output = "-"): { line(value: object): void; end(): void } {
  if (output === "-")
    return {
      line: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
      end: () => undefined,
    };
  const partial = `${output}.partial`;
  rmSync(partial, { force: true });
  return {
    line: (value) => appendPrivateFile(partial, `${JSON.stringify(value)}\n`),
    end: () => renameSync(partial, output),
  };
}

/**
 * `isoline fleet import FILE`: sends the sources of an export to a server. Existing sources stay; a repetition changes
 * nothing. Returns the exit code: 1 if the server refuses a source; the others are imported.
 *
 * @throws UsageError when the file is not an export.
 */
export function importCommand(file: string, to: string, options: FleetCommandOptions): Promise<number> {
  return at(to, options, async (place) => {
    const lines = createInterface(file === "-" ? process.stdin : createReadStream(file));
    const refused: string[] = [];
    const sources = new Set<string>();
    let number = 0;
    for await (const line of lines) {
      if (++number === 1) checkHeader(file, line);
      else if (line !== "") {
        const { source, revision } = copyIn(file, number, line);
        sources.add(source);
        const { status, answer } = await place.put(`sources/${source}/revisions/${revision}`, line);
        if (status === 200) await whenCompiled(place, source, answer);
        else refused.push(`${source} at revision ${revision} is refused (${status}): ${detailOf(answer)}`);
      }
    }
    if (number === 0) checkHeader(file, "");
    for (const one of refused) console.error(one);
    console.error(`${sources.size} sources, ${number - 1} revisions, ${refused.length} refused`);
    return refused.length > 0 ? 1 : 0;
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function checkHeader(file: string, line: string): void {
  const value = jsonOf(line);
  if (!isRecord(value) || value.isoline !== header.isoline)
    throw new UsageError(`${file}: expected a file that isoline fleet export has written`);
  if (value.version !== header.version)
    throw new UsageError(
      `${file}: has version ${String(value.version)}, but this Isoline reads version ${header.version}`,
    );
}

function copyIn(file: string, number: number, line: string): { source: string; revision: number } {
  const value = jsonOf(line);
  if (isRecord(value) && typeof value.source === "string" && typeof value.revision === "number")
    return { source: value.source, revision: value.revision };
  throw new UsageError(`${file}: line ${number} is not a line of an export; the file may be cut off`);
}

/** Waits for a server that compiles in batches, so that it is ready for the next source. */
async function whenCompiled(place: Place, source: string, answer: unknown): Promise<void> {
  for (let state = answer; isRecord(state) && state.left; ) {
    await sleep(lookMs);
    state = (await place.get(`sources/${source}`)).answer;
  }
}

const detailOf = (answer: unknown): string =>
  isRecord(answer) ? `${String(answer.code ?? "")} ${String(answer.detail ?? "")}` : "no reason given";

function answerOf({ status, answer }: ServerAnswer): object {
  if (status !== 200)
    throw new Error(
      `the answer is ${status}: ${detailOf(answer)}${status === 401 ? "; a token of the role admin is required" : ""}`,
    );
  return answer as object;
}

async function at(
  name: string,
  options: FleetCommandOptions,
  work: (place: Place) => Promise<number>,
): Promise<number> {
  const sqlite = /^sqlite:(.+)$/.exec(name)?.[1];
  const place = sqlite ? await placeOfFile(sqlite) : placeOfServer(name, options);
  try {
    return await work(place);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    console.error(messageOf(error));
    return 3;
  } finally {
    place.close();
  }
}

function placeOfServer(server: string, { tokenFile, caFile, insecure }: FleetCommandOptions): Place {
  const token = readToken(tokenFile);
  const urlOf = (path: string): URL => serverUrl("the server", server, path, insecure);
  urlOf("sources");
  const credentials: Pick<Parameters<typeof ask>[1], "headers" | "caFile"> = {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(caFile ? { caFile } : {}),
  };
  return {
    get: (path) => ask(urlOf(path), { method: "GET", ...credentials }),
    put: (path, body) => ask(urlOf(path), { method: "PUT", ...credentials, body: Buffer.from(body) }),
    close: () => undefined,
  };
}

/** The paths of a server, over a store that is not open in a server. */
async function placeOfFile(file: string): Promise<Place> {
  const store = await openSqliteStore(file);
  const hub = new Hub({ now: Date.now, log: (line) => console.error(line) });
  const engine = Engine.open({ store, platform: { checkKeyPair }, outlet: hub, now: Date.now });
  const sources = new PushedSources(engine);
  sources.start();
  const app = createApp({
    hub,
    sources,
    status: () => statusReport(engine, sources),
    authenticate: everyone,
  });
  const serverAnswer = async (answer: Response): Promise<ServerAnswer> => ({
    status: answer.status,
    answer: await answer.json(),
  });
  return {
    get: async (path) => serverAnswer(await app.request(`/${path}`)),
    put: async (path, body) => serverAnswer(await app.request(`/${path}`, { method: "PUT", body })),
    close() {
      hub.close();
      store.close();
    },
  };
}
