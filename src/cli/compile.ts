import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeYaml } from "../documents/write.js";
import { orphanFindings } from "../graph/core/orphan.js";
import type { Body, Bytes } from "../link/body.js";
import { encodeResponse } from "../link/respond.js";
import { link, type Snapshot, xdsTypes } from "../link/snapshot.js";
import { withWholeTables } from "../link/split.js";
import { formatVersion } from "../link/version.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { replacePrivateFile } from "../platform/private-file.js";
import { findingsAt } from "../schema/meta.js";
import { formatLocated, locateAll } from "../sources/files/objects.js";
import { readSettings } from "../sources/files/settings-file.js";
import { type ObjectStatus, statuses } from "../status/status.js";
import { createMemoryStore } from "../store/memory.js";
import { update } from "../update.js";
import { type InputOptions, readInput } from "./kube-manifests.js";

export interface CompileCommandOptions extends InputOptions {
  readonly settings?: string;
  readonly output: string;
  readonly format: "json" | "yaml" | "envoy-files";
  readonly strict?: boolean;
  readonly stats?: boolean;
  readonly status?: boolean;
}

/** `isoline compile`: compiles manifests or a cluster's objects to xDS. Returns the exit code. */
export async function compileCommand(options: CompileCommandOptions): Promise<number> {
  const start = performance.now();
  const { settings: asked, findings, locate } = readSettings(options.settings);
  const { settings, ...manifests } = await readInput(options, asked);
  const loaded = performance.now();
  const store = createMemoryStore();
  const { units } = update(store, [settings, ...manifests.objects], { checkKeyPair });
  const compiled = performance.now();
  const snapshot = link(store, withWholeTables(settings.spec));
  const bodies = bodiesOf(snapshot);
  const linked = performance.now();

  const located = [
    ...findings.map(locate),
    ...manifests.located,
    ...locateAll(
      [
        ...findingsAt(Date.now(), store.findings()),
        ...orphanFindings(store, settings.spec),
        ...snapshot.findings,
      ],
      manifests.documents,
    ),
  ];
  for (const one of located) console.error(formatLocated(one));
  const reported = performance.now();
  if (options.status) {
    const others = [...manifests.located.map(({ finding }) => finding), ...snapshot.findings];
    writeStatuses(statuses(store, settings.spec, Date.now(), { others, checkKeyPair }), options);
  } else write(snapshot, bodies, options);
  const written = performance.now();
  if (options.stats) {
    const stats = {
      objects: manifests.objects.length,
      units,
      load_ms: round(loaded - start),
      compile_ms: round(compiled - loaded),
      // A large answer is encoded while it is written, which is part of linking.
      link_ms: round(linked - compiled + written - reported),
      bytes: [...bodies.values()].reduce((sum, { size }) => sum + size, 0),
      peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    };
    console.error(JSON.stringify(stats));
  }
  if (manifests.broken.size > 0) return 3;
  return options.strict && located.some(({ finding }) => finding.severity === "error") ? 1 : 0;
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** The DiscoveryResponse of each type that has resources. */
function bodiesOf(snapshot: Snapshot): Map<string, Body> {
  const bodies = new Map<string, Body>();
  for (const type of xdsTypes) {
    const resources = snapshot.sets[type];
    if (resources.size === 0) continue;
    const version = formatVersion({ sequence: 0, hash: resources.hash });
    bodies.set(type, encodeResponse(type, { resources, version }, { xdsCluster: snapshot.xdsCluster }));
  }
  return bodies;
}

function writeStatuses(all: readonly ObjectStatus[], { format, output }: CompileCommandOptions): void {
  const shown = all.map(({ apiVersion, kind, metadata, status }) => ({ apiVersion, kind, metadata, status }));
  const text = format === "yaml" ? writeYaml(shown) : `${JSON.stringify(shown, null, 2)}\n`;
  writeChunks(output, [text]);
}

type Chunks = Iterable<string | Bytes>;

function write(
  snapshot: Snapshot,
  bodies: ReadonlyMap<string, Body>,
  { format, output }: CompileCommandOptions,
): void {
  if (format === "envoy-files") {
    const folder = output === "-" ? "." : output;
    mkdirSync(folder, { recursive: true });
    for (const [type, body] of bodies) writeChunks(join(folder, `${type}.json`), body.chunks());
    return;
  }
  const json = jsonOf(snapshot, bodies);
  writeChunks(output, format === "yaml" ? [yamlOf(json)] : json);
}

function* jsonOf({ mode }: Snapshot, bodies: ReadonlyMap<string, Body>): Generator<string | Bytes> {
  yield `{"endpoint_mode":${JSON.stringify(mode)}`;
  for (const [type, body] of bodies) {
    yield `,${JSON.stringify(type)}:`;
    yield* body.chunks();
  }
  yield "}\n";
}

function yamlOf(json: Chunks): string {
  const text = Buffer.concat([...json].map((chunk) => Buffer.from(chunk as string))).toString();
  return writeYaml(JSON.parse(text));
}

/** Keys are in `secrets`, or in `listeners` when settings.secrets is `inline`. */
function writeChunks(output: string, chunks: Chunks): void {
  if (output === "-") for (const chunk of chunks) process.stdout.write(chunk);
  else replacePrivateFile(output, chunks);
}
