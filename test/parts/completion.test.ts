import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { describe, expect, it, onTestFinished } from "vitest";
import { completionScript } from "../../src/cli/completion.js";
import { createProgram } from "../../src/cli/program.js";
import { shells } from "../../src/cli/shells.js";

const program = createProgram(() => undefined);

const withInner = (command: Command): Command[] => [command, ...command.commands.flatMap(withInner)];
const all = withInner(program).map((command) => ({ name: command.name(), command }));

/** What bash offers for the last word of a line. */
function offered(line: string, files: readonly string[] = []): string[] {
  const folder = mkdtempSync(join(tmpdir(), "isoline-completion-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const file of files) writeFileSync(join(folder, file), "");
  const words = line.split(" ");
  const script = `${completionScript("bash", program)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}) COMP_CWORD=${words.length - 1}
_isoline
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync("bash", ["--norc", "-uc", script], { cwd: folder, encoding: "utf8" });
  return output.split("\n").filter((word) => word !== "");
}

describe("bash completion", () => {
  it("offers all commands, and those that begin with a text", () => {
    const names = program.commands.map((command) => command.name());
    expect(offered("isoline ")).toEqual(expect.arrayContaining([...names, "help", "--version"]));
    expect(offered("isoline comp")).toEqual(["compile", "completion"]);
  });

  it("offers the options of a command, also of a nested one", () => {
    expect(offered("isoline check --sarif")).toEqual(["--sarif-file"]);
    expect(offered("isoline fleet ")).toEqual(expect.arrayContaining(["export", "import"]));
    expect(offered("isoline fleet export --out")).toEqual(["--output"]);
    expect(offered("isoline token node --envoy")).toEqual(["--envoy-file"]);
    expect(offered("isoline token read --envoy")).toEqual([]);
  });

  it("offers fixed values of an option or argument, and else files", () => {
    expect(offered("isoline check --format s")).toEqual(["sarif"]);
    expect(offered("isoline completion z")).toEqual(["zsh"]);
    expect(offered("isoline check -f a", ["a b.yaml", "c.yaml"])).toEqual(["a b.yaml"]);
    expect(offered("isoline test te", ["tests.yaml"])).toEqual(["tests.yaml"]);
  });
});

describe("completion of each shell", () => {
  it.each(shells)("%s has every command and every option", (shell) => {
    const script = completionScript(shell, program);
    for (const { command } of all)
      for (const { long } of command.options)
        expect(script).toContain(shell === "fish" ? `-l ${long?.slice(2)}` : long);
    for (const { name } of all) expect(script).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it.each(shells)("%s can parse its script", (shell) => {
    const [found] = execFileSync("bash", ["-c", `command -v ${shell} || true`], { encoding: "utf8" }).split(
      "\n",
    );
    if (found) execFileSync(found, ["-n"], { input: completionScript(shell, program) });
  });
});

describe("the help", () => {
  it.each(all)("of $name describes each option, argument and command", ({ command }) => {
    expect(command.description()).not.toBe("");
    for (const { flags, description } of command.options) expect(description, flags).not.toBe("");
    for (const argument of command.registeredArguments)
      expect(argument.description, argument.name()).not.toBe("");
  });

  it.each(all)("of $name is sorted", ({ command }) => {
    const help = command.helpInformation();
    const names = [...help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, name]) => name);
    const shorts = command
      .createHelp()
      .visibleOptions(command)
      .map(({ long }) => long?.slice(2));
    expect(names).toEqual(shorts);
    const [, commands = ""] = help.split("Commands:\n");
    const listed = [...commands.matchAll(/^ {2}(\w[\w-]*)/gm)].map(([, name = ""]) => name);
    expect(listed).toEqual([...listed].sort((a, b) => a.localeCompare(b)));
  });
});
