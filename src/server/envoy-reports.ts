import type { Acceptance } from "../link/envoy-registry.js";
import type { Phase } from "../link/publish.js";
import type { Poll } from "../link/respond.js";
import { LogBudget } from "../log/budget.js";
import type { Log } from "../log/log.js";
import type { Metrics } from "./metrics.js";

interface EnvoyReportsOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Called when an Envoy that had another version accepts one of a publication. */
  accepted?(acceptance: PublicationAcceptance): void;
  /** Called when nothing of the state before a publication is served any more. */
  settled?(sequence: number, at: number): void;
}

/** An Envoy has accepted a version of a publication. Times in ms, by the clock of the hub. */
export interface PublicationAcceptance {
  /** The sequence of the publication. */
  readonly sequence: number;
  readonly node: string;
  readonly type: Poll["type"];
  readonly at: number;
}

interface Published {
  readonly sequence: number;
  /** The time of its first change, in ms. */
  readonly changedAt: number;
}

/** The number of publications whose acceptance is measured. */
const maxPublications = 64;
const otherNameMs = 60_000;
/** Types with one subscription of each Envoy: its first acceptance of them is logged. */
const logged: ReadonlySet<Poll["type"]> = new Set(["clusters", "listeners"]);

/** Logs and measures what Envoys report: which versions they accept and reject, and how long after a change. */
export class EnvoyReports {
  readonly #budget: LogBudget;
  readonly #publications: Published[] = [];
  #isSwitching = false;
  #otherNameAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: EnvoyReportsOptions) {
    this.#budget = new LogBudget(options);
  }

  /** Notes a publication with the time of its first change. */
  published(sequence: number, changedAt: number): void {
    this.#publications.push({ sequence, changedAt });
    if (this.#publications.length > maxPublications) this.#publications.shift();
  }

  /** Notes the phase after a publication, or after a part of one. */
  phase(phase: Phase): void {
    const isSwitching = phase === "switching";
    const last = this.#publications.at(-1);
    if (this.#isSwitching && !isSwitching && last) this.options.settled?.(last.sequence, this.options.now());
    this.#isSwitching = isSwitching;
  }

  /** One line for each version that an Envoy rejects, with a limit per minute. */
  rejected({ node, token, type, names, version }: Poll, rejected: string): void {
    this.options.metrics.count("versions_rejected_total", { type });
    this.#budget.log(
      `node ${JSON.stringify(node)} rejects version ${rejected} of ${shownType(type, names)} and keeps ${version === "" ? "nothing, because it has accepted none" : version}; see the Envoy's log for the reason`,
      "envoy-rejected",
      { node, token: token.name, type, names, version: rejected, kept: version },
    );
  }

  /** An Envoy has accepted what this server has delivered. */
  accepted({ node, token, type, names, version }: Poll, { before, afterRejection }: Acceptance): void {
    const what = `node ${JSON.stringify(node)} accepts version ${version} of ${shownType(type, names)}`;
    const fields = { node, token: token.name, type, names, version };
    if (afterRejection) this.#budget.log(`${what}, after it rejected one`, "envoy-accepted", fields);
    else if (before === "" && logged.has(type))
      this.#budget.log(`${what}, its first`, "envoy-accepted", fields);
    // An Envoy that starts accepts what was published long ago.
    if (before === "") return;
    const publication = this.#publicationOf(version);
    if (!publication) return;
    const at = this.options.now();
    this.options.metrics.observe("accept_seconds", Math.max(0, at - publication.changedAt) / 1000, { type });
    this.options.accepted?.({ sequence: publication.sequence, node, type, at });
  }

  /** The publication with the highest sequence up to that of the version: its phases have the sequences after its own. */
  #publicationOf(version: string): Published | undefined {
    const sequence = Number.parseInt(version, 10);
    return this.#publications.findLast((one) => one.sequence <= sequence);
  }

  /** An Envoy has another name for the xDS cluster than the fleet permits. Returns the detail of the answer. */
  otherName(
    { node, token, xdsCluster }: Pick<Poll, "node" | "token"> & { readonly xdsCluster?: string | undefined },
    names: readonly string[],
  ): string {
    const reason = `node ${JSON.stringify(node)} has the name ${JSON.stringify(xdsCluster)} for the xDS cluster, and a fleet has at most ${names.length} names: ${names.join(", ")}; make its bootstrap with the URL of the others`;
    const now = this.options.now();
    if (now - this.#otherNameAt > otherNameMs)
      this.options.log(reason, "envoy-cluster-name", { node, token: token.name });
    this.#otherNameAt = Math.max(this.#otherNameAt, now);
    return reason;
  }
}

const shownType = (type: Poll["type"], names: readonly string[]): string =>
  names.length > 0 ? `${type} ${names.join(", ").slice(0, 256)}` : type;
