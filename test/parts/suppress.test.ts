import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type CheckCommandOptions, checkCommand } from "../../src/cli/check.js";
import { UsageError } from "../../src/cli/usage.js";
import { annotationSuppressions, type Suppression, suppress } from "../../src/lint/suppress.js";
import type { Finding, Ref } from "../../src/schema/meta.js";
import { parseObject } from "../../src/schema/object.js";
import { compileAll, parseCase } from "../support/compile.js";

afterEach(() => vi.restoreAllMocks());

const annotation = "isoline.dev/suppress";

/** An HTTPProxy with two routes that match the same requests: one warning `SameMatch` on each line. */
const proxy = (name: string, suppressed?: string, services = ["web"]): object => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: {
    name,
    namespace: "shop",
    ...(suppressed === undefined ? {} : { annotations: { [annotation]: suppressed } }),
  },
  spec: {
    virtualhost: { fqdn: `${name}.test` },
    routes: [
      ...services.map((service) => ({ services: [{ name: service, port: 80 }] })),
      { services: [{ name: "web", port: 80 }] },
    ],
  },
});
const service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "shop" },
  spec: { ports: [{ port: 80 }] },
};

function folderOf(files: Readonly<Record<string, object | string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "isoline-suppress-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

interface Checked {
  readonly code: number;
  /** `severity about reason`, followed by `(hidden)` for hidden findings. */
  readonly findings: readonly string[];
  readonly summary: string;
}

async function check(
  files: Readonly<Record<string, object | string>>,
  options: Partial<CheckCommandOptions> & { readonly suppressions?: string } = {},
): Promise<Checked> {
  const { suppressions, ...others } = options;
  const folder = folderOf({ "m/service.json": service, ...files });
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text)));
  if (suppressions !== undefined) writeFileSync(join(folder, "suppress.yaml"), suppressions);
  const code = await checkCommand({
    file: [join(folder, "m")],
    format: "json",
    ...(suppressions === undefined ? {} : { suppress: [join(folder, "suppress.yaml")] }),
    ...others,
  });
  vi.restoreAllMocks();
  const found = JSON.parse(out.join("")) as readonly (Finding & { suppression?: object })[];
  const findings = found.map(
    ({ severity, about, reason, suppression }) =>
      `${severity} ${about} ${reason}${suppression ? " (hidden)" : ""}`,
  );
  return { code, findings, summary: err.at(-1) ?? "" };
}

const fileOf = (...entries: readonly string[]): string =>
  `suppressions:\n${entries.map((entry) => `  - ${entry}\n`).join("")}`;

describe("the annotation", () => {
  it("hides warnings about its object, in the count and for --strict, and about no other object", async () => {
    const alone = { "m/a.json": proxy("a", "SameMatch: the second one is for the move") };
    expect(await check(alone, { strict: true })).toMatchObject({
      code: 0,
      findings: ["warning HTTPProxy/shop/a SameMatch (hidden)"],
      summary: expect.stringMatching(/0 errors, 0 warnings, 1 suppressed$/),
    });
    const { code, findings } = await check({ ...alone, "m/b.json": proxy("b") }, { strict: true });
    expect(code).toBe(1);
    expect(findings).toEqual([
      "warning HTTPProxy/shop/a SameMatch (hidden)",
      "warning HTTPProxy/shop/b SameMatch",
    ]);
  });

  it("hides no error", async () => {
    const text = "SameMatch: is meant\nServiceUnresolvedReference: is meant";
    const { code, findings } = await check({ "m/a.json": proxy("a", text, ["web", "gone"]) });
    expect(code).toBe(1);
    expect(findings).toContain("error HTTPProxy/shop/a ServiceUnresolvedReference");
    expect(findings).toContain("warning HTTPProxy/shop/a SuppressionNotAllowed");
  });

  it("has a warning when it hides nothing, has expired, or can't be read; these warnings can't be hidden", async () => {
    const text = [
      "Duplicate: x",
      "SameMatch until 2020-02-29: x",
      "SameMach: x",
      "SameMatch",
      "SameMatch until 2021-02-29: x",
      "SuppressionUnused: x",
    ].join("\n");
    const { code, findings } = await check({ "m/a.json": proxy("a", text) });
    expect(code).toBe(0);
    expect(findings).toEqual([
      "warning HTTPProxy/shop/a SameMatch",
      "warning HTTPProxy/shop/a SuppressionUnused",
      "warning HTTPProxy/shop/a SuppressionExpired",
      "warning HTTPProxy/shop/a SuppressionUnused",
      ...Array.from({ length: 3 }, () => "warning HTTPProxy/shop/a SuppressionNotValid"),
    ]);
  });

  it("does not change the findings of a server", () => {
    const manifests = [service, proxy("a", "SameMatch: is meant")];
    const store = compileAll(parseCase(manifests.map((one) => JSON.stringify(one)).join("\n---\n")).objects);
    expect([...store.findings()].map(({ about, reason }) => `${about} ${reason}`)).toEqual([
      "HTTPProxy/shop/a SameMatch",
    ]);
  });

  it.each(["HTTPProxy", "Service", "Gateway", "Secret"])("is valid on a %s", async (kind) => {
    const read = parseObject(proxy("a", "SameMatch: x"));
    if (!("object" in read)) throw new Error("not valid");
    const { lintAnnotations } = await import("../../src/lint/annotations.js");
    expect(lintAnnotations({ ...read.object, kind } as typeof read.object)).toEqual([]);
  });
});

