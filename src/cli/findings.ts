import { formatLocated, type Located, shownAbout } from "./objects.js";

export type CheckFormat = "text" | "json" | "github" | "sarif";

const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");

/** GitHub's workflow commands give `%`, line ends and (in properties) `:` and `,` a meaning. */
const escapeData = (text: string): string =>
  text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** How findings are written, for people and for CI. */
export const findingWriters: Readonly<Record<CheckFormat, (located: readonly Located[]) => string>> = {
  text: (located) => lines(located.map(formatLocated)),
  json: (located) =>
    `${JSON.stringify(located.map(({ finding, file, line }) => ({ ...finding, about: shownAbout(finding.about), file, line })))}\n`,
  github: (located) =>
    lines(
      located.map(({ finding, file, line }) => {
        const title = escapeProperty(`${shownAbout(finding.about)} ${finding.reason}`.trim());
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
        message: { text: sarifText(one) },
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

const sarifText = ({ finding: { about, message } }: Located): string =>
  [shownAbout(about), message].filter((part) => part !== "").join(": ");

const ruleOf = ({ finding }: Located): string => `${finding.type}/${finding.reason}`;
