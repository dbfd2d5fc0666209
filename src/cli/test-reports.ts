import type { Failure } from "../route-tests/validate.js";
import { printable, xmlText } from "../schema/printable.js";
import { plural } from "../schema/words.js";
import { formatLocated, type Located } from "../sources/files/objects.js";

export type TestFormat = "text" | "json" | "junit" | "tap";

export interface PlacedFailure extends Failure {
  readonly line: number;
}

/** The result of one test. */
export interface TestResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  /** Such as `GET http://a.test/`. */
  readonly request: string;
  /** Empty if the test passed. */
  readonly failures: readonly PlacedFailure[];
  /** The objects that determine the result of a failed test, with file and line where known. */
  readonly responsible: readonly string[];
  readonly hints: readonly string[];
  readonly milliseconds: number;
}

export interface TestReport {
  readonly results: readonly TestResult[];
  /** Files and tests that could not be read. */
  readonly faults: readonly Located[];
}

/** Output of results, for people and for CI. */
export const testReports: Readonly<Record<TestFormat, (report: TestReport) => string>> = {
  text: ({ results, faults }) =>
    `${[...faults.map(formatLocated), ...results.filter(isFailed).map(describe), count(results, faults)].join(
      "\n",
    )}\n`,
  json: ({ results, faults }) =>
    `${jsonText({
      passed: results.length - results.filter(isFailed).length,
      failed: results.filter(isFailed).length,
      unread: faults.length,
      tests: results.map((result) => ({ passed: !isFailed(result), ...result })),
      faults: faults.map(({ finding, file, line }) => ({
        file,
        line,
        path: finding.path,
        message: finding.message,
      })),
    })}\n`,
  junit,
  tap,
};

/** In JSON, every character that `printable` replaces is inside a string. */
const jsonText = (value: unknown): string => printable(JSON.stringify(value));

export const isFailed = ({ failures }: TestResult): boolean => failures.length > 0;

function count(results: readonly TestResult[], faults: readonly Located[]): string {
  const failed = results.filter(isFailed).length;
  const unread = faults.length > 0 ? `, ${plural(faults.length, "fault")} of test files` : "";
  return `${plural(results.length, "test")}: ${results.length - failed} passed, ${failed} failed${unread}`;
}

function describe(result: TestResult): string {
  const { file, line, name, request } = result;
  const title = name === request ? [] : [`  ${request}`];
  return [`FAIL ${file}:${line} ${name}`, ...title, ...details(result).map((text) => `  ${text}`)]
    .map(printable)
    .join("\n");
}

/** The expectations and results of a failed test, with the reasons. */
const details = ({ failures, responsible, hints }: TestResult): string[] => [
  ...failures.flatMap(({ field, line, expected, found }) => [
    `expected ${expected}  (${field}, line ${line})`,
    `found    ${found}`,
  ]),
  ...responsible.map((text) => `from     ${text}`),
  ...hints.map((text) => `hint     ${text}`),
];

/** Groups in the order of their first member. */
function byFile<T extends { readonly file: string }>(all: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(one.file, [...(groups.get(one.file) ?? []), one]);
  return groups;
}

/** JUnit's XML, as CI systems read it: a suite for each test file. */
function junit({ results, faults }: TestReport): string {
  const [suites, unread] = [byFile(results), byFile(faults)];
  const files = [...new Set([...suites.keys(), ...unread.keys()])];
  const lines = files.flatMap((file) => suite(file, suites.get(file) ?? [], unread.get(file) ?? []));
  const all = totals(results, faults);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: "isoline test", ...all })}>`,
    ...lines,
    "</testsuites>",
    "",
  ].join("\n");
}

const totals = (
  results: readonly TestResult[],
  faults: readonly Located[],
): Record<string, string | number> => ({
  tests: results.length + faults.length,
  failures: results.filter(isFailed).length,
  errors: faults.length,
  time: secondsOf(results.reduce((sum, { milliseconds }) => sum + milliseconds, 0)),
});

const secondsOf = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

function suite(file: string, results: readonly TestResult[], faults: readonly Located[]): string[] {
  return [
    `  <testsuite ${attributes({ name: file, ...totals(results, faults), skipped: 0 })}>`,
    ...results.flatMap(testcase),
    ...faults.flatMap((fault) => {
      const { finding, line } = fault;
      const common = { name: finding.path || "the file is read", classname: file, file, line, time: "0.000" };
      const message = finding.message;
      return [
        `    <testcase ${attributes(common)}>`,
        `      <error ${attributes({ message, type: "unread" })}>${xmlText(formatLocated(fault))}</error>`,
        "    </testcase>",
      ];
    }),
    "  </testsuite>",
  ];
}

function testcase(result: TestResult): string[] {
  const { file, line, name, request, failures, milliseconds } = result;
  const common = attributes({ name, classname: file, file, line, time: secondsOf(milliseconds) });
  const [first] = failures;
  if (!first) return [`    <testcase ${common}/>`];
  const message = `expected ${first.expected}, found ${first.found}`;
  const body = [request, ...details(result)].map(printable).join("\n");
  return [
    `    <testcase ${common}>`,
    `      <failure ${attributes({ message, type: first.field })}>${body.split("\n").map(xmlText).join("\n")}</failure>`,
    "    </testcase>",
  ];
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}="${xmlText(String(value))}"`)
    .join(" ");

/** Version 14 of the Test Anything Protocol. */
function tap({ results, faults }: TestReport): string {
  const lines = ["TAP version 14", `1..${results.length + faults.length}`];
  for (const [i, result] of results.entries()) {
    lines.push(`${isFailed(result) ? "not ok" : "ok"} ${i + 1} - ${tapText(result.name)}`);
    if (!isFailed(result)) continue;
    const { file, line, request, failures, responsible, hints } = result;
    lines.push(...tapBlock({ at: `${file}:${line}`, request, failures, from: responsible, hints }));
  }
  for (const [i, fault] of faults.entries()) {
    lines.push(`not ok ${results.length + i + 1} - ${tapText(fault.finding.path || fault.file)}`);
    lines.push(...tapBlock({ message: formatLocated(fault) }));
  }
  return `${lines.join("\n")}\n`;
}

/** `#` would begin a directive such as `# SKIP`. */
const tapText = (text: string): string => printable(text).replace(/[\\#]/g, "\\$&");

/** YAML whose values are JSON. */
const tapBlock = (values: Readonly<Record<string, unknown>>): string[] => [
  "  ---",
  ...Object.entries(values).map(([key, value]) => `  ${key}: ${jsonText(value)}`),
  "  ...",
];