describe("a file", () => {
  it("hides by code and object, with wildcards", async () => {
    const files = { "m/a.json": proxy("a"), "m/b.json": proxy("b"), "m/other.json": proxy("other") };
    const suppressions = fileOf(
      "{code: SameMatch, object: HTTPProxy/shop/a, reason: is meant}",
      "{code: SameMatch, object: '*/shop/oth*', reason: is meant}",
    );
    expect((await check(files, { suppressions })).findings).toEqual([
      "warning HTTPProxy/shop/a SameMatch (hidden)",
      "warning HTTPProxy/shop/b SameMatch",
      "warning HTTPProxy/shop/other SameMatch (hidden)",
    ]);
  });

  it("hides by code and path, relative to its own folder", async () => {
    const chart = { "m/charts/web/Chart.yaml": "name: web", "m/charts/web/templates/a.yaml": "a: {{ b }}" };
    const one = (pattern: string) =>
      check(chart, { suppressions: fileOf(`{code: NotRendered, file: ${pattern}, reason: rendered later}`) });
    expect((await one("m/charts/")).findings).toEqual(["warning  NotRendered (hidden)"]);
    expect((await one("web/charts/")).findings).toEqual([
      "warning  NotRendered",
      "warning  SuppressionUnused",
    ]);
  });

  it("with an entry that hides nothing has a warning at its line", async () => {
    const suppressions = fileOf(
      "{code: SameMatch, object: HTTPProxy/shop/a, reason: x}",
      "{code: SameMatch, object: HTTPProxy/shop/gone, reason: x}",
    );
    const folder = folderOf({ "m/service.json": service, "m/a.json": proxy("a"), "s.yaml": suppressions });
    const out: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    await checkCommand({ file: [join(folder, "m")], suppress: [join(folder, "s.yaml")], format: "text" });
    expect(out.join("")).toMatch(/s\.yaml:3: warning suppressions\[1\]: there is no finding SameMatch/);
  });

  it.each([
    ["suppressions: [{code: SameMach, object: A/b/c, reason: x}]", /:1: .*did you mean SameMatch/],
    ["suppressions:\n- {code: SameMatch, reason: x}", /:2: suppressions\[0\]: names neither/],
    ["suppressions:\n- code: SameMatch\n  object: A/b/c", /:2: suppressions\[0\]\.reason: is missing/],
    ["suppressions: [{code: SameMatch, object: a, reason: x}]", /must be KIND\/NAMESPACE\/NAME/],
    ["suppressions: [{code: SameMatch, object: A/b/c, reason: x, until: 2026-02-30}]", /not a day/],
    ["suppressions: [{code: SameMatch, objects: A/b/c, reason: x}]", /objects/],
    ["- code: SameMatch", /must be a map/],
    ["", /must be a map/],
    ["{", /not valid YAML/],
  ])("that can't be read is an error: %s", async (suppressions, message) => {
    const asked = check({ "m/a.json": proxy("a") }, { suppressions });
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(UsageError);
  });

  it("that is missing is an error", () =>
    expect(check({}, { suppress: ["/nowhere/s.yaml"] })).rejects.toThrow(/--suppress: .*s\.yaml/));
});

describe("time", () => {
  const finding: Finding = {
    about: "HTTPProxy/shop/a",
    severity: "warning",
    type: "RouteError",
    reason: "SameMatch",
    message: "m",
  };
  const byUntil = (until: string): Suppression => ({
    code: "SameMatch",
    reason: "r",
    until,
    kind: "external",
    matches: () => true,
  });

  it.each([
    ["2026-12-31T23:59:59.999Z", []],
    ["2027-01-01T00:00:00.000Z", ["SuppressionExpired"]],
  ])("a suppression until 2026-12-31 at %s", (at, expected) => {
    const { hiddenBy, problems } = suppress([{ finding, file: "" }], [byUntil("2026-12-31")], Date.parse(at));
    expect(problems.map(({ reason }) => reason)).toEqual(expected);
    expect(hiddenBy.size).toBe(1 - expected.length);
  });
});

it("reads lines with any spacing, and keeps the text after the first colon", () => {
  const about: Ref = "HTTPProxy/shop/a";
  const meta = { name: "a", namespace: "shop", generation: 0, created: "" };
  const text = "\n  SameMatch  until 2027-01-31 :  see: http://a.test \n\nDuplicate:x";
  const read = annotationSuppressions(about, { ...meta, annotations: { [annotation]: text } });
  expect(read.faults).toEqual([]);
  expect(read.suppressions.map(({ code, reason, until }) => [code, reason, until])).toEqual([
    ["SameMatch", "see: http://a.test", "2027-01-31"],
    ["Duplicate", "x", undefined],
  ]);
});

it("check writes SARIF to a file beside another format", async () => {
  const folder = folderOf({});
  const sarifFile = join(folder, "o.sarif");
  await check({ "m/a.json": proxy("a", "SameMatch: is meant") }, { sarifFile });
  const log = JSON.parse(readFileSync(sarifFile, "utf8")) as {
    runs: { results: { suppressions: unknown }[] }[];
  };
  expect(log.runs[0]?.results[0]?.suppressions).toEqual([{ kind: "inSource", justification: "is meant" }]);
});
