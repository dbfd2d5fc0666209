import { describe, expect, it } from "vitest";
import { readNow } from "../../src/documents/documents.js";
import { writeYaml } from "../../src/documents/write.js";
import { fc } from "../support/fast-check.js";

/** The recorded results of sigs.k8s.io/yaml v1.6.0; `Error` for a refused text. */
function read(text: string): readonly unknown[] | typeof Error {
  const steps = [...readNow(text)];
  if (steps.some((one) => "fault" in one)) return Error;
  return steps.map((one) => ("value" in one ? one.value : undefined));
}

const faultOf = (text: string): { fault: string; line: number } => {
  const found = [...readNow(text)].find((one) => "fault" in one);
  if (!found || !("fault" in found)) throw new Error("no fault");
  return { fault: found.fault, line: found.line };
};

describe("plain text is read as Kubernetes clients read it", () => {
  it.each<[string, unknown]>([
    ["y", true],
    ["Yes", true],
    ["yEs", "yEs"],
    ["on", true],
    ["N", false],
    ["off", false],
    ["TRUE", true],
    ["~", null],
    ["Null", null],
    ["nULL", "nULL"],
    ["0120", 80],
    ["0o17", 15],
    ["0O17", 15],
    ["0o8", "0o8"],
    ["08", 8],
    ["09.5", 9.5],
    ["0b11", 3],
    ["-0b11", -3],
    ["0x1F", 31],
    ["-0x1f", -31],
    ["0x_f", 15],
    ["0x", "0x"],
    ["1_000", 1000],
    ["1__0", 10],
    ["_1", "_1"],
    ["+3", 3],
    ["-", [null]],
    ["1.", 1],
    [".5", 0.5],
    ["._5", "._5"],
    ["+.5", 0.5],
    ["1e3", 1000],
    ["-1.5e-3", -0.0015],
    ["1e", "1e"],
    ["1e309", "1e309"],
    ["0.1e-400", 0],
    ["1:30", "1:30"],
    ["10:30:00", "10:30:00"],
    ["2001-01-01", "2001-01-01"],
    ["2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"],
    ["1.2.3", "1.2.3"],
    ["9007199254740993", 9007199254740992],
    ["18446744073709551615", 18446744073709552000],
    ["18446744073709551616", 18446744073709552000],
    ["-9223372036854775809", -9223372036854776000],
    ["123456789012345678901234567890", 1.2345678901234568e29],
    ["=", "="],
    ["'yes'", "yes"],
    ['"0120"', "0120"],
    ["!!str yes", "yes"],
    ["!!str 0120", "0120"],
    ["! 3", "3"],
    ["!!int '3'", 3],
    ["!!float 3", 3],
    ["!!null x", Error],
    ["!!int x", Error],
    ["!!bool 1", Error],
    [".inf", Error],
    ["-.INF", Error],
    [".nan", Error],
    ["|\n  yes", "yes\n"],
    [">-\n  yes", "yes"],
  ])("%s", (text, value) => {
    const got = read(`a: ${text}\n`);
    if (value === Error) expect(got).toBe(Error);
    else if (Array.isArray(value)) expect(read(`a:\n  ${text}\n`)).toEqual([{ a: value }]);
    else expect(got).toEqual([{ a: value }]);
  });
});

describe("keys become text", () => {
  it.each<[string, unknown]>([
    ["80: x", { 80: "x" }],
    ["0x10: x", { 16: "x" }],
    ["0120: x", { 80: "x" }],
    ["true: x", { true: "x" }],
    ["yes: x", { true: "x" }],
    ["n: x", { false: "x" }],
    ["1.5: x", { "1.5": "x" }],
    ["1.50: x", { "1.5": "x" }],
    ["1e3: x", { 1000: "x" }],
    ["1e6: x", { "1e+06": "x" }],
    ["16777217.0: x", { "1.6777216e+07": "x" }],
    ["0.00001: x", { "1e-05": "x" }],
    [".inf: x", { ".inf": "x" }],
    ["2001-01-01: x", { "2001-01-01": "x" }],
    ["'80': x", { 80: "x" }],
    ["? a\n: b", { a: "b" }],
    ["a: &k b\n*k : c", { a: "b", b: "c" }],
    ["~: x", Error],
    [": x", Error],
    ["[a]: b", Error],
    ["{a: b}: c", Error],
  ])("%s", (text, value) => {
    expect(read(`${text}\n`)).toEqual(value === Error ? Error : [value]);
  });
});

