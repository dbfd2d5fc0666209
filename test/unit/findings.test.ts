import { describe, expect, it } from "vitest";
import { findingWriters } from "../../src/cli/findings.js";
import { stepSummary } from "../../src/cli/github.js";
import { code } from "../../src/cli/markdown.js";
import type { Finding } from "../../src/schema/meta.js";
import type { Located } from "../../src/sources/files/objects.js";

const located = (finding: Partial<Finding> = {}, rest: Partial<Located> = {}): Located => ({
  file: "a.yaml",
  line: 7,
  ...rest,
  finding: {
    about: "HTTPProxy/default/p",
    severity: "error",
    type: "RouteError",
    reason: "Invalid",
    message: "is wrong",
    path: "spec.routes[0]",
    ...finding,
  },
});
const many = (severity: Finding["severity"], count: number): Located[] =>
  Array.from({ length: count }, (_, i) => located({ severity, message: `${severity} ${i}` }));
const hidden = located({ severity: "warning" }, { suppression: { kind: "external", reason: "is meant" } });

const hostile = "no \u001b[31mred\u001b[0m\nerror HTTPProxy/default/q: forged\u2028é";

it("user text is escaped: it can't add lines or escape sequences", () => {
  expect(findingWriters.text([located({ message: hostile })])).toBe(
    "a.yaml:7: error HTTPProxy/default/p spec.routes[0]: no \\u001b[31mred\\u001b[0m\\u000aerror HTTPProxy/default/q: forged\\u2028é (RouteError/Invalid)\n",
  );
  expect(
    findingWriters
      .github([located({ message: hostile })])
      .trimEnd()
      .split("\n"),
  ).toHaveLength(1);
});

describe("for GitHub", () => {
  const linesOf = (all: readonly Located[]): string[] => findingWriters.github(all).trimEnd().split("\n");

  it("an annotation has the position, with the column if known", () => {
    expect(linesOf([located(), located({}, { column: 3 })])).toEqual([
      "::error file=a.yaml,line=7,title=HTTPProxy/default/p Invalid::is wrong",
      "::error file=a.yaml,line=7,col=3,title=HTTPProxy/default/p Invalid::is wrong",
    ]);
  });

  it("errors come first, ten per level are annotations, and a notice counts the others", () => {
    const lines = linesOf([...many("warning", 12), ...many("error", 11)]);
    expect(lines.filter((line) => line.startsWith("::error "))).toHaveLength(10);
    expect(lines.filter((line) => line.startsWith("::warning "))).toHaveLength(10);
    expect(lines[0]).toContain("error 0");
    const others = lines.filter((line) => line.startsWith("- "));
    expect(others).toHaveLength(3);
    expect(others[0]).toContain("error 10");
    expect(lines.at(-1)).toMatch(
      /^::notice title=isoline::1 more error and 2 more warnings without an annot/,
    );
    expect(linesOf(many("error", 10))).toHaveLength(10);
  });

  it("a line of the log is not a command, for any file name", () => {
    const file = "::add-mask::x##[add-path]y.yaml";
    const lines = linesOf([...many("error", 10), located({ message: "##[error]" }, { file })]);
    expect(lines[10]).toMatch(/^- ::add-mask::x# #\[add-path\]y\.yaml:7: error .*# #\[error\]/);
  });

  it("hidden findings are left out", () => expect(findingWriters.github([hidden])).toBe(""));

  it("the summary of the job has all findings, errors first, and escapes user text", () => {
    const forged = "` | </td> <img src=x> @org/team [a](http://b) \n# c";
    const text = stepSummary(
      [located({ severity: "warning" }), located({ message: forged }), hidden],
      ["1 object read"],
    );
    expect(text.split("\n").filter((line) => /^\| (error|warning) /.test(line))).toEqual([
      "| error | `HTTPProxy/default/p spec.routes[0]` | `a.yaml:7` | `` ` \\| </td> <img src=x> @org/team [a](http://b) \\u000a# c `` Invalid |",
      "| warning | `HTTPProxy/default/p spec.routes[0]` | `a.yaml:7` | `is wrong` Invalid |",
    ]);
  });

  it("a summary with very many findings stays within GitHub's limit", () => {
    const text = stepSummary(
      many("error", 2000).map((one) => ({ ...one, finding: { ...one.finding, message: "é".repeat(2000) } })),
      [],
    );
    expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
    expect(text).toContain("1500 more findings");
  });
});

it.each([
  ["a", "`a`"],
  ["`a", "`` `a ``"],
  ["a``b", "```a``b```"],
  ["", "`  `"],
  ["a|b", "`a\\|b`"],
])("code of Markdown: %j", (text, expected) => expect(code(text)).toBe(expected));

interface Log {
  readonly version: string;
  readonly runs: readonly {
    readonly columnKind: string;
    readonly tool: { readonly driver: { readonly name: string; readonly rules: readonly Rule[] } };
    readonly results: readonly Result[];
  }[];
}
interface Rule {
  readonly id: string;
  readonly helpUri?: string;
  readonly shortDescription: { readonly text: string };
  readonly fullDescription: { readonly text: string };
  readonly help: { readonly text: string; readonly markdown: string };
  readonly defaultConfiguration: { readonly level: string };
}
interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly suppressions: readonly { readonly kind: string; readonly justification: string }[];
  readonly partialFingerprints: { readonly primaryLocationLineHash: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region: { readonly startLine: number; readonly startColumn?: number };
    };
    readonly logicalLocations?: readonly { readonly fullyQualifiedName: string }[];
  }[];
}

