import { type Command, Option } from "commander";
import type { ServeCommandOptions } from "../serve-command.js";
import { examples } from "./examples.js";
import { collect, files, kube, settings } from "./options.js";

/** Adds `isoline serve`, which runs until a signal. */
export function addServe(program: Command): void {
  const serve = examples(
    program
      .command("serve")
      .description("serve manifests or a cluster's objects over REST xDS and follow their changes"),
    "isoline serve -f manifests/",
    "isoline serve --kube --context production --store sqlite:isoline.db",
    "isoline serve --kube east --kube west=arn:aws:eks:eu-west-1:1:cluster/shop",
    "isoline serve --push --store sqlite:isoline.db --tokens tokens.txt",
    "isoline serve -f manifests/ --listen 0.0.0.0:18000 --tokens tokens.txt --tls-cert-file tls.crt --tls-key-file tls.key",
  )
    .addOption(files())
    .addOption(settings())
    .option("--listen <address:port>", "where Envoys poll", "127.0.0.1:18000")
    .option("--store <store>", "memory, or sqlite:FILE", "memory")
    .addOption(kube("follow the cluster of the kubeconfig, or that of the pod, instead of files"))
    .option("--kubeconfig <file>", "default: $KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "a context of the kubeconfig other than its current one")
    .option("--accept-shrink", "apply lists that lack much of what was there, as after a clean-up")
    .option("--poll <seconds>", "with --kube: look this often and when a hook rings, with no watch kept open")
    .option(
      "--stale-after <seconds>",
      "with --kube: without news of the API server for so long, what is served may be old (default: 180)",
    )
    .addOption(
      new Option(
        "--peer <url>",
        "with --kube: another replica, or a name of all; while one is up to date and this one is not, Envoys are sent there",
      ).argParser(collect),
    )
    .option("--strict-admission", "the admission webhook denies references to what is not there yet")
    .option("--write-status", "with --kube: write statuses back to the cluster")
    .option("--push", "serve what `isoline publish` sends, instead of files or a cluster")
    .option("--tokens <file>", "who is let in: lines that `isoline token` makes")
    .option("--fleet <name>", "the fleet of tokens that are let in (default: default)")
    .option("--tls-cert-file <file>", "serve https with this certificate chain")
    .option("--tls-key-file <file>", "and its private key")
    .option("--insecure", "let other machines ask without tokens or https")
    .action(async (options: ServeCommandOptions) => {
      const { serveCommand } = await import("../serve-command.js");
      await serveCommand(options);
    });
  addContourFlags(serve);
}

/** Flags of `contour serve` that mean the same here. */
function addContourFlags(serve: Command): void {
  for (const [flags, text] of [
    ["--ingress-class-name <names>", "ingress classes to serve, comma-separated"],
    ["--root-namespaces <names>", "namespaces that may hold root objects, comma-separated"],
    ["--watch-namespaces <names>", "namespaces to read, comma-separated; all others are left out"],
    ["--use-proxy-protocol", "read the PROXY protocol on both listeners"],
    ["--envoy-service-http-address <address>", "the HTTP listener's address"],
    ["--envoy-service-http-port <port>", "the HTTP listener's port"],
    ["--envoy-service-https-address <address>", "the HTTPS listener's address"],
    ["--envoy-service-https-port <port>", "the HTTPS listener's port"],
    ["--envoy-http-access-log <path>", "the HTTP access log"],
    ["--envoy-https-access-log <path>", "the HTTPS access log"],
    ["--accesslog-format <format>", "envoy or json"],
    ["--stats-address <address>", "the address of Envoy's stats listener"],
    ["--stats-port <port>", "the port of Envoy's stats listener"],
    ["--ingress-status-address <addresses>", "addresses to write into statuses, comma-separated"],
    ["--envoy-service-name <name>", "the Service whose addresses are written into statuses"],
    ["--disable-leader-election", "write statuses without asking other replicas"],
    ["--leader-election-resource-namespace <name>", "where the Lease is (default: the pod's namespace)"],
  ] as const) {
    serve.option(flags, text);
  }
  serve
    .addOption(
      new Option("--disable-feature <name>", "a kind to leave out, such as extensionservices").argParser(
        collect,
      ),
    )
    .option("--envoy-service-namespace <name>", "the namespace of that Service", "projectcontour")
    .option("--leader-election-resource-name <name>", "the Lease of the replica that writes", "isoline");
}
