import { readFileSync } from "node:fs";
import { isRecord } from "../schema/issues.js";
import { type Env, InputError } from "./inputs.js";

/** What a run of a workflow is for. */
export interface WorkflowEvent {
  /** Of a pull request: its number, the newest commit of the branch that it is for, and its own. */
  readonly pullRequest?: { readonly number: number; readonly base: string; readonly head: string };
  /** Whether it is of the branch that is deployed: the default branch, as it is. */
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

/** Events of the default branch that run what is on it; others, such as `issue_comment`, often check out a pull request. */
const deploying = new Set(["push", "schedule", "workflow_dispatch"]);

const fieldOf = (value: unknown, key: string): unknown => (isRecord(value) ? value[key] : undefined);
