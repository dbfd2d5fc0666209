import { appendFileSync, existsSync, statSync } from "node:fs";
import { changesIn, type Review, type ReviewedChange, review } from "../explain/review.js";
import { formatReview, markdownReview, type Remarks } from "../explain/review-text.js";
import { isEndpointKind } from "../schema/meta.js";
import { hidden } from "../server/hidden.js";
import { readSettings } from "../sources/files/settings-file.js";
import type { AssumptionOptions } from "./assumptions.js";
import { compileSides } from "./compiled.js";
import { readSides, type SideArguments } from "./side-words.js";
import { readSide, type SideOptions } from "./sides.js";
import {
  assumedIn,
  type ComparedSide,
  formatUncompared,
  hiddenValues,
  rewrittenIn,
  type Uncompared,
  uncomparedIn,
  untriedIn,
} from "./uncompared.js";
import { UsageError } from "./usage.js";

export interface DiffCommandOptions
  extends AssumptionOptions,
    SideOptions,
    Pick<SideArguments, "from" | "to"> {
  readonly settings?: string;
  /** The settings of the side before, if they differ. */
  readonly settingsBefore?: string;
  readonly format: "text" | "json" | "markdown";
  /** Whether the review is also written to the summary of a step of GitHub Actions. */
  readonly stepSummary?: boolean;
  /** Whether changes, and objects that could not be compared, give exit code 1. */
  readonly exitCode?: boolean;
}

/** `isoline diff`: reports the changes for traffic between two sides. Returns the exit code. */
export async function diffCommand(
  before: string | undefined,
  after: string | undefined,
  options: DiffCommandOptions,
): Promise<number> {
  if (options.settingsBefore !== undefined && options.settings === undefined)
    throw new UsageError("--settings-before is for the side before; give --settings for the side after");
  const summaryFile = options.stepSummary ? stepSummaryFile() : undefined;
  const words = readSides({ before, after, from: options.from, to: options.to });
  const [a, b] = await compiledSides(words, options);
  const reviewed = withoutUnknown(review(endpointsKnown(a), endpointsKnown(b)), a, b);
  const uncompared = [
    ...uncomparedIn(a, b),
    ...assumedIn(a, b),
    ...hiddenValues(a, b),
    ...untriedIn(reviewed),
  ];
  const rewritten = rewrittenIn(a, b);
  const remarks = { uncompared: formatUncompared(uncompared), rewritten };
  process.stdout.write(printed(reviewed, { ...remarks, objects: uncompared }, options));
  if (summaryFile !== undefined) appendSummary(summaryFile, reviewed, remarks);
  if (a.compiled?.broken || b.compiled?.broken) return 3;
  return options.exitCode && changesIn(reviewed).length + uncompared.length > 0 ? 1 : 0;
}

function printed(
  reviewed: Review,
  { objects, ...remarks }: Remarks & { readonly objects: readonly Uncompared[] },
  { format }: DiffCommandOptions,
): string {
  if (format === "markdown") return markdownReview(reviewed, remarks);
  if (format === "text") return formatReview(reviewed, remarks);
  const { hosts, rewritten } = reviewed;
  const output = {
    changes: changesIn(reviewed),
    hosts: hosts.map(({ host, risk, requests }) => ({ host, risk, requests })),
    uncompared: objects,
    rewritten: { hosts: rewritten, objects: remarks.rewritten },
  };
  return `${JSON.stringify(output, null, 2)}\n`;
}

type Sides = readonly [ComparedSide, ComparedSide];

async function compiledSides(
  words: ReturnType<typeof readSides>,
  options: DiffCommandOptions,
): Promise<Sides> {
  const now = readSettings(options.settings);
  const old = options.settingsBefore === undefined ? now : readSettings(options.settingsBefore);
  const sides = [
    { ...(await readSide(words[0], words[1], old.settings, options)), named: old },
    { ...(await readSide(words[1], words[0], now.settings, options)), named: now },
  ];
  const ofObjects = sides.flatMap((side) => ("input" in side ? [side] : []));
  const compiled = compileSides(ofObjects, options);
  const [a, b] = sides.map((side): ComparedSide => {
    if (!("input" in side)) return { ...side, isLive: true };
    const own = compiled[ofObjects.indexOf(side)];
    if (!own) throw new Error(`${side.label} is not compiled`);
    return { compiled: own, config: own.config, isLive: side.isLive };
  });
  if (!a || !b) throw new Error("a comparison has two sides");
  if (a.values === undefined && b.values === undefined) return [a, b];
  const values = a.values !== "hidden" && b.values !== "hidden";
  return [
    { ...a, config: await hidden(a.config, { values }) },
    { ...b, config: await hidden(b.config, { values }) },
  ];
}

/**
 * Endpoints are known in all namespaces of a live side; for files, in the namespaces with EndpointSlices among them.
 */
function endpointsKnown({ config, isLive, compiled }: ComparedSide): Parameters<typeof review>[0] {
  const known = new Set(
    compiled?.manifests.objects.filter(({ kind }) => isEndpointKind(kind)).map(({ meta }) => meta.namespace),
  );
  return { config, knowsEndpoints: (cluster) => isLive || known.has(cluster.split("/")[0] ?? "") };
}

/**
 * Removes changes about objects that only the live side can have: endpoints of namespaces without any in the files,
 * and the contents of assumed objects.
 */
function withoutUnknown(reviewed: Review, a: ComparedSide, b: ComparedSide): Review {
  if (a.isLive === b.isLive) return reviewed;
  const files = endpointsKnown(a.isLive ? b : a);
  const assumed = new Set<string>(assumedIn(a, b).map(({ about }) => about));
  const isUnknown = ({ kind, name }: ReviewedChange): boolean => {
    if (kind === "endpoints" && !files.knowsEndpoints(name)) return true;
    if (kind === "certificate") return assumed.has(`Secret/${name}`);
    const [namespace, service] = name.split("/");
    return (kind === "cluster" || kind === "endpoints") && assumed.has(`Service/${namespace}/${service}`);
  };
  return { ...reviewed, others: reviewed.others.filter((change) => !isUnknown(change)) };
}

/** GitHub's limit for each step is 1 MiB. */
const maxSummary = 1 << 20;

/** @throws UsageError outside of GitHub Actions. */
function stepSummaryFile(): string {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file) return file;
  throw new UsageError(
    "--step-summary: $GITHUB_STEP_SUMMARY is not set; it is set only in a step of GitHub Actions",
  );
}

function appendSummary(file: string, reviewed: Review, remarks: Remarks): void {
  const written = existsSync(file) ? statSync(file).size : 0;
  appendFileSync(file, markdownReview(reviewed, remarks, Math.max(0, maxSummary - written)));
}
