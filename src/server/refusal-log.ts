import type { Poll } from "../link/respond.js";

interface RefusalLogOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  log(line: string): void;
}

const periodMs = 60_000;
/** Lines in that time. */
const maxLines = 20;

/** Says which Envoys refuse what they are sent, or ask for something that they are refused. */
export class RefusalLog {
  #since = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #otherNameAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RefusalLogOptions) {}

  /** One line for each version that an Envoy refuses, and a few a minute in all. */
  refused({ node, type, names, version }: Poll, refused: string): void {
    const now = this.options.now();
    if (now - this.#since > periodMs) {
      this.#since = now;
      this.#lines = 0;
    }
    if (++this.#lines > maxLines) return;
    const what = names.length > 0 ? `${type} ${names.join(", ").slice(0, 256)}` : type;
    this.options.log(
      `node ${JSON.stringify(node)} refuses version ${refused} of ${what} and keeps ${version === "" ? "nothing, as it has accepted none" : version}; its own log says why`,
    );
  }

  /** An Envoy has another name for the xDS cluster than the fleet takes. Returns what it is answered. */
  otherName(
    { node, xdsCluster }: { readonly node: string; readonly xdsCluster?: string | undefined },
    names: readonly string[],
  ): string {
    const reason = `node ${JSON.stringify(node)} calls the xDS cluster ${JSON.stringify(xdsCluster)}, and a fleet has ${names.length} names for it at most: ${names.join(", ")}; make its bootstrap with the URL that the others have`;
    const now = this.options.now();
    if (now - this.#otherNameAt > periodMs) this.options.log(reason);
    this.#otherNameAt = Math.max(this.#otherNameAt, now);
    return reason;
  }
}
