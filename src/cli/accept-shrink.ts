import { resources } from "../kubernetes/resources.js";
import { ask } from "./client.js";
import { readToken, serverUrl } from "./server-url.js";
import { UsageError } from "./usage.js";

/** The options of `isoline accept-shrink`, as commander passes them. */
export interface AcceptShrinkCommandOptions {
  readonly xds: string;
  readonly cluster?: string;
  readonly expect?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly insecure?: boolean;
}

interface Answer {
  readonly detail?: string;
  readonly deleted?: number;
}

/**
 * `isoline accept-shrink`: confirms held deletions of a kind. Returns the exit code: 1 when the server refuses.
 *
 * @throws UsageError when an argument is not valid.
 * @throws Error when the server can't be reached.
 */
export async function acceptShrinkCommand(
  kind: string,
  options: AcceptShrinkCommandOptions,
): Promise<number> {
  const { xds, cluster, expect, tokenFile, caFile, insecure } = options;
  if (!resources.some((one) => one.kind === kind))
    throw new UsageError(`${kind}: expected a followed kind, such as HTTPProxy or Secret`);
  if (expect !== undefined && !/^\d+$/.test(expect))
    throw new UsageError(`--expect ${expect}: expected a whole number`);
  const url = serverUrl("--xds", xds, "accept-shrink", insecure);
  const query = { kind, ...(cluster ? { cluster } : {}), ...(expect ? { expect } : {}) };
  url.search = new URLSearchParams(query).toString();
  const token = readToken(tokenFile);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const response = await ask(url, { method: "POST", headers, ...(caFile ? { caFile } : {}) });
  const { detail = "", deleted = 0 } = response.answer as Answer;
  if (response.status !== 200) {
    const advice =
      response.status === 401 ? "; give --token-file, or ISOLINE_TOKEN, with a token of the role admin" : "";
    console.error(`${url.origin} refuses (${response.status}): ${detail}${advice}`);
    return 1;
  }
  console.error(`${kind}: confirmed; ${deleted} objects are deleted at once`);
  return 0;
}
