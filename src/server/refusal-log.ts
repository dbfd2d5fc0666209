import type { Poll } from "../link/respond.js";

interface RefusalLogOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  log(line: string): void;
}

const periodMs = 60_000;
/** Maximum number of lines in that time. */
const maxLines = 20;

/** Logs which Envoys reject a version, or send a request that is refused. */
export class RefusalLog {
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #otherNameAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RefusalLogOptions) {}

  /** One line for each version that an Envoy rejects, with a limit per minute. */
  refused({ node, type, names, version }: Poll, refused: string): void {
    const now = this.options.now();
    if (now - this.#since > periodMs) {
      this.#since = now;
      this.#lines = 0;
    }
    if (++this.#lines > maxLines) return;
    const what = names.length > 0 ? `${type} ${names.join(", ").slice(0, 256)}` : type;
    this.options.log(
      `node ${JSON.stringify(node)} rejects version ${refused} of ${what} and keeps ${version === "" ? "nothing, because it has accepted none" : version}; see the Envoy's log for the reason`,
    );
  }

  /** An Envoy has another name for the xDS cluster than the fleet permits. Returns the detail of the answer. */
  otherName(
    { node, xdsCluster }: { readonly node: string; readonly xdsCluster?: string | undefined },
    names: readonly string[],
  ): string {
    const reason = `node ${JSON.stringify(node)} has the name ${JSON.stringify(xdsCluster)} for the xDS cluster, and a fleet has at most ${names.length} names: ${names.join(", ")}; make its bootstrap with the URL of the others`;
    const now = this.options.now();
    if (now - this.#otherNameAt > periodMs) this.options.log(reason);
    this.#otherNameAt = Math.max(this.#otherNameAt, now);
    return reason;
  }
}
