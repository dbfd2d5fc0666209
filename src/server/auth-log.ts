import type { Log } from "../log/log.js";
import type { Refusal } from "./auth.js";
import { QuietLog } from "./quiet-log.js";
import type { Identity } from "./tokens.js";

interface Refused {
  readonly request: Request;
  readonly network: string;
  readonly refusal: Refusal;
  /** The token of the request, if it is known and has not the role of the path. */
  readonly token?: Identity | undefined;
}

const longestPath = 120;

/** Logs requests that are refused before they reach their path: one line for each client and status in a minute. */
export class AuthLog {
  readonly #lines: QuietLog;

  constructor(
    private readonly log: Log,
    now: () => number,
    /** Whether errors of polls are logged elsewhere. */
    private readonly withoutPolls: boolean,
  ) {
    this.#lines = new QuietLog(log, now);
  }

  refused({ request, network, refusal: { status, code }, token }: Refused): void {
    // The host of a request may be no valid name.
    const pathname = URL.canParse(request.url) ? new URL(request.url).pathname : "";
    if (this.withoutPolls && pathname.startsWith("/v3/discovery:")) return;
    const name = token?.name || token?.id;
    if (!this.#lines.admits(`${network} ${status} ${name ?? ""}`)) return;
    // The last part of a hook's path is a token.
    const path = pathname.replace(/^(\/hooks\/[^/]*\/).+/, "$1…").slice(0, longestPath);
    const { method } = request;
    const why = name === undefined ? "" : `; the token ${name} has not the role of the path`;
    this.log(
      `a request is refused with ${status} ${code}: ${method} ${path}${network ? ` from ${network}` : ""}${why}`,
      "authentication-failed",
      { from: network, method, path, status, code, token: name },
    );
  }
}
