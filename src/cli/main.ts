import { Command, CommanderError, Option } from "commander";
import { messageOf } from "../schema/words.js";
import { type Role, roles } from "../server/tokens.js";
import { BootstrapError } from "../xds/bootstrap.js";
import { addAcceptShrinkCommand } from "./accept-shrink.js";
import { type BootstrapCommandOptions, bootstrapCommand } from "./bootstrap.js";
import { type CheckCommandOptions, checkCommand } from "./check.js";
import { type CompileCommandOptions, compileCommand } from "./compile.js";
import { type CostCommandOptions, costCommand } from "./cost.js";
import { crdsCommand } from "./crds.js";
import { type DemoCommandOptions, demoCommand } from "./demo.js";
import { addDiffCommand } from "./diff-command.js";
import { examples } from "./examples.js";
import { type ExplainCommandOptions, explainCommand } from "./explain.js";
import { checkFormats } from "./findings.js";
import { addFleetCommand } from "./fleet-command.js";
import { withoutKubeNames } from "./kube-targets.js";
import { type ManifestsCommandOptions, manifestParts, manifestsCommand } from "./manifests.js";
import { assumptions, collect, files, input, kube, needFiles, server, settings } from "./options.js";
import { addHistoryCommand, addPublishCommand } from "./publish-command.js";
import { type ServeCommandOptions, serveCommand } from "./serve-command.js";
import { addTestCommand } from "./test-command.js";
import { revokeCommand, type TokenCommandOptions, tokenCommand } from "./token.js";
import { UsageError } from "./usage.js";

/** Put in by the build. */
declare const ISOLINE_VERSION: string;

function createProgram(done: (code: number) => void): Command {
  const program = new Command("isoline")
    .description("An Envoy control plane without pods: Kubernetes routing objects in, REST-JSON xDS out.")
    .version(ISOLINE_VERSION)
    .exitOverride()
    .showHelpAfterError("(isoline --help shows what there is)");

  examples(
    input(program.command("compile").description("compile manifests or a cluster's objects to xDS")),
    "isoline compile -f manifests/ -o xds.json",
    "isoline compile -f a.yaml -f b.yaml --format yaml --strict",
    "isoline compile --kube --context production -o xds.json",
    "kubectl get httpproxies,services,endpointslices -A -o json | isoline compile -f - --stats",
  )
    .addOption(settings())
    .option("-o, --output <path>", "where to write; a folder for envoy-files", "-")
    .addOption(new Option("--format <format>").choices(["json", "yaml", "envoy-files"]).default("json"))
    .option("--strict", "exit with 1 when an object is not valid")
    .option("--status", "print the status of every object instead of xDS")
    .option("--stats", "print one line of JSON with sizes and times on standard error")
    .action(async (options: CompileCommandOptions) => done(await compileCommand(options)));

  examples(
    assumptions(
      input(
        program
          .command("check")
          .description("say what is wrong with manifests or a cluster's objects; exit with 1 on errors"),
      ),
    ),
    "isoline check -f manifests/",
    "isoline check -f manifests/ --format github",
  )
    .addOption(settings())
    .addOption(new Option("--format <format>").choices(checkFormats).default("text"))
    .option("--strict", "warnings count as errors")
    .option(
      "--base-dir <folder>",
      "paths in the output are from this folder; default for github, gitlab and sarif: the root of the repository",
    )
    .addOption(
      new Option(
        "--suppress <file>",
        "warnings that are known and meant, each with a reason (may be given more than once)",
      )
        .argParser(collect)
        .default([]),
    )
    .option("--sarif-file <file>", "also write the findings as SARIF into this file")
    .option("--docs-url <url>", "where Isoline's docs/ is on the web, for the links of rules in SARIF")
    .action(async (options: CheckCommandOptions) => done(await checkCommand(options)));

  server(
    examples(
      assumptions(
        input(
          program
            .command("explain")
            .description("say which route wins a request, and why")
            .argument("<method>")
            .argument("<url>", "http:// or https://, by whatever port Envoy is reached"),
        ),
      ),
      "isoline explain -f manifests/ GET http://echo.com/api",
      "isoline explain -f manifests/ -H 'x-canary: yes' POST https://echo.com/orders?id=7",
      "isoline explain --xds https://isoline.example.com --token-file read-token GET http://echo.com/",
    ),
  )
    .addOption(settings())
    .addOption(
      new Option("-H, --header <header>", "'name: value' (may be given more than once)")
        .argParser(collect)
        .default([]),
    )
    .addOption(new Option("--format <format>").choices(["text", "json"]).default("text"))
    .action(async (method: string, url: string, options: ExplainCommandOptions) =>
      done(await explainCommand(method, url, options)),
    );

  addTestCommand(program, done);
  addDiffCommand(program, done);

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
      if (!options.kube && !options.push) needFiles(options.file);
      await serveCommand(options);
    });
  addContourFlags(serve);

  addPublishCommand(program, done);
  addHistoryCommand(program, done);
  addAcceptShrinkCommand(examples, program, done);
  addFleetCommand(program, done);
  addTokenCommand(program);

  examples(
    program
      .command("crds")
      .description("print the CustomResourceDefinitions of HTTPProxy, IngressRoute and the like"),
    "isoline crds | kubectl apply --server-side -f -",
  ).action(() => done(crdsCommand()));

  addManifestsCommand(program);
  addCostCommand(program);

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
    .action((out: string | undefined, options: BootstrapCommandOptions) => bootstrapCommand(out, options));

  program
    .command("demo")
    .description("run the quickstart: backends, Isoline and a real Envoy")
    .option("--port <port>", "where Envoy serves HTTP", "8080")
    .option("--admin-port <port>", "Envoy's admin interface", "9001")
    .action((options: DemoCommandOptions) => demoCommand(options));
  return program;
}

