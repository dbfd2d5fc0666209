import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type CheckCommandOptions, checkCommand } from "../../src/cli/check.js";
import { assumptions, collect, input, settings } from "../../src/cli/commands/options.js";

const corpus = join(import.meta.dirname, "../corpus");
const names = readdirSync(corpus, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const home = process.cwd();
afterEach(() => {
  process.chdir(home);
  vi.restoreAllMocks();
});

const program = (): Command =>
  assumptions(input(new Command()))
    .addOption(settings())
    .option("--strict")
    .option("--suppress <file>", "", collect, [])
    .exitOverride();

interface Found {
  readonly file: string;
  readonly line: number;
  readonly severity: string;
  readonly reason: string;
  readonly suppression?: object;
}

/** The output of `isoline check`: findings sorted by location, the lines of standard error, the exit code. */
async function outcomeOf(args: readonly string[]): Promise<string> {
  let out = "";
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(console, "error").mockImplementation((text) => void lines.push(String(text)));
  const options = program().parse(args, { from: "user" }).opts<CheckCommandOptions>();
  const code = await checkCommand({ ...options, format: "json" });
  const all = (JSON.parse(out) as readonly Found[]).filter(({ suppression }) => !suppression);
  const found = all.toSorted(
    (a, b) => compare(a.file, b.file) || a.line - b.line || compare(a.reason, b.reason),
  );
  const places = found.map(
    ({ file, line, severity, reason }) =>
      `${file || "settings"}${line > 0 ? `:${line}` : ""} ${severity} ${reason}`,
  );
  return [...places, ...lines, `exit ${code}`, ""].join("\n");
}

function splitOnce(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`there is no ${JSON.stringify(mark)}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

describe("a repository in the shape of", () => {
  it("sixty others exists", () => expect(names.length).toBeGreaterThanOrEqual(60));

  it.each(names)("%s", async (name) => {
    const text = readFileSync(join(corpus, name, "expected.txt"), "utf8");
    const [command = "", outcome] = splitOnce(splitOnce(text, "\n\n$ isoline check ")[1], "\n");
    process.chdir(join(corpus, name, "repository"));
    expect(await outcomeOf(command.split(" "))).toBe(outcome);
  });
});

describe("the page on CI shows what a command prints", () => {
  const page = readFileSync(join(corpus, "../../docs/ci.md"), "utf8");
  const shown = [...page.matchAll(/```sh\nisoline check ([^\n]*)\n```\n\n```\n([^`]*)```/g)];

  it("of three checks", () => expect(shown.length).toBeGreaterThanOrEqual(3));

  it.each(shown.map(([, command = "", lines = ""]) => ({ command, lines })))(
    "$command",
    async ({ command, lines }) => {
      process.chdir(join(corpus, "../.."));
      expect(await outcomeOf(command.split(" "))).toBe(`${lines}exit 0\n`);
    },
  );
});