describe("merge keys", () => {
  const base = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n";
  it.each<[string, unknown]>([
    ["<<: *base", { a: 1, b: 2 }],
    ["<<: *base\n  a: 9", { a: 9, b: 2 }],
    ["a: 9\n  <<: *base", { a: 1, b: 2 }],
    ["<<: [*base, *other]", { a: 1, b: 2, c: 4 }],
    ["<<: [*other, *base]", { a: 1, b: 3, c: 4 }],
    ["<<: [*base, {b: 5}]", { a: 1, b: 2 }],
    ["<<: *base\n  <<: *other", { a: 1, b: 3, c: 4 }],
    ["<<: {<<: *base, b: 7}", { a: 1, b: 7 }],
    ["<<: []", {}],
    ["<<: {}\n  d: e", { d: "e" }],
    ["!!merge <<: *base", { a: 1, b: 2 }],
    ["'<<': *base", { "<<": { a: 1, b: 2 } }],
    ["<<: 1", Error],
    ["<<: ~", Error],
    ["<<: [1]", Error],
    ["<<: [[*base]]", Error],
    ["<<: *base\n  <<: [*other, x]", Error],
  ])("%s", (text, value) => {
    const got = read(`${base}x:\n  ${text}\n`);
    if (value === Error) expect(got).toBe(Error);
    else expect(got).toEqual([{ base: { a: 1, b: 2 }, other: { b: 3, c: 4 }, x: value }]);
  });

  it("add a filter at any position in a map", () => {
    const text = `
routes:
  - services: [{name: web}]
    <<: &inside
      ipAllowPolicy: [{source: Peer, cidr: 10.0.0.0/8}]
  - <<: *inside
    services: [{name: api}]
`;
    const ipAllowPolicy = [{ source: "Peer", cidr: "10.0.0.0/8" }];
    expect(read(text)).toEqual([
      {
        routes: [
          { services: [{ name: "web" }], ipAllowPolicy },
          { ipAllowPolicy, services: [{ name: "api" }] },
        ],
      },
    ]);
  });
});

describe("lines", () => {
  it.each<[string, string, unknown]>([
    ["single quotes at the key's indent", "a:\n  note: 'one,\n  two'\n", { a: { note: "one, two" } }],
    ["double quotes at the key's indent", 'a:\n  note: "one,\n  two"\n', { a: { note: "one, two" } }],
    ["quotes at the margin", "a:\n  b:\n    note: 'one\n\ntwo\n'\n", { a: { b: { note: "one\ntwo " } } }],
    ["an escaped break", 'a: "one \\\ntwo"\n', { a: "one two" }],
    ["a brace under its key", "spec: {\n  a: 1\n}\n", { spec: { a: 1 } }],
    ["brackets at the margin", "x:\n  - [\na,\nb\n]\n  - c\n", { x: [["a", "b"], "c"] }],
    [
      "both together",
      "x:\n  k: {\n  a: 'b\nc',\n\td: [\n1]\n}\nz: 1\n",
      { x: { k: { a: "b c", d: [1] } }, z: 1 },
    ],
    ["a tab after a colon", "a:\tb\n", { a: "b" }],
    ["a tab before a comment", "a: 1\t# c\n", { a: 1 }],
    ["a tab as an indent", "a:\n\tb: 1\n", Error],
    ["carriage returns", "a: 1\r\nb:\r\n- 2\r\n", { a: 1, b: [2] }],
    ["a byte order mark", "\ufeffa: 1\n", { a: 1 }],
    ["a list at the indent of its key", "a:\n- 1\n", { a: [1] }],
    ["flow plain text with colons", "a: {b: http://x, c}\n", { a: { b: "http://x", c: null } }],
    ["two values on a line", "a: b: c\n", Error],
    ["text after quotes", "a: 'x' y\n", Error],
    ["a percent sign", "a: %b\n", Error],
  ])("%s", (_, text, value) => {
    expect(read(text)).toEqual(value === Error ? Error : [value]);
  });
});

