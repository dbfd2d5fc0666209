import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeResponse } from "../../src/link/respond.js";
import { selectVersion, serveSet } from "../../src/link/served.js";
import { link } from "../../src/link/snapshot.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { parseObject } from "../../src/schema/object.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { encodeBody } from "../support/body.js";
import { sourceOf } from "../support/source.js";
import { application, applications } from "./apps.js";
import type { Figures } from "./spread.js";

const isoline = fileURLToPath(new URL("../isoline.js", import.meta.url));
const changes = 11;

/**
 * Builds Contour's compiler from its source, which keeps it in internal packages: the bench is built inside a copy.
 *
 * @param source a checkout, or the folder of the Go module
 * @returns the program
 */
export function buildContour(source: string, cache: string): string {
  const copy = join(cache, "contour");
  if (!existsSync(join(source, "internal", "dag"))) throw new Error(`${source} is not the source of Contour`);
  cpSync(source, copy, { recursive: true, force: true });
  execFileSync("chmod", ["-R", "u+w", copy]);
  const command = join(copy, "cmd", "isoline-bench");
  mkdirSync(command, { recursive: true });
  cpSync("test/bench/peers/contour/main.go", join(command, "main.go"));
  const program = join(cache, "contour-bench");
  execFileSync("go", ["build", "-trimpath", "-o", program, "./cmd/isoline-bench"], { cwd: copy });
  return program;
}

/** Load, compile and link of a file to JSON, in a process of its own as the peer's. */
function wholeOf(file: string): Figures {
  const command = `"${process.execPath}" "${isoline}" compile -f "${file}" --stats -o /dev/null 2>&1`;
  const text = execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" });
  const stats = JSON.parse(text.trim().split("\n").at(-1) ?? "") as Record<string, number>;
  const whole_ms = (stats.load_ms ?? 0) + (stats.compile_ms ?? 0) + (stats.link_ms ?? 0);
  return { whole_ms, json_bytes: stats.bytes ?? 0 };
}

/** One route changed again and again, until the JSON of its route table (or the part that it is in) is there. */
async function changeOf(manifests: string, count: number): Promise<number> {
  const store = createMemoryStore();
  update(store, (await sourceOf(manifests)).objects, { checkKeyPair });
  const options = { endpoints: "inline", xdsCluster: "isoline", routeShards: "auto" } as const;
  let snapshot = link(store, options);
  const times: number[] = [];
  const namespaces = Math.max(1, Math.floor(count / 50));
  const last = count - 1;
  for (let i = 0; i < changes; i++) {
    const proxy = application(last, `team-${last % namespaces}`, `${20 + i}s`)[2];
    const began = performance.now();
    const parsed = parseObject(proxy);
    if ("object" in parsed) update(store, [parsed.object], { checkKeyPair });
    const before = snapshot.sets.routes;
    snapshot = link(store, options, snapshot);
    const served = serveSet(snapshot.sets.routes, i);
    for (const name of before.names()) {
      const selection = selectVersion(served, [name]);
      if (selection && before.get(name) !== served.set.get(name))
        encodeBody(encodeResponse("routes", selection, options));
    }
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** Both over the same manifests. */
export async function measureContour(
  program: string,
  folder: string,
  count: number,
): Promise<{ isoline: Figures; contour: Figures }> {
  const file = join(folder, `apps-${count}.jsonl`);
  writeFileSync(file, applications(count));
  return {
    isoline: { ...wholeOf(file), route_change_ms: await changeOf(readFileSync(file, "utf8"), count) },
    contour: JSON.parse(execFileSync(program, [file], { encoding: "utf8" })) as Figures,
  };
}
