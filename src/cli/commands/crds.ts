import type { Command } from "commander";
import { examples } from "./examples.js";

/** Adds `isoline crds`; `done` receives the exit code. */
export function addCrds(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("crds")
      .description("print the CustomResourceDefinitions of HTTPProxy, IngressRoute and the like"),
    "isoline crds | kubectl apply --server-side -f -",
  ).action(async () => {
    const { crdsCommand } = await import("../crds.js");
    done(crdsCommand());
  });
}
