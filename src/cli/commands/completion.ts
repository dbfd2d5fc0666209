import { Argument, type Command } from "commander";
import { shells } from "../shells.js";
import { examples } from "./examples.js";

/** Adds `isoline completion`. */
export function addCompletion(program: Command): void {
  examples(
    program
      .command("completion")
      .description("print a script that completes commands and options in a shell")
      .addArgument(new Argument("<shell>", "the shell").choices(shells)),
    "source <(isoline completion bash)",
    "isoline completion zsh > ~/.zfunc/_isoline",
    "isoline completion fish > ~/.config/fish/completions/isoline.fish",
  ).action(async (shell: (typeof shells)[number]) => {
    const { completionScript } = await import("../completion.js");
    process.stdout.write(completionScript(shell, program));
  });
}
