import type { Context } from "hono";
import { wholeTables } from "../explain/served-config.js";
import { jsonOf } from "../link/resource-set.js";
import type { Snapshot } from "../link/snapshot.js";
import { wholeTextOf } from "../xds/routes-hole.js";
import { hiddenText, type Shown } from "./hidden.js";
import type { Inspected } from "./inspect.js";
import { nothingPublished } from "./problem.js";
import type { Identity } from "./tokens.js";

/**
 * `GET /config`: the whole served configuration, in the form of `isoline compile`, with digests in place of keys and
 * certificates. `values` states whether values that requests are compared with are shown. The body is made piece by
 * piece while it is read.
 */
export function answerConfig(c: Context, { engine }: Inspected, { role }: Identity): Response {
  const { snapshot } = engine;
  if (!snapshot) return nothingPublished(c);
  const texts = textsOf(snapshot, { values: role === "admin" });
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return c.body(body, 200, { "content-type": "application/json", "cache-control": "no-store" });
}

async function* textsOf(snapshot: Snapshot, shown: Shown): AsyncGenerator<string, undefined> {
  const { sets, mode } = snapshot;
  yield JSON.stringify({ endpoint_mode: mode, values: shown.values ? "shown" : "hidden" }).slice(0, -1);
  for (const type of ["clusters", "endpoints", "listeners", "secrets"] as const) {
    yield `,"${type}":{"resources":[`;
    let separator = "";
    for (const resource of sets[type].values()) {
      const json = jsonOf(resource, wholeTextOf);
      if (json === undefined) continue;
      yield separator + (await hiddenText(json, shown));
      separator = ",";
    }
    yield "]}";
  }
  yield* tableTexts(snapshot, shown);
  yield "}\n";
}

/** Route tables in full, host by host: one table may be most of the configuration. */
async function* tableTexts({ tables }: Snapshot, shown: Shown): AsyncGenerator<string> {
  yield ',"routes":{"resources":[';
  let next = "";
  for (const [name, hosts] of wholeTables(tables)) {
    yield `${next}{"name":${JSON.stringify(name)},"virtual_hosts":[`;
    next = ",";
    let separator = "";
    for (const json of hosts.values()) {
      yield separator + (await hiddenText(json, shown));
      separator = ",";
    }
    yield "]}";
  }
  yield "]}";
}
