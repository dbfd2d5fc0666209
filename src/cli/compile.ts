import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { encodeResponse } from "../link/respond.js";
import { link, type Snapshot, xdsTypes } from "../link/snapshot.js";
import { withWholeTables } from "../link/split.js";
import { formatVersion } from "../link/version.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { findingsAt } from "../schema/meta.js";
import { type ObjectStatus, orphanFindings, statuses } from "../status/status.js";
import { createMemoryStore } from "../store/memory.js";
import { update } from "../update.js";
import { type InputOptions, readInput } from "./kube-manifests.js";
import { formatLocated, locateAll } from "./objects.js";
import { readSettings } from "./settings-file.js";

export interface CompileCommandOptions extends InputOptions {
  readonly settings?: string;
  readonly output: string;
  readonly format: "json" | "yaml" | "envoy-files";
  readonly strict?: boolean;
  readonly stats?: boolean;
  readonly status?: boolean;
}

/** `isoline compile`: manifests or a cluster in, xDS out. Returns the exit code. */
export async function compileCommand(options: CompileCommandOptions): Promise<number> {
  const start = performance.now();
  const { settings: asked, findings } = readSettings(options.settings);
  const { settings, ...manifests } = await readInput(options, asked);
  const loaded = performance.now();
  const store = createMemoryStore();
  const { units } = update(store, [settings, ...manifests.objects], { checkKeyPair });
  const compiled = performance.now();
  const snapshot = link(store, withWholeTables(settings.spec));
  const bodies = bodiesOf(snapshot);
  const linked = performance.now();

  const located = [
    ...findings.map((finding) => ({ finding, file: options.settings ?? "", line: 0 })),
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
  if (options.status) {
    const others = [...manifests.located.map(({ finding }) => finding), ...snapshot.findings];
    writeStatuses(statuses(store, settings.spec, Date.now(), others), options);
  } else write(snapshot, bodies, options);
  if (options.stats) {
    const stats = {
      objects: manifests.objects.length,
      units,
      load_ms: round(loaded - start),
      compile_ms: round(compiled - loaded),
      link_ms: round(linked - compiled),
      bytes: [...bodies.values()].reduce((sum, body) => sum + body.length, 0),
      peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    };
    console.error(JSON.stringify(stats));
  }
  if (manifests.broken.size > 0) return 3;
  return options.strict && located.some(({ finding }) => finding.severity === "error") ? 1 : 0;
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** The DiscoveryResponse of each type that has resources. */
function bodiesOf(snapshot: Snapshot): Map<string, Uint8Array> {
  const bodies = new Map<string, Uint8Array>();
  for (const type of xdsTypes) {
    const resources = snapshot.sets[type];
    if (resources.size === 0) continue;
    const version = formatVersion({ sequence: 0, hash: resources.hash });
    bodies.set(type, encodeResponse(type, { resources, version }));
  }
  return bodies;
}

function writeStatuses(all: readonly ObjectStatus[], { format, output }: CompileCommandOptions): void {
  const shown = all.map(({ apiVersion, kind, metadata, status }) => ({ apiVersion, kind, metadata, status }));
  const text = format === "yaml" ? stringify(shown) : `${JSON.stringify(shown, null, 2)}\n`;
  if (output === "-") process.stdout.write(text);
  else writeFileSync(output, text);
}

function write(
  snapshot: Snapshot,
  bodies: ReadonlyMap<string, Uint8Array>,
  options: CompileCommandOptions,
): void {
  const decoder = new TextDecoder();
  if (options.format === "envoy-files") {
    const folder = options.output === "-" ? "." : options.output;
    mkdirSync(folder, { recursive: true });
    // Keys are in `secrets`, and in `listeners` when settings.secrets is `inline`.
    for (const [type, body] of bodies) writeFileSync(join(folder, `${type}.json`), body, { mode: 0o600 });
    return;
  }
  const parts = [...bodies].map(([type, body]) => `${JSON.stringify(type)}:${decoder.decode(body)}`);
  const text = `{${[`"endpoint_mode":${JSON.stringify(snapshot.mode)}`, ...parts].join(",")}}`;
  const output =
    options.format === "yaml" ? stringify(JSON.parse(text), { aliasDuplicateObjects: false }) : `${text}\n`;
  if (options.output === "-") process.stdout.write(output);
  else writeFileSync(options.output, output, { mode: 0o600 });
}
