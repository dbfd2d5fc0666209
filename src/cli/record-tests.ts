import { existsSync, writeFileSync } from "node:fs";
import { writeYaml } from "../documents/write.js";
import { readRequest } from "../explain/request.js";
import { observe } from "../route-tests/observed.js";
import { type Recordable, recordables, recordedTest } from "../route-tests/record.js";
import { printable } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import type { Explainer, ExplainerOptions } from "./explain.js";
import { hostsOf } from "./graph-hosts.js";
import { UsageError } from "./usage.js";

export interface RecordOptions extends ExplainerOptions {
  readonly overwrite?: boolean;
}

/**
 * Writes a test for each route of each host of the current configuration, in the order of hosts and routes. Returns
 * the exit code.
 */
export async function recordTests(
  file: string,
  explainer: Explainer,
  options: RecordOptions,
): Promise<number> {
  if (file !== "-" && existsSync(file) && !options.overwrite)
    throw new UsageError(`--record ${file}: the file exists; --overwrite replaces it`);
  const tests: unknown[] = [];
  const skipped: Recordable[] = [];
  for (const one of recordables(await hostsOf(explainer, options, { requests: true }))) {
    if (!one.request) skipped.push(one);
    else {
      const { method, url, headers } = one.request;
      const explanation = await explainer.explain(one.request);
      tests.push(recordedTest(one.request, observe(explanation, readRequest(method, url, headers).query)));
    }
  }
  for (const one of skipped) console.error(`not recorded: ${printable(describe(one))}`);
  if (tests.length === 0) throw new Error("the configuration has no routes to record");
  const text = writeYaml({ tests });
  if (file === "-") process.stdout.write(text);
  else writeFileSync(file, text);
  console.error(
    `${plural(tests.length, "test")} recorded${skipped.length > 0 ? `, ${plural(skipped.length, "route")} not` : ""}`,
  );
  return explainer.broken ? 3 : 0;
}

function describe({ host, match, origin }: Recordable): string {
  const from = origin ? ` (${origin.ref} ${origin.field})` : "";
  const why = match?.includes("(hidden)")
    ? "the server shows its values only to the role admin"
    : "no request was found that reaches it; earlier routes may match all";
  return `${host} ${match}${from}: ${why}`;
}
