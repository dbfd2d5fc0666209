import { createHash } from "node:crypto";
import { plural } from "../schema/words.js";
import { type GitHubApi, GitHubError } from "./github-api.js";

/** GitHub's limit of characters in a comment. */
const maxBody = 65_536;
/** The limits of listed findings and of their characters. The summary of the job has all findings. */
const maxRows = 20;
const maxRowSize = 20_000;

/** The start of a comment, by which later runs find it. Each set of files has its own comment. */
export const markerOf = (files: readonly string[]): string =>
  `<!-- isoline action ${createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 12)} -->`;

export interface CommentParts {
  readonly marker: string;
  /** Markdown of `isoline check` and of `isoline diff`. */
  readonly check: string;
  readonly diff: string;
  /** A line at the end. */
  readonly footer: string;
}

/** The text of a comment, within GitHub's limit. */
export function commentText({ marker, check, diff, footer }: CommentParts): string {
  const head = `${marker}\n${fewRows(check)}\n`;
  const foot = `\n${footer}\n`;
  return head + fitted(diff, maxBody - head.length - foot.length) + foot;
}

/** The Markdown with only the first rows of its table of findings. */
function fewRows(markdown: string): string {
  let rows = 0;
  let size = 0;
  let more = 0;
  const lines = markdown.split("\n").filter((line) => {
    if (!/^\| (?:error|warning) /.test(line)) return true;
    size += line.length;
    if (++rows <= maxRows && size <= maxRowSize) return true;
    more++;
    return false;
  });
  return more > 0
    ? `${lines.join("\n")}\n${plural(more, "more finding")}: see the summary of the job.\n`
    : lines.join("\n");
}

const cut = "\n\nThe rest is too long for a comment: see the summary of the job.\n";

/** Cuts text between two folded sections, so that every fence and tag is closed. */
function fitted(markdown: string, limit: number): string {
  if (markdown.length <= limit) return markdown;
  const end = markdown.lastIndexOf("\n<details>", limit - cut.length);
  return markdown.slice(0, Math.max(0, end)) + cut;
}

/**
 * Adds a comment to a pull request, or updates the comment of an earlier run. Returns the result, or the reason of a
 * failure: the token of a run for a fork must not comment.
 */
export async function publishComment(
  api: GitHubApi,
  issue: number,
  marker: string,
  body: string,
): Promise<string> {
  try {
    const found = await api.findComment(issue, marker);
    if (found?.body === body) return "the comment is up to date";
    if (found) await api.changeComment(found.id, body);
    else await api.addComment(issue, body);
    return found ? "the comment is updated" : "the comment is added";
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    const permission = error.status === 403 || error.status === 404;
    const why = permission
      ? "; the token needs the permission pull-requests: write, which runs for forks lack"
      : "";
    return `no comment: ${error.message}${why}; the summary of the job has the same text`;
  }
}
