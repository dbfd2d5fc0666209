import { type Command, Option } from "commander";
import { manifestParts } from "../manifest-parts.js";
import type { ManifestsCommandOptions } from "../manifests.js";
import { examples } from "./examples.js";

/** Adds `isoline manifests`. */
export function addManifests(program: Command): void {
  examples(
    program
      .command("manifests")
      .description("print manifests for a cluster: CRDs, roles, the server, Envoys, the webhook")
      .argument("[parts...]", manifestParts.join(", ")),
    "isoline manifests --image registry.example.com/isoline:1.0 | kubectl apply --server-side -f -",
    "isoline manifests crds rbac > cluster.yaml",
    "isoline manifests server --settings contour.yaml > server.yaml",
    "isoline manifests --worker https://isoline.example.workers.dev --hook-token-file hook.token",
    "isoline manifests webhook --hook-token-file hook.token --hook-url https://xds.example.com",
    "isoline manifests audit-policy > policy.yaml",
    "isoline manifests rbac --gateway | kubectl apply --server-side -f -",
  )
    .option("--namespace <name>", "the namespace of all objects", "projectcontour")
    .option("--image <image>", "the server's image", "isoline:latest")
    .option("--replicas <count>", "replicas of the server, and of Envoys in a Deployment", "2")
    .option("--envoy-image <image>", "the Envoys' image", "docker.io/envoyproxy/envoy:distroless-v1.40.0")
    .addOption(
      new Option("--envoy-kind <kind>", "the workload of the Envoys")
        .choices(["DaemonSet", "Deployment"])
        .default("DaemonSet"),
    )
    .option("--no-write-status", "the server writes no statuses: for a server beside another controller")
    .option("--settings <file>", "settings of the server, which are printed as a ConfigMap")
    .option("--xds <url>", "the server that the Envoys poll (default: the one in the namespace)")
    .option(
      "--worker <url>",
      "the server is a Worker: print only what its cluster needs, without pods of Isoline",
    )
    .option("--hook-token-file <file>", "a token made by `isoline token hook`")
    .option("--hook-url <url>", "the server for hooks (default: the one in the namespace)")
    .option("--ca-file <file>", "certificates that the API server trusts for hooks")
    .option(
      "--gateway",
      "include the Gateway API, for servers with the setting gatewayRef or gateway.controllerName",
    )
    .option(
      "--gateway-infrastructure",
      "include ServiceAccounts of Gateways, for the setting gateway.infrastructure",
    )
    .option("--http3", "include the Envoys' UDP ports, for the setting http3")
    .option(
      "--gateway-parameters <file>",
      "the ConfigMap that parametersRef of a Gateway or GatewayClass names: Envoys as it describes them",
    )
    .option(
      "--ingress-nginx-config-map <namespace/name,...>",
      "include the ConfigMaps of the setting ingressNginx",
    )
    .action(async (parts: readonly string[], options: ManifestsCommandOptions) => {
      const { manifestsCommand } = await import("../manifests.js");
      manifestsCommand(parts, options);
    });
}
