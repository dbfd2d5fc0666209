import { readFileSync } from "node:fs";
import { isRecord } from "../schema/issues.js";
import { type Env, InputError } from "./inputs.js";

/** The event of a workflow run. */
export interface WorkflowEvent {
  /** For a pull request: its number, the newest commit of its target branch, and its own newest commit. */
  readonly pullRequest?: { readonly number: number; readonly base: string; readonly head: string };
  /** Whether the run is for the default branch, which is deployed. */
  readonly isDefaultBranch: boolean;
}

/** @throws InputError when the file of the event can't be read. */
export function readEvent({ GITHUB_EVENT_NAME = "", GITHUB_EVENT_PATH, GITHUB_REF }: Env): WorkflowEvent {
  if (!GITHUB_EVENT_PATH) throw new InputError("GITHUB_EVENT_PATH is missing: run this in GitHub Actions");
  const payload: unknown = JSON.parse(readFileSync(GITHUB_EVENT_PATH, "utf8"));
  const repository = fieldOf(payload, "repository");
  const branch = fieldOf(repository, "default_branch");
  const isDefaultBranch = deploying.has(GITHUB_EVENT_NAME) && GITHUB_REF === `refs/heads/${branch}`;
  const request = fieldOf(payload, "pull_request");
  const number = fieldOf(request, "number");
  const base = fieldOf(fieldOf(request, "base"), "sha");
  const head = fieldOf(fieldOf(request, "head"), "sha");
  if (typeof number !== "number" || typeof base !== "string" || typeof head !== "string")
    return { isDefaultBranch };
  return { isDefaultBranch: false, pullRequest: { number, base, head } };
}

/**
 * Events whose runs check out the default branch. Runs of others, such as `issue_comment`, often check out a pull
 * request.
 */
const deploying = new Set(["push", "schedule", "workflow_dispatch"]);

const fieldOf = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);
