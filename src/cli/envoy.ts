import { type ConfigDump, canonical, readConfigDump } from "../explain/config-dump.js";
import { aligned, diff } from "../explain/diff.js";
import { type RaisedFlag, raisedFlags, responseFlags } from "../explain/response-flags.js";
import { changesIn, type Review, reviewOf } from "../explain/review.js";
import { formatReview } from "../explain/review-text.js";
import { isRecord } from "../schema/issues.js";
import { printable } from "../schema/printable.js";
import { hidden } from "../server/hidden.js";
import { parseConfig } from "./config-file.js";
import { askAdmin } from "./envoy-admin.js";
import { askServer, type ServerAccess } from "./server-url.js";

/** The options of `isoline envoy` as commander passes them. */
export interface EnvoyCommandOptions extends ServerAccess {
  readonly xds?: string;
  readonly format: "text" | "json";
  /** Prints Envoy's response flags, without a request. */
  readonly flags?: boolean;
}

interface Compared {
  readonly dump: ConfigDump;
  /** Absent if no server is given. */
  readonly review?: Review;
  readonly flags: readonly RaisedFlag[];
}

/**
 * `isoline envoy`: compares the configuration of a running Envoy with the configuration that the server serves, and
 * lists the response flags whose counters have risen. Returns the exit code: 1 if they differ or Envoy rejects
 * something.
 */
export async function envoyCommand(admin: string | undefined, options: EnvoyCommandOptions): Promise<number> {
  if (admin === undefined || options.flags) {
    process.stdout.write(flagTable());
    return 0;
  }
  const compared = await compare(admin, options);
  const { review, dump } = compared;
  process.stdout.write(
    options.format === "json"
      ? `${JSON.stringify(reportOf(compared), null, 2)}\n`
      : textOf(compared, options),
  );
  return (review && changesIn(review).length > 0) || dump.refusals.length > 0 ? 1 : 0;
}

async function compare(admin: string, options: EnvoyCommandOptions): Promise<Compared> {
  const dump = readConfigDump(await askAdmin(admin, "/config_dump?include_eds"));
  const flags = raisedFlags(countersOf(await askAdmin(admin, "/stats?format=json&usedonly&type=Counters")));
  if (options.xds === undefined) return { dump, flags };
  const served = parseConfig(await askServer("--xds", options.xds, "config", options), options.xds);
  // Values that the server hides are not differences.
  const shown = { values: served.values === "shown" };
  const own = await hidden(dump.config, shown);
  const [has, should] = aligned(
    canonical(own, dump.hasEndpoints),
    canonical(served.config, dump.hasEndpoints),
  );
  return { dump, flags, review: reviewOf(diff(has, should), should) };
}

function countersOf(value: unknown): (readonly [string, number])[] {
  const stats = isRecord(value) && Array.isArray(value.stats) ? value.stats : [];
  return stats.flatMap((one: unknown) =>
    isRecord(one) && typeof one.name === "string" && typeof one.value === "number"
      ? [[one.name, one.value] as const]
      : [],
  );
}

const reportOf = ({ dump, review, flags }: Compared): object => ({
  versions: dump.versions,
  refusals: dump.refusals,
  ...(review ? { changes: changesIn(review) } : {}),
  flags,
});

function textOf({ dump, review, flags }: Compared, { xds }: EnvoyCommandOptions): string {
  const { listeners, tables, clusters, endpoints, secrets } = dump.config;
  const counts = [
    `${listeners.size} listeners`,
    `${tables.size} route tables`,
    `${clusters.size} clusters`,
    `${endpoints.size} endpoints`,
    `${secrets.size} certificates`,
  ];
  const lines = [`Envoy has ${counts.join(", ")}`];
  for (const { what, why } of dump.refusals) lines.push(`refuses ${what}: ${why}`);
  if (review && changesIn(review).length === 0) lines.push(`it has what ${xds} serves`);
  else if (review) {
    lines.push(`what ${xds} serves differs from what it has (- Envoy's, + served)`);
    const remarks = { uncompared: [], rewritten: [] };
    lines.push(
      ...formatReview(review, remarks)
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`),
    );
  }
  lines.push(
    "",
    flags.length === 0 ? "no response flag has come up since Envoy's start" : "since Envoy's start",
  );
  for (const { flag, meaning, look, total, places } of flags) {
    lines.push(`  ${flag} ${total}  ${meaning}`);
    lines.push(`      in ${places.map(({ place, count }) => `${place} (${count})`).join(", ")}`);
    lines.push(`      look at ${look}`);
  }
  return lines.map((line) => `${printable(line)}\n`).join("");
}

const flagTable = (): string =>
  responseFlags
    .map(({ flag, meaning, look }) => `${flag.padEnd(4)}  ${meaning}\n      look at ${look}\n`)
    .join("");