function addManifestsCommand(program: Command): void {
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
    .option("--gateway", "for servers with the setting gatewayRef: the Gateway API, too")
    .action((parts: readonly string[], options: ManifestsCommandOptions) => manifestsCommand(parts, options));
}

function addCostCommand(program: Command): void {
  examples(
    program.command("cost").description("what a fleet of Envoys costs in requests a month, by mode"),
    "isoline cost --envoys 10",
    "isoline cost --envoys 10 --services 200 --changes 500",
  )
    .requiredOption("--envoys <count>", "Envoys that poll")
    .option("--services <count>", "Services that routes go to: each a subscription in the mode eds", "0")
    .option("--certificates <count>", "certificates that are asked for one by one", "0")
    .option("--changes <count>", "publications a day", "0")
    .option("--refresh-delay <seconds>", "the pause between two polls", "0.1")
    .option("--hold <seconds>", "how long a poll is held; 0 to answer at once", "25")
    .addOption(new Option("--format <format>").choices(["text", "json"]).default("text"))
    .action((options: CostCommandOptions) => costCommand(options));
}

function addTokenCommand(program: Command): void {
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
    command.action((options: TokenCommandOptions) => tokenCommand(role, options));
  }
  token
    .command("revoke")
    .description("take every token of a name out of a file")
    .argument("<name>")
    .requiredOption("--file <file>", "the server's tokens")
    .action((name: string, options: { readonly file: string }) => revokeCommand(name, options.file));
}

const roleTexts: Readonly<Record<Role, string>> = {
  hook: "for webhooks: rings, and asks whether an object is valid",
  preview: "for CI of pull requests: asks what a push would change, and changes nothing",
  publish: "for CI: pushes sources",
  node: "for Envoys: gets configuration with its keys",
  read: "for people and dashboards: reads the status, never keys",
  admin: "all of them but node",
};

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

/** Exit codes: 0 good, 1 invalid objects, 2 wrong use, 3 could not reach or read. */
async function main(): Promise<number> {
  let code = 0;
  try {
    await createProgram((result) => {
      code = result;
    }).parseAsync(withoutKubeNames(process.argv));
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`isoline: ${messageOf(error)}`);
    return error instanceof UsageError || error instanceof BootstrapError ? 2 : 3;
  }
}

process.exitCode = await main();
