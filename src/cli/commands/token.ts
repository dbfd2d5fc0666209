import type { Command } from "commander";
import { type Role, roles } from "../../server/tokens.js";
import type { TokenCommandOptions } from "../token.js";
import { examples } from "./examples.js";

const roleTexts: Readonly<Record<Role, string>> = {
  hook: "for webhooks: rings, and validates objects",
  preview: "for CI of pull requests: dry runs of pushes",
  publish: "for CI: pushes sources",
  node: "for Envoys: reads the configuration with its keys",
  read: "for people and dashboards: reads the status, never keys",
  admin: "all roles except node",
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
      .option("--name <name>", "the token's name, for logs and for revoke")
      .option("--fleet <name>", "the token's fleet (default: default)")
      .option("--until <time>", "the expiry, such as 2027-01-31T00:00:00Z")
      .option("--file <file>", "add the token's line to this file of the server");
    if (role === "node")
      command
        .option("--nodes <id>", "only the Envoy with this node.id; a final * matches any suffix")
        .option(
          "--envoy-file <file>",
          "write the token as a secret file for `isoline bootstrap --token-file`",
        );
    if (role === "publish" || role === "preview")
      command
        .option("--source <name>", "only this source; default with --namespaces: the token's --name")
        .option("--namespaces <names>", "only objects in these namespaces, comma-separated");
    command.action(async (options: TokenCommandOptions) => {
      const { tokenCommand } = await import("../token.js");
      await tokenCommand(role, options);
    });
  }
  token
    .command("revoke")
    .description("remove every token with a name from a file")
    .argument("<name>", "the token's name")
    .requiredOption("--file <file>", "the server's tokens")
    .action(async (name: string, options: { readonly file: string }) => {
      const { revokeCommand } = await import("../token.js");
      revokeCommand(name, options.file);
    });
}
