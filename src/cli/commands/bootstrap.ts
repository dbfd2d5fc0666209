import { type Command, Option } from "commander";
import type { BootstrapCommandOptions } from "../bootstrap.js";
import { examples } from "./examples.js";

/** Adds `isoline bootstrap`. */
export function addBootstrap(program: Command): void {
  examples(
    program
      .command("bootstrap")
      .description("write an Envoy bootstrap that polls a function")
      .argument("[out]"),
    "isoline bootstrap - --xds http://127.0.0.1:18000 > envoy.json && envoy -c envoy.json",
    "isoline bootstrap envoy.json --xds https://xds.example.com --token-file /etc/isoline/token.json --admin-socket /run/envoy/admin.sock",
    "isoline bootstrap envoy.json --xds http://127.0.0.1:18000 --settings contour.yaml",
  )
    .addOption(
      new Option(
        "--settings <file>",
        "settings, or Contour's configuration file: for values of Envoy's runtime",
      ),
    )
    .requiredOption("--xds <url>", "the function that serves xDS")
    .option("--node-id <id>", "this Envoy's own name (default: the host's name)")
    .option("--node-cluster <name>", "the group that it belongs to")
    .option("--admin-address <address>", "Envoy's admin interface (default: 127.0.0.1)")
    .option("--admin-port <port>", "its port (default: 9001)")
    .option(
      "--admin-socket <path>",
      "Envoy's admin interface on a unix socket, for processes of Envoy's user alone",
    )
    .option("--token-file <file>", "an Envoy secret file with the token to show")
    .option("--ca-file <file>", "certificates to trust for https")
    .option("--refresh-delay <seconds>", "the pause between two polls, such as 0.1s")
    .option("--xds-cluster <name>", "the name of the xDS cluster, which is the Host header of polls")
    .option(
      "--envoy-version <version>",
      "what the bootstrap is for, such as 1.40, or auto: $ENVOY or the envoy on the PATH (default: all that are supported)",
    )
    .option("--overload-max-heap <bytes>", "shed load near this size of Envoy's heap")
    .option("--overload-downstream-max-conn <count>", "refuse further connections beyond")
    .option("--insecure", "allow http:// to another machine")
    .option("--http1", "over http://: HTTP/1.1, for what speaks no HTTP/2 there, such as `wrangler dev`")
    .action(async (out: string | undefined, options: BootstrapCommandOptions) => {
      const { bootstrapCommand } = await import("../bootstrap.js");
      await bootstrapCommand(out, options);
    });
}