describe("documents", () => {
  it.each<[string, string, readonly unknown[]]>([
    ["empty ones", "---\n---\n# c\n---\na: 1\n---\n...\n---\n\n", [{ a: 1 }]],
    ["a marker with a comment", "--- # first\na: 1\n--- # second\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    ["content beside a marker", "--- {a: 1}\n--- b: 2\n", [{ a: 1 }]],
    ["directives", "%YAML 1.1\n---\na: yes\n%YAML\n", []],
    ["a directive", "# c\n%YAML 1.2\n---\na: yes\n---\nb: 0o17\n", [{ a: true }, { b: 15 }]],
    ["a marker inside of text", "a: |\n  x\n  ---\n  y\n---\nb: 1\n", [{ a: "x\n---\ny\n" }, { b: 1 }]],
    ["a marker that ends text", "a: |\n---\nb: 1\n", [{ a: "" }, { b: 1 }]],
    ["what only begins like a marker", "a: b\n----\n", []],
    ["JSON values", '{"a":1}{"b":2}\n\n{"c": "no"}\n', [{ a: 1 }, { b: 2 }, { c: "no" }]],
    ["JSON beside YAML", '{"a":1}\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ["flow style", "{a: 1, b: [yes]}\n", [{ a: 1, b: [true] }]],
    ["anchors of one document alone", "a: &a 1\n---\nb: *a\n", [{ a: 1 }]],
    ["a document after a broken one", "a: [1\n---\nb: 2\n", [{ b: 2 }]],
  ])("%s", (_, text, values) => {
    expect([...readNow(text)].flatMap((one) => ("value" in one ? [one.value] : []))).toEqual(values);
  });
});

describe("an error has a line and a message", () => {
  it.each([
    ["spec:\n  rules:\n  - host: a\n    host: b\n", 4, "spec.rules[0].host: the key is set twice"],
    [
      "metadata:\n  annotations:\n    a/b: 1\n    'a/b': 2\n",
      4,
      'metadata.annotations["a/b"]: the key is set twice',
    ],
    ["a: 1\n<<: {b: 1}\na: 2\n", 3, "a: the key is set twice"],
    ["yes: 1\ntrue: 2\n", 2, "true: the key is set twice"],
    ['{"a": 1,\n "b": {"c": 1, "\\u0063": 2}}\n', 2, "b.c: the key is set twice"],
    ["a:\n  - x\n  - *none\n", 3, "a[1]: an alias refers to no earlier anchor"],
    ["a: &a\n  b: *a\n", 2, "a.b: an alias is inside of its own anchor"],
    ["a: !secret x\n", 1, "a: the tag is unknown"],
    ["a: !!binary aGk=\n", 1, "a: the tag is unknown"],
    ["a: 1\nb: [\n", 3, "not valid YAML"],
    ["a: 1\n b: 2\n", 2, "not valid YAML"],
    ["a:\n  b: {c:\t1}\n", 2, "not valid YAML: use spaces instead of tabs"],
    ["a: {\n b: 1\n}\nc: x: y\n", 4, "not valid YAML"],
    [`a: ${"[".repeat(200)}\n`, 1, "nested deeper than 100 levels"],
  ])("%s", (text, line, message) => {
    expect(faultOf(text)).toEqual({ line, fault: expect.stringContaining(message) as string });
  });

  it("quotes no value of the text", () => {
    for (const text of [
      "a: !<hunter2 x\n",
      "!hunter2^ x\n",
      "a: 'hunter2' 'x'\n",
      "a: !a!hunter2 x\n",
      '"\\hunter2"\n',
    ])
      expect(faultOf(text).fault).not.toContain("hunter2");
  });
});

describe("written YAML", () => {
  it("is read as the same value", () => {
    const words = [
      "y",
      "N",
      "yes",
      "on",
      "~",
      "null",
      "0120",
      "0o17",
      "08",
      "1_000",
      "1:30",
      ".5",
      "1e3",
      "+1",
      "<<",
      "=",
      "",
    ];
    const texts = [
      ...words,
      "2001-01-01",
      "a: b",
      "- a",
      "# a",
      "'",
      '"',
      "a\nb",
      " a",
      "a ",
      "\u2028",
      "{",
      "%a",
      "!a",
      "&a",
      "*a",
    ];
    const value = {
      keys: Object.fromEntries(texts.map((text) => [text, 1])),
      texts,
      more: [0, 1.5, true, null, [], {}],
    };
    expect(read(writeYaml(value))).toEqual([value]);
  });

  it("is read as the same value, for any value", () => {
    const json = fc.jsonValue({ maxDepth: 4 }).filter((value) => value !== null);
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.stringify(read(writeYaml(value)))).toBe(JSON.stringify([value]));
      }),
    );
  });
});

