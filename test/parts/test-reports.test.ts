import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  type TestFormat,
  type TestReport,
  type TestResult,
  testReports,
} from "../../src/cli/test-reports.js";
import { fc } from "../support/fast-check.js";

const result = (name: string, failures: TestResult["failures"] = []): TestResult => ({
  file: "t.yaml",
  line: 3,
  name,
  request: `GET http://a.test/${name}`,
  failures,
  responsible: failures.length > 0 ? [`HTTPProxy/a/a spec.routes[0] (${name})`] : [],
  hints: failures.length > 0 ? [name] : [],
  milliseconds: 1234,
});

const failure = (text: string) => ({
  field: `expect.requestHeaders.set.${text}`,
  line: 5,
  expected: text,
  found: text,
});

const reportOf = (text: string): TestReport => ({
  results: [
    result("good"),
    result(text, [failure(text), failure("b")]),
    { ...result(text), file: `${text}.yaml` },
  ],
  faults: [
    {
      finding: {
        about: "File//",
        severity: "error",
        type: "FileError",
        reason: "NotReadable",
        message: text,
        path: text,
      },
      file: "t.yaml",
      line: 9,
    },
  ],
});

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

/** Parses the XML 1.0 constructs that a report may have, as strictly as the specification. @throws Error */
function readXml(xml: string): Element {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error("no declaration");
  let at = declaration.length;
  const take = (pattern: RegExp): RegExpExecArray => {
    const found = new RegExp(pattern.source, "uy");
    found.lastIndex = at;
    const match = found.exec(xml);
    if (!match) throw new Error(`at ${at}: ${JSON.stringify(xml.slice(at, at + 60))}`);
    at += match[0].length;
    return match;
  };
  const plain = (text: string): string =>
    text.replace(
      /&(amp|lt|gt|quot|apos);/g,
      (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" })[name] ?? "",
    );
  // Char of XML 1.0, without what begins markup and (in attributes) without ends of lines, which a parser turns into spaces.
  const character =
    /(?:[\t\n\u0020-\u0025\u0027-\u003b=?-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|&(?:amp|lt|gt|quot|apos);)*/u;
  const element = (): Element => {
    const [, name = ""] = take(/<([a-z]+)/);
    const attributes: Record<string, string> = {};
    while (/\s/.test(xml[at] ?? "")) {
      const [, key = "", value = ""] = take(/ ([a-z]+)="([^"<]*)"/);
      if (
        key in attributes ||
        /[\n\t\r]/.test(value) ||
        new RegExp(`^${character.source}$`, "u").exec(value) === null
      )
        throw new Error(`attribute ${key}`);
      attributes[key] = plain(value);
    }
    if (xml.startsWith("/>", at)) {
      at += 2;
      return { name, attributes, children: [], text: "" };
    }
    take(/>/);
    const children: Element[] = [];
    let text = "";
    for (;;) {
      const part = take(character)[0];
      if (part.includes("]]>")) throw new Error("]]> in text");
      text += plain(part);
      if (xml.startsWith("</", at)) break;
      children.push(element());
    }
    take(new RegExp(`</${name}>`));
    return { name, attributes, children, text };
  };
  const root = element();
  if (xml.slice(at) !== "\n") throw new Error("something behind the root");
  return root;
}

const keysOf = ({ attributes }: Element): string[] => Object.keys(attributes).sort();

/** Checks the common rules of the schemas of Jenkins, GitLab and others. */
function expectJunit(root: Element): void {
  expect([root.name, keysOf(root)]).toEqual(["testsuites", ["errors", "failures", "name", "tests", "time"]]);
  const count = (cases: readonly Element[], kind: string): number =>
    cases.filter(({ children }) => children[0]?.name === kind).length;
  for (const suite of root.children) {
    expect([suite.name, keysOf(suite)]).toEqual([
      "testsuite",
      ["errors", "failures", "name", "skipped", "tests", "time"],
    ]);
    expect(suite.text.trim()).toBe("");
    for (const one of suite.children) {
      expect([one.name, keysOf(one)]).toEqual(["testcase", ["classname", "file", "line", "name", "time"]]);
      expect(one.attributes.name).not.toBe("");
      expect(one.attributes.time).toMatch(/^\d+\.\d{3}$/);
      expect(one.children.length).toBeLessThanOrEqual(1);
      for (const outcome of one.children) {
        expect(["failure", "error"]).toContain(outcome.name);
        expect(keysOf(outcome)).toEqual(["message", "type"]);
        expect(outcome.children).toEqual([]);
      }
    }
    const { tests, failures, errors } = suite.attributes;
    expect([tests, failures, errors].map(Number)).toEqual([
      suite.children.length,
      count(suite.children, "failure"),
      count(suite.children, "error"),
    ]);
  }
  const cases = root.children.flatMap(({ children }) => children);
  expect(Number(root.attributes.tests)).toBe(cases.length);
  expect(Number(root.attributes.failures)).toBe(count(cases, "failure"));
  expect(Number(root.attributes.errors)).toBe(count(cases, "error"));
}

const nasty = [
  "]]>",
  "<![CDATA[x]]>",
  `"'<&>`,
  "\u0000\u0001\u001b[31m\u007f\u0085",
  "a\nb\r\nc\td",
  "\ud800 \udfff",
  "\ufffe\uffff",
  "&#0;&amp;",
  "<!--",
  "\u2028\u202e",
  "# SKIP # TODO",
  "\\# \\",
  "  ...\n---\nok 1",
  "😀",
];

describe("JUnit's XML", () => {
  it("has a suite for each file, and a case for each test and fault", () => {
    const root = readXml(testReports.junit(reportOf("x")));
    expectJunit(root);
    expect(root.attributes).toEqual({
      name: "isoline test",
      tests: "4",
      failures: "1",
      errors: "1",
      time: "3.702",
    });
    expect(root.children.map(({ attributes }) => attributes.name)).toEqual(["t.yaml", "x.yaml"]);
    const [good, bad, unread] = root.children[0]?.children ?? [];
    expect(good?.children).toEqual([]);
    expect(bad?.attributes).toEqual({
      name: "x",
      classname: "t.yaml",
      file: "t.yaml",
      line: "3",
      time: "1.234",
    });
    expect(bad?.children[0]?.attributes).toEqual({
      message: "expected x, found x",
      type: "expect.requestHeaders.set.x",
    });
    expect(bad?.children[0]?.text).toContain(
      "GET http://a.test/x\nexpected x  (expect.requestHeaders.set.x, line 5)\nfound    x",
    );
    expect(unread?.children[0]?.text).toBe("t.yaml:9: error x: x (FileError/NotReadable)");
  });

  it.each(nasty)("is well-formed with %j", (text) => {
    const xml = testReports.junit(reportOf(text));
    expectJunit(readXml(xml));
  });

  it("is well-formed with any text", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(fc.constantFrom(...nasty)).map((all) => all.join("")),
    );
    fc.assert(fc.property(texts, (text) => expectJunit(readXml(testReports.junit(reportOf(text || "x"))))));
  });
});

