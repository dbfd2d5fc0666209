import { link } from "../link/snapshot.js";
import { checkKeyPair } from "../platform/key-pair.js";
import { findingsAt } from "../schema/meta.js";
import { orphanFindings } from "../status/contour.js";
import { createMemoryStore } from "../store/memory.js";
import { update } from "../update.js";
import { type CheckFormat, findingWriters } from "./findings.js";
import { type InputOptions, readInput } from "./kube-manifests.js";
import { type Located, locateAll } from "./objects.js";
import { readSettings } from "./settings-file.js";

export interface CheckCommandOptions extends InputOptions {
  readonly settings?: string;
  readonly strict?: boolean;
  readonly format: CheckFormat;
}

/** `isoline check`: prints what is wrong with manifests or a cluster's objects. Returns the exit code. */
export async function checkCommand(options: CheckCommandOptions): Promise<number> {
  const { settings: asked, findings, locate } = readSettings(options.settings);
  const { settings, ...manifests } = await readInput(options, asked);
  const store = createMemoryStore();
  update(store, [settings, ...manifests.objects], { checkKeyPair });
  const located: Located[] = [
    ...findings.map(locate),
    ...manifests.located,
    ...locateAll(
      [
        ...findingsAt(Date.now(), store.findings()),
        ...orphanFindings(store, settings.spec),
        ...link(store, settings.spec).findings,
      ],
      manifests.documents,
    ),
  ];
  process.stdout.write(findingWriters[options.format](located));
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const summary = `${manifests.objects.length} objects, ${errors} errors, ${located.length - errors} warnings`;
  if (options.format === "text") console.error(summary);
  if (manifests.broken.size > 0 && manifests.objects.length === 0) return 3;
  return errors > 0 || (options.strict && located.length > 0) ? 1 : 0;
}