describe("the cost of a text", () => {
  const chain = (levels: number, width: number): string =>
    Array.from(
      { length: levels },
      (_, i) =>
        `a${i}: &a${i} [${Array(width)
          .fill(i ? `*a${i - 1}` : "x")
          .join(",")}]\n`,
    ).join("");

  it("is bounded for aliases, in all documents together", () => {
    expect(read(chain(3, 20))).not.toBe(Error);
    expect(faultOf(chain(4, 20)).fault).toContain("aliases and merge keys add more than 20000 nodes");
    const one = `a: &a [${"x,".repeat(100)}]\nb: [${"*a,".repeat(90)}]\n`;
    expect(read(one)).not.toBe(Error);
    expect(faultOf(Array(5).fill(one).join("---\n")).fault).toContain("aliases and merge keys");
  });

  it("is bounded for the characters that aliases and merge keys repeat", () => {
    const long = "v".repeat(40_000);
    const twice = `a: &a "${long}"\nb: [*a, *a]\n`;
    expect(read(twice)).not.toBe(Error);
    for (const anchor of [`"${long}"`, `[["${long}"]]`, `{k: "${long}"}`, `{? "${long}" : 1}`]) {
      expect(faultOf(`a: &a ${anchor}\nb: [${"*a,".repeat(500)}]\n`).fault).toContain(
        "aliases and merge keys",
      );
    }
    const merged = `a: &a {k: "${long}"}\nb:\n${"- <<: *a\n".repeat(500)}`;
    expect(faultOf(merged).fault).toContain("aliases and merge keys");
  });

  it("is bounded for merge keys, also in chains of maps", () => {
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}: 1`).join(", ");
    const many = `a: &a {${keys}}\nb:\n${"- <<: *a\n".repeat(100)}`;
    expect(faultOf(many).fault).toContain("aliases and merge keys");
    const nested = `a: ${"{<<: ".repeat(90)}{${keys}}${"}".repeat(90)}\n`;
    expect(faultOf(nested).fault).toContain("aliases and merge keys");
  });

  it("is bounded for levels from aliases", () => {
    const deep = Array.from({ length: 120 }, (_, i) => `a${i}: &a${i} [${i ? `*a${i - 1}` : "x"}]\n`).join(
      "",
    );
    expect(faultOf(deep).fault).toContain("nested deeper than 100 levels");
  });

  it("is bounded for nodes of YAML and JSON, before they are built", () => {
    expect(faultOf(`a: [${"[],".repeat(1_000_000)}]\n`).fault).toContain("2000000 nodes or lines");
    expect(faultOf(`{"a":[${"[],".repeat(1_000_000)}[]]}`).fault).toContain("2000000 nodes or lines");
  });

  it("is bounded for documents", () => {
    expect(faultOf("{}\n".repeat(250_001)).fault).toContain("250000 objects");
    expect(faultOf(`{"items":[${"{},".repeat(250_000)}{}]}`).fault).toContain("250000 objects");
  });

  it("is bounded for documents that can't be read", () => {
    for (const format of ["yaml", "lines"] as const)
      expect([...readNow('{"a"\n---\n'.repeat(5000), format)]).toHaveLength(1001);
  });

  it("is bounded for lines with missing indentation", () => {
    const text = `a:\n${"  - {\n}\n".repeat(100_000)}`;
    expect(faultOf(text).fault).toContain("indent the lines");
  });
});
