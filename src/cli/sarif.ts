import { pathToFileURL } from "node:url";
import type { CodeText } from "../schema/finding-codes/code.js";
import { findingCodes, isFindingCode } from "../schema/finding-codes.js";
import { findingSubject } from "../schema/finding-subject.js";
import { printable } from "../schema/printable.js";
import type { Located } from "../sources/files/objects.js";
import { fingerprintsOf } from "./fingerprints.js";

/** Set by the build. */
declare const ISOLINE_VERSION: string;

/** Options for links of rules. */
export interface SarifOptions {
  /** The URL of Isoline's `docs/`; absent: rules have their help only as text. */
  readonly docsUrl?: string | undefined;
}

/** SARIF 2.1.0: one run, with a rule for each finding code. */
export function sarif(located: readonly Located[], { docsUrl }: SarifOptions): object {
  const codes = [...new Set(located.map(({ finding }) => finding.reason))].sort();
  const indexes = new Map(codes.map((code, i) => [code, i]));
  const fingerprints = fingerprintsOf(located);
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "isoline",
            semanticVersion: ISOLINE_VERSION,
            ...(docsUrl ? { informationUri: docsUrl } : {}),
            rules: codes.map((code) => ruleOf(code, docsUrl)),
          },
        },
        columnKind: "utf16CodeUnits",
        results: located.map((one, i) => ({
          ruleId: one.finding.reason,
          ruleIndex: indexes.get(one.finding.reason),
          level: one.finding.severity,
          message: { text: textOf(one) },
          locations: [locationOf(one)],
          partialFingerprints: { primaryLocationLineHash: fingerprints[i] },
          suppressions: one.suppression
            ? [{ kind: one.suppression.kind, justification: one.suppression.reason }]
            : [],
        })),
      },
    ],
  };
}

const levels: Readonly<Record<CodeText["severity"], string>> = {
  error: "error",
  warning: "warning",
  either: "warning",
};

/** A server of another version may have codes that are not in the table. */
function ruleOf(code: string, docsUrl: string | undefined): object {
  if (!isFindingCode(code)) return { id: code };
  const { severity, meaning, fix, example } = findingCodes[code];
  const [first = meaning] = /^.*?\.(?= |$)/.exec(meaning) ?? [];
  return {
    id: code,
    name: code,
    shortDescription: { text: plain(first) },
    fullDescription: { text: plain(meaning) },
    help: {
      text: plain(`${meaning}\nFix: ${fix}\nExample: ${example}`),
      markdown: `${meaning}\n\n**Fix:** ${fix}\n\n**Example:** ${example}`,
    },
    ...(docsUrl ? { helpUri: `${docsUrl.replace(/\/$/, "")}/findings.md#${code.toLowerCase()}` } : {}),
    defaultConfiguration: { level: levels[severity] },
  };
}

const plain = (markdown: string): string => markdown.replaceAll("`", "");

/** Viewers turn `[text](destination)` into a link, which text of users must not become. */
const textOf = ({ finding: { about, message } }: Located): string =>
  printable([findingSubject(about), message].filter((part) => part !== "").join(": ")).replaceAll(
    "](",
    "] (",
  );

/** Findings without a file, such as those about default settings, refer to the whole repository. */
function locationOf({ finding, file, line, column }: Located): object {
  const name = [findingSubject(finding.about), finding.path ?? ""].filter((part) => part !== "").join(" ");
  return {
    physicalLocation: {
      artifactLocation: { uri: file ? uriOf(file) : "." },
      region: {
        startLine: Math.max(1, line),
        ...(column === undefined ? {} : { startColumn: Math.max(1, column) }),
      },
    },
    ...(name ? { logicalLocations: [{ fullyQualifiedName: name }] } : {}),
  };
}

const uriOf = (file: string): string =>
  file.startsWith("/") ? pathToFileURL(file).href : file.split("/").map(encodeURIComponent).join("/");
