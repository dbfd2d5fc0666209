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
    .option("--listen <address:port>", "the address for polls of Envoys", "127.0.0.1:18000")
    .option("--store <store>", "memory, or sqlite:FILE", "memory")
    .addOption(kube("follow the cluster of the kubeconfig, or of the pod, instead of files"))
    .option("--kubeconfig <file>", "default: $KUBECONFIG, then ~/.kube/config")
    .option("--context <name>", "a context of the kubeconfig other than its current one")
    .option("--accept-shrink", "apply lists that lack many objects, as after a clean-up")
    .option(
      "--poll <seconds>",
      "with --kube: poll at this interval and when a hook rings, instead of keeping watches open",
    )
    .option(
      "--stale-after <seconds>",
      "with --kube: after this time without an answer of the API server, the served state counts as old (default: 180)",
    )
    .addOption(
      new Option(
        "--peer <url>",
        "with --kube: another replica, or a name with the addresses of all; Envoys are sent to an up-to-date one while this one is not",
      ).argParser(collect),
    )
    .option("--strict-admission", "the admission webhook denies references to objects that do not exist yet")
    .option("--write-status", "with --kube: write statuses back to the cluster")
    .option("--push", "serve pushes of `isoline publish`, instead of files or a cluster")
    .option("--tokens <file>", "the accepted tokens: lines that `isoline token` prints")
    .option("--fleet <name>", "the fleet of the accepted tokens (default: default)")
    .option("--tls-cert-file <file>", "serve https with this certificate chain")
    .option("--tls-key-file <file>", "and its private key")
    .option("--insecure", "serve other machines without tokens or https")
    .addOption(
      new Option(
        "--otlp-endpoint <url>",
        "send traces of changes to this collector (OTLP over HTTP); default: none",
      ).env("OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
    .addOption(
      new Option(
        "--log-format <format>",
        "text, json, or auto: text on a terminal and JSON elsewhere (default: auto)",
      ).env("ISOLINE_LOG_FORMAT"),
    )
    .addOption(
      new Option("--log-level <level>", "debug, info, warn or error (default: info)").env(
        "ISOLINE_LOG_LEVEL",
      ),
    )
    .action(async (options: ServeCommandOptions) => {
      const { serveCommand } = await import("../serve-command.js");
      await serveCommand(options);
    });
  addContourFlags(serve);
}

/** Flags of `contour serve` with the same meaning. */
function addContourFlags(serve: Command): void {
  for (const [flags, text] of [
    ["--ingress-class-name <names>", "ingress classes to serve, comma-separated"],
    ["--root-namespaces <names>", "namespaces that may hold root objects, comma-separated"],
    ["--watch-namespaces <names>", "namespaces to read, comma-separated; all others are ignored"],
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
    ["--disable-leader-election", "write statuses without coordination with other replicas"],
    [
      "--leader-election-resource-namespace <name>",
      "the namespace of the Lease (default: the pod's namespace)",
    ],
  ] as const) {
    serve.option(flags, text);
  }
  serve
    .addOption(
      new Option("--disable-feature <name>", "a kind to ignore, such as extensionservices").argParser(
        collect,
      ),
    )
    .option("--envoy-service-namespace <name>", "the namespace of that Service", "projectcontour")
    .option(
      "--leader-election-resource-name <name>",
      "the name of the Lease of the replica that writes",
      "isoline",
    );
}