describe("TAP", () => {
  it.each(nasty)("has a line for each test, and YAML with the reason, with %j", (text) => {
    const lines = testReports.tap(reportOf(text)).split("\n");
    expect(lines.slice(0, 3)).toEqual(["TAP version 14", "1..4", "ok 1 - good"]);
    const points = lines.filter((line) => /^(?:not )?ok\b/.test(line));
    expect(points.map((line) => /^((?:not )?ok \d) - ./.exec(line)?.[1])).toEqual([
      "ok 1",
      "not ok 2",
      "ok 3",
      "not ok 4",
    ]);
    for (const line of points) expect(line.replace(/\\\\|\\#/g, "")).not.toMatch(/[#\\]/);
    const others = lines.filter((line) => !points.includes(line)).slice(2, -1);
    expect(others.every((line) => line.startsWith("  "))).toBe(true);
    const block = parse(others.slice(1, others.indexOf("  ...")).join("\n")) as {
      readonly failures: readonly { readonly expected: string }[];
    };
    expect(block.failures[0]?.expected).toBe(JSON.parse(JSON.stringify(text)));
  });
});

describe("text and JSON", () => {
  it.each(nasty)("print no control characters for %j", (text) => {
    const formats: readonly TestFormat[] = ["text", "tap", "json"];
    for (const format of formats) expect(testReports[format](reportOf(text))).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it("JSON has all results", () => {
    const json = JSON.parse(testReports.json(reportOf("x"))) as Readonly<Record<string, unknown>>;
    expect(json).toMatchObject({ passed: 2, failed: 1, unread: 1 });
    expect(json.tests).toHaveLength(3);
  });
});
