import type { Finding } from "../schema/meta.js";
import { messageOf } from "../schema/words.js";
import { ask } from "./client.js";

/** What the server says of a push; problem details when it is refused. */
interface Answer {
  readonly code?: string;
  readonly detail?: string;
  readonly revision?: number;
  /** The revision before it. */
  readonly before?: number;
  readonly objects?: number;
  readonly changed?: boolean;
  readonly traffic?: readonly string[];
  readonly findings?: readonly Finding[];
  /** What the server has still to compile. */
  readonly left?: number;
  /** Sources that Envoys have and that were not pushed again since the server lost its store. */
  readonly missing?: number;
}

/** One server that is published to. */
export interface PublishTarget {
  /** As it was given. */
  readonly to: string;
  /** The push, with its query. */
  readonly url: URL;
  readonly credentials: Pick<Parameters<typeof ask>[1], "headers" | "caFile">;
}

/** What came of one request to a server; `failure` is set where the push was not taken. */
export interface PublishOutcome {
  readonly target: PublishTarget;
  readonly answer: Answer;
  /** Why it was not taken, in words. */
  readonly failure?: string;
  /** Of the failure: 1 when the server refuses, 3 when it can't be reached or fails. */
  readonly code: 0 | 1 | 3;
}

const lookMs = 300;
const maxLooks = 1000;

/** Sends a push; without a body it is a rollback. Waits for a server that compiles in batches. Never throws. */
export async function send(
  target: PublishTarget,
  body: Uint8Array | undefined,
  dryRun: boolean,
): Promise<PublishOutcome> {
  const url = new URL(target.url);
  if (dryRun) url.searchParams.set("dry-run", "1");
  const { credentials } = target;
  const headers = { ...(body ? { "content-encoding": "gzip" } : {}), ...credentials.headers };
  try {
    const told = await ask(url, { method: "PUT", ...credentials, headers, ...(body ? { body } : {}) });
    const answer = told.answer as Answer;
    if (told.status === 200) {
      const whole = answer.left && !dryRun ? await whenCompiled(target, answer) : answer;
      return { target, answer: whole, code: 0 };
    }
    const why = `${target.to} refuses (${told.status} ${answer.code ?? ""}): ${answer.detail ?? "no reason given"}`;
    const failure = `${why}${fixOf(answer)}`;
    return { target, answer, failure, code: told.status >= 500 ? 3 : 1 };
  } catch (error) {
    return { target, answer: {}, failure: messageOf(error), code: 3 };
  }
}

/** Only when all is compiled all findings are known. */
async function whenCompiled({ url, credentials }: PublishTarget, answer: Answer): Promise<Answer> {
  const source = new URL(url.pathname, url);
  for (let looks = 0; looks < maxLooks; looks++) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const looked = await ask(source, { method: "GET", ...credentials });
    const { revision, left, findings = [] } = looked.answer as Answer;
    // A newer push has its own publisher to tell.
    if (looked.status !== 200 || revision !== answer.revision) return answer;
    if (!left) return { ...answer, changed: true, findings };
  }
  return answer;
}

const fixes: Readonly<Record<string, string>> = {
  unauthorized:
    "; give --token-file, or ISOLINE_TOKEN, with a token of the role publish (for --dry-run, preview will do)",
  shrink: " (--accept-shrink)",
  "settings-missing": " (--settings FILE, or --default-settings)",
  "stale-revision":
    "; where a newer push is there, this one is not needed; else give a higher --revision (with git: commit the change first)",
};
const fixOf = ({ code }: Answer): string => (code && fixes[code]) || "";
