import { type Command, Option } from "commander";
import type { BootstrapCommandOptions } from "../bootstrap.js";
import { examples } from "./examples.js";

/** Adds `isoline bootstrap`. */
export function addBootstrap(program: Command): void {
  examples(
    program
      .command("bootstrap")
      .description("write an Envoy bootstrap that polls a server")
      .argument("[out]", "the output file, or -"),
    "isoline bootstrap - --xds http://127.0.0.1:18000 > envoy.json && envoy -c envoy.json",
    "isoline bootstrap envoy.json --xds https://xds.example.com --token-file /etc/isoline/token.json --admin-socket /run/envoy/admin.sock",
    "isoline bootstrap envoy.json --xds http://127.0.0.1:18000 --settings contour.yaml",
  )
    .addOption(
      new Option(
        "--settings <file>",
        "settings, or Contour's configuration file, for the timeout of polls and values of Envoy's runtime",
      ),
    )
    .requiredOption("--xds <url>", "the server")
    .option("--node-id <id>", "the node.id of this Envoy (default: the host's name)")
    .option("--node-cluster <name>", "the node.cluster of this Envoy")
    .option("--admin-address <address>", "Envoy's admin interface (default: 127.0.0.1)")
    .option("--admin-port <port>", "its port (default: 9001)")
    .option(
      "--admin-socket <path>",
      "Envoy's admin interface on a unix socket, only for processes of Envoy's user",
    )
    .option("--token-file <file>", "an Envoy secret file with the token")
    .option("--ca-file <file>", "certificates to trust for https")
    .option("--refresh-delay <seconds>", "the pause between two polls, such as 0.1s")
    .option("--xds-cluster <name>", "the name of the xDS cluster, which is the Host header of polls")
    .option(
      "--envoy-version <version>",
      "the Envoy release, such as 1.40, or auto: that of $ENVOY or the envoy on the PATH (default: all supported releases)",
    )
    .option("--overload-max-heap <bytes>", "shed load near this size of Envoy's heap")
    .option("--overload-downstream-max-conn <count>", "refuse connections beyond this number")
    .option("--insecure", "allow http:// to another machine")
    .option("--http1", "use HTTP/1.1 over http://, for servers without HTTP/2, such as `wrangler dev`")
    .action(async (out: string | undefined, options: BootstrapCommandOptions) => {
      const { bootstrapCommand } = await import("../bootstrap.js");
      await bootstrapCommand(out, options);
    });
}
