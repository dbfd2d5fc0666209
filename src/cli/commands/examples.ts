import type { Command } from "commander";

/** Adds examples to a command's help. */
export function examples(command: Command, ...texts: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${texts.map((text) => `  ${text}`).join("\n")}\n`);
}