it("for GitLab, the Code Quality report has the shown findings, each with a unique fingerprint", () => {
  const report = JSON.parse(
    findingWriters.gitlab([
      located(),
      located(),
      located({ severity: "warning" }, { file: "", line: 0 }),
      hidden,
    ]),
  ) as { fingerprint: string }[];
  expect(new Set(report.map(({ fingerprint }) => fingerprint)).size).toBe(3);
  expect(report.map(({ fingerprint: _, ...rest }) => rest)).toEqual([
    ...[1, 2].map(() => ({
      description: "HTTPProxy/default/p: is wrong",
      check_name: "Invalid",
      severity: "major",
      location: { path: "a.yaml", lines: { begin: 7 } },
    })),
    expect.objectContaining({ severity: "minor", location: { path: ".", lines: { begin: 1 } } }),
  ]);
});

describe("SARIF", () => {
  const logOf = (all: readonly Located[], docsUrl?: string): Log =>
    JSON.parse(findingWriters.sarif(all, { docsUrl })) as Log;
  const runOf = (...given: Parameters<typeof logOf>) => logOf(...given).runs[0] as Log["runs"][number];
  const prints = (all: readonly Located[]): string[] =>
    runOf(all).results.map((one) => one.partialFingerprints.primaryLocationLineHash);

  it("makes no links of user text", () => {
    const [result] = runOf([located({ message: 'found "[a](https://evil.test)"' })]).results;
    expect(result?.message.text).toBe('HTTPProxy/default/p: found "[a] (https://evil.test)"');
  });

  it("has the fields that the schema of SARIF 2.1.0 and code scanning require", () => {
    const { version, runs } = logOf([located({}, { column: 5 })]);
    expect(version).toBe("2.1.0");
    expect(runs).toHaveLength(1);
    const [{ tool, results, columnKind } = runOf([])] = runs;
    expect(columnKind).toBe("utf16CodeUnits");
    expect(tool.driver.name).toBe("isoline");
    const [rule] = tool.driver.rules;
    expect(rule).toMatchObject({ id: "Invalid", defaultConfiguration: { level: "error" } });
    for (const text of [rule?.shortDescription, rule?.fullDescription, rule?.help])
      expect(text?.text).toMatch(/\w/);
    expect(rule?.help.markdown).toContain("**Fix:**");
    expect(results).toEqual([
      {
        ruleId: "Invalid",
        ruleIndex: 0,
        level: "error",
        message: { text: "HTTPProxy/default/p: is wrong" },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: "a.yaml" },
              region: { startLine: 7, startColumn: 5 },
            },
            logicalLocations: [{ fullyQualifiedName: "HTTPProxy/default/p spec.routes[0]" }],
          },
        ],
        partialFingerprints: { primaryLocationLineHash: expect.stringMatching(/^[0-9a-f]{16}:1$/) },
        suppressions: [],
      },
    ]);
  });

  it("links a rule to its section if the URL of the docs is known", () => {
    expect(runOf([located()]).tool.driver.rules[0]).not.toHaveProperty("helpUri");
    const [rule] = runOf([located()], "https://example.com/docs/").tool.driver.rules;
    expect(rule?.helpUri).toBe("https://example.com/docs/findings.md#invalid");
  });

  it("has one rule per code, and its index in each result", () => {
    const { tool, results } = runOf([located(), located({ reason: "Duplicate" }), located()]);
    expect(tool.driver.rules.map(({ id }) => id)).toEqual(["Duplicate", "Invalid"]);
    expect(results.map(({ ruleIndex }) => ruleIndex)).toEqual([1, 0, 1]);
  });

  it("fingerprints are stable when lines move or list entries are added before, and differ for other findings", () => {
    const message = "A is also in b.yaml:17; the later one is used";
    const moved = located(
      { path: "spec.routes[4]", message: message.replace("17", "90") },
      { line: 70, file: "b.yaml" },
    );
    expect(prints([moved])).toEqual(prints([located({ message })]));
    const others = [
      located({ message }),
      located({ message, about: "HTTPProxy/default/q" }),
      located({ message, reason: "Duplicate" }),
      located({ message, path: "spec.includes[0]" }),
      located({ message: "is other" }),
    ];
    expect(new Set(prints(others)).size).toBe(5);
    const [first = "", second = ""] = prints([located(), located()]);
    expect(second).toBe(first.replace(/1$/, "2"));
  });

  it("locations are relative URI references; a finding without a file is about the repository", () => {
    const files = ["a b/c#d%.yaml", "/x/y z.yaml", ""].map((file) => located({}, { file, line: 0 }));
    const { results } = runOf(files);
    expect(results.map(({ locations: [place] }) => place?.physicalLocation.artifactLocation.uri)).toEqual([
      "a%20b/c%23d%25.yaml",
      "file:///x/y%20z.yaml",
      ".",
    ]);
    for (const { locations } of results) expect(locations[0]?.physicalLocation.region.startLine).toBe(1);
  });

  it("marks suppressed findings", () => {
    expect(runOf([hidden]).results[0]?.suppressions).toEqual([
      { kind: "external", justification: "is meant" },
    ]);
  });
});
