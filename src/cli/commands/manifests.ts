import { type Command, Option } from "commander";
import { manifestParts } from "../manifest-parts.js";
import type { ManifestsCommandOptions } from "../manifests.js";
import { examples } from "./examples.js";

/** Adds `isoline manifests`. */
export function addManifests(program: Command): void {
  examples(
    program
      .command("manifests")
      .description("print what to apply to a cluster: CRDs, roles, the server, Envoys, the webhook")
      .argument("[parts...]", manifestParts.join(", ")),
    "isoline manifests --image registry.example.com/isoline:1.0 | kubectl apply --server-side -f -",
    "isoline manifests crds rbac > cluster.yaml",
    "isoline manifests webhook --hook-token-file hook.token --hook-url https://xds.example.com",
    "isoline manifests audit-policy > policy.yaml",
    "isoline manifests rbac --gateway | kubectl apply --server-side -f -",
  )
    .option("--namespace <name>", "where everything goes", "projectcontour")
    .option("--image <image>", "of the server", "isoline:latest")
    .option("--replicas <count>", "of the server, and of Envoys in a Deployment", "2")
    .option("--envoy-image <image>", "of the Envoys", "docker.io/envoyproxy/envoy:distroless-v1.40.0")
    .addOption(new Option("--envoy-kind <kind>").choices(["DaemonSet", "Deployment"]).default("DaemonSet"))
    .option("--xds <url>", "where the Envoys poll (default: the server in the namespace)")
    .option("--hook-token-file <file>", "a token that `isoline token hook` printed")
    .option("--hook-url <url>", "where hooks go (default: the server in the namespace)")
    .option("--ca-file <file>", "certificates that the API server is to trust")
    .option(
      "--gateway",
      "for servers with the setting gatewayRef or gateway.controllerName: the Gateway API, too",
    )
    .option("--gateway-infrastructure", "for the setting gateway.infrastructure: ServiceAccounts of Gateways")
    .action(async (parts: readonly string[], options: ManifestsCommandOptions) => {
      const { manifestsCommand } = await import("../manifests.js");
      manifestsCommand(parts, options);
    });
}
