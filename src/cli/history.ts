import { messageOf, plural } from "../schema/words.js";
import { isSimpleName } from "../server/tokens.js";
import type { HistoryEntry } from "../sources/push/changes.js";
import { ask } from "./client.js";
import { wholeNumber } from "./publish.js";
import { readToken, serverUrl } from "./server-url.js";
import { UsageError } from "./usage.js";

/** The options of `isoline history`, as commander passes them. */
export interface HistoryCommandOptions {
  readonly xds: string;
  readonly source: string;
  readonly last?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly insecure?: boolean;
  readonly format: "text" | "json";
}

interface Answer {
  readonly detail?: string;
  readonly revisions?: readonly HistoryEntry[];
}

/**
 * `isoline history`: prints the kept revisions of a source: who pushed each, when, and the changed objects. Returns
 * the exit code: 1 when the server refuses, 3 when it can't be reached.
 *
 * @throws UsageError when an option is not valid.
 */
export async function historyCommand(options: HistoryCommandOptions): Promise<number> {
  const { xds, source, last, tokenFile, caFile, insecure, format } = options;
  if (!isSimpleName(source)) throw new UsageError(`--source ${source}: expected a DNS name, such as web`);
  const url = serverUrl("--xds", xds, `sources/${source}/revisions`, insecure);
  if (last !== undefined) {
    if (wholeNumber("--last", last) === 0) throw new UsageError("--last 0: expected a number from 1");
    url.searchParams.set("last", last);
  }
  const token = readToken(tokenFile);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  try {
    const { status, answer } = await ask(url, { method: "GET", headers, ...(caFile ? { caFile } : {}) });
    const { detail = "no reason given", revisions = [] } = answer as Answer;
    if (status !== 200) {
      const advice = status === 401 ? "; give --token-file with a token of the role publish or admin" : "";
      console.error(`${xds} refuses (${status}): ${detail}${advice}`);
      return status >= 500 ? 3 : 1;
    }
    const text = format === "json" ? `${JSON.stringify(revisions)}\n` : revisions.map(formatEntry).join("");
    process.stdout.write(text);
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 3;
  }
}

function formatEntry({ revision, at, by, first, changes }: HistoryEntry): string {
  const again = first ? `; first as revision ${first.revision}, ${whenAndWho(first)}` : "";
  const lines = [`revision ${revision}  ${whenAndWho({ at, by })}${again}`];
  if (!changes) lines.push("  the changes are not known");
  else {
    const signs = [
      ["+", changes.added],
      ["~", changes.changed],
      ["-", changes.removed],
    ] as const;
    for (const [sign, { count, refs }] of signs) {
      for (const ref of refs) lines.push(`  ${sign} ${ref}`);
      if (count > refs.length) lines.push(`  ${sign} and ${plural(count - refs.length, "more object")}`);
    }
    if (lines.length === 1) lines.push("  no object");
  }
  return `${lines.join("\n")}\n`;
}

const whenAndWho = ({ at, by }: Pick<HistoryEntry, "at" | "by">): string =>
  `${at === 0 ? "at an unknown time" : new Date(at).toISOString()}${by ? ` by ${by}` : ""}`;
