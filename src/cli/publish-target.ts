import type { Finding } from "../schema/meta.js";
import { messageOf } from "../schema/words.js";
import { ask } from "./client.js";

/** The server's answer to a push; problem details when it is refused. */
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
  /** Units that the server still has to compile. */
  readonly left?: number;
  /** Sources that Envoys have and that were not pushed again since the server lost its store. */
  readonly missing?: number;
}

/** One server of a publication. */
export interface PublishTarget {
  /** The URL as given on the command line. */
  readonly to: string;
  /** The URL of the push, with its query. */
  readonly url: URL;
  readonly credentials: Pick<Parameters<typeof ask>[1], "headers" | "caFile">;
}

/** The result of one request to a server; `failure` is set if the server did not accept the push. */
export interface PublishOutcome {
  readonly target: PublishTarget;
  readonly answer: Answer;
  /** The reason, as text. */
  readonly failure?: string;
  /** The exit code of a failure: 1 when the server refuses, 3 when it can't be reached or fails. */
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
    const response = await ask(url, { method: "PUT", ...credentials, headers, ...(body ? { body } : {}) });
    const answer = response.answer as Answer;
    if (response.status === 200) {
      const whole = answer.left && !dryRun ? await whenCompiled(target, answer) : answer;
      return { target, answer: whole, code: 0 };
    }
    const why = `${target.to} refuses (${response.status} ${answer.code ?? ""}): ${answer.detail ?? "no reason given"}`;
    const failure = `${why}${fixOf(answer)}`;
    return { target, answer, failure, code: response.status >= 500 ? 3 : 1 };
  } catch (error) {
    return { target, answer: {}, failure: messageOf(error), code: 3 };
  }
}

/** The findings are complete only when everything is compiled. */
async function whenCompiled({ url, credentials }: PublishTarget, answer: Answer): Promise<Answer> {
  const source = new URL(url.pathname, url);
  for (let looks = 0; looks < maxLooks; looks++) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const response = await ask(source, { method: "GET", ...credentials });
    const { revision, left, findings = [] } = response.answer as Answer;
    // The publisher of a newer push reports its findings.
    if (response.status !== 200 || revision !== answer.revision) return answer;
    if (!left) return { ...answer, changed: true, findings };
  }
  return answer;
}

const fixes: Readonly<Record<string, string>> = {
  unauthorized:
    "; give --token-file, or ISOLINE_TOKEN, with a token of the role publish (or preview, for --dry-run)",
  shrink: " (--accept-shrink)",
  "settings-missing": " (--settings FILE, or --default-settings)",
  "stale-revision":
    "; if there is a newer push, this one is not needed; otherwise give a higher --revision (with git: commit the change first)",
};
const fixOf = ({ code }: Answer): string => (code && fixes[code]) || "";
