import type { Command } from "commander";
import { type Role, roles } from "../../server/tokens.js";
import type { TokenCommandOptions } from "../token.js";
import { examples } from "./examples.js";

const roleTexts: Readonly<Record<Role, string>> = {
  hook: "for webhooks: rings, and asks whether an object is valid",
  preview: "for CI of pull requests: asks what a push would change, and changes nothing",
  publish: "for CI: pushes sources",
  node: "for Envoys: gets configuration with its keys",
  read: "for people and dashboards: reads the status, never keys",
  admin: "all of them but node",
};

/** Adds `isoline token`. */
export function addToken(program: Command): void {
  const token = examples(
    program.command("token").description("make a token for a role, or revoke one"),
    "isoline token node --name edge --nodes 'edge-*' --file tokens.txt --envoy-file token.json",
    "isoline token publish --name ci --source web --namespaces team-a,team-b",
    "isoline token revoke edge --file tokens.txt",
  );
  for (const role of roles) {
    const command = token
      .command(role)
      .description(roleTexts[role])
      .option("--name <name>", "for logs, and to revoke it by")
      .option("--fleet <name>", "the fleet that it is for (default: default)")
      .option("--until <time>", "when it ends, such as 2027-01-31T00:00:00Z")
      .option("--file <file>", "add its line to this file of the server");
    if (role === "node")
      command
        .option(
          "--nodes <id>",
          "only the Envoy of this node.id; with * at the end all whose node.id begins so",
        )
        .option("--envoy-file <file>", "write it as a secret file for `isoline bootstrap --token-file`");
    if (role === "publish" || role === "preview")
      command
        .option("--source <name>", "only this source; with --namespaces alone, that of the token's --name")
        .option("--namespaces <names>", "only objects in these namespaces, comma-separated");
    command.action(async (options: TokenCommandOptions) => {
      const { tokenCommand } = await import("../token.js");
      await tokenCommand(role, options);
    });
  }
  token
    .command("revoke")
    .description("take every token of a name out of a file")
    .argument("<name>")
    .requiredOption("--file <file>", "the server's tokens")
    .action(async (name: string, options: { readonly file: string }) => {
      const { revokeCommand } = await import("../token.js");
      revokeCommand(name, options.file);
    });
}
