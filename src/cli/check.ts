import { checkKeyPair } from "../platform/key-pair.js";
import { orphanFindings } from "../status/status.js";
import { createMemoryStore } from "../store/memory.js";
import { update } from "../update.js";
import { formatLocated, type Located, locateAll, readManifests } from "./objects.js";
import { readSettings } from "./settings-file.js";

export type CheckFormat = "text" | "json" | "github" | "sarif";

export interface CheckCommandOptions {
  readonly file: readonly string[];
  readonly settings?: string;
  readonly strict?: boolean;
  readonly format: CheckFormat;
}

/** `isoline check`: prints what is wrong with the manifests. Returns the exit code. */
export function checkCommand(options: CheckCommandOptions): number {
  const { settings, findings } = readSettings(options.settings);
  const manifests = readManifests(options.file, settings.spec.watchNamespaces);
  const store = createMemoryStore();
  update(store, [settings, ...manifests.objects], { checkKeyPair });
  const located: Located[] = [
    ...findings.map((finding) => ({ finding, file: options.settings ?? "", line: 0 })),
    ...manifests.located,
    ...locateAll([...store.findings(), ...orphanFindings(store, settings.spec)], manifests.documents),
  ];
  process.stdout.write(writers[options.format](located));
  const errors = located.filter(({ finding }) => finding.severity === "error").length;
  const summary = `${manifests.objects.length} objects, ${errors} errors, ${located.length - errors} warnings`;
  if (options.format === "text") console.error(summary);
  if (manifests.broken.size > 0 && manifests.objects.length === 0) return 3;
  return errors > 0 || (options.strict && located.length > 0) ? 1 : 0;
}

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");

/** GitHub's workflow commands give `%`, line ends and (in properties) `:` and `,` a meaning. */
const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

const writers: Readonly<Record<CheckFormat, (located: readonly Located[]) => string>> = {
  text: (located) => lines(located.map(formatLocated)),
  json: (located) =>
    `${JSON.stringify(located.map(({ finding, file, line }) => ({ ...finding, file, line })))}\n`,
  github: (located) =>
    lines(
      located.map(({ finding, file, line }) => {
        const title = escapeProperty(`${finding.about} ${finding.reason}`);
        const place = file ? `file=${escapeProperty(file)},line=${line},` : "";
        return `::${finding.severity} ${place}title=${title}::${escapeData(finding.message)}`;
      }),
    ),
  sarif: (located) => `${JSON.stringify(sarif(located))}\n`,
};

/** SARIF 2.1.0: one run, a rule for each type and reason. */
const sarif = (located: readonly Located[]): object => ({
  $schema: "https://json.schemastore.org/sarif-2.1.0.json",
  version: "2.1.0",
  runs: [
    {
      tool: {
        driver: { name: "isoline", rules: [...new Set(located.map(ruleOf))].sort().map((id) => ({ id })) },
      },
      results: located.map((one) => ({
        ruleId: ruleOf(one),
        level: one.finding.severity,
        message: { text: `${one.finding.about}: ${one.finding.message}` },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: one.file },
              region: { startLine: Math.max(1, one.line) },
            },
          },
        ],
      })),
    },
  ],
});

const ruleOf = ({ finding }: Located): string => `${finding.type}/${finding.reason}`;
