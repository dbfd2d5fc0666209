import { proofs } from "./proofs.js";
import { leftOut, type Proof, type Row, tested } from "./row.js";

const flag = (name: string, text: string, ...shownBy: readonly Proof[]): Row =>
  tested(`serve --${name}`, text, ...shownBy);

export const commandRows: readonly Row[] = [
  tested("bootstrap", "what Envoy starts with", proofs.bootstrap, proofs.bootstrapToken, proofs.overload),
  leftOut(
    "bootstrap --resources-dir, --envoy-cafile",
    "certificates of the gRPC connection",
    "polls are HTTP with a token",
  ),
  flag("accesslog-format", "text or JSON", proofs.flagLogs),
  flag("disable-feature", "kinds to leave out", proofs.flagsOfObjects),
  flag("disable-leader-election, leader-election-*", "who writes statuses", proofs.lease),
  flag("envoy-http-access-log, envoy-https-access-log", "where requests are logged", proofs.flagLogs),
  flag(
    "envoy-service-http-address, -http-port, -https-address, -https-port",
    "where Envoy listens",
    proofs.flagAddresses,
  ),
  flag("envoy-service-name, envoy-service-namespace", "whose addresses are told", proofs.addresses),
  flag("ingress-class-name", "classes", proofs.flagsOfObjects),
  flag("ingress-status-address", "addresses of statuses", proofs.statusIngress),
  flag("root-namespaces", "where hosts may be claimed", proofs.flagsOfObjects),
  flag("stats-address, stats-port", "Envoy's health and metrics", proofs.flagStats),
  flag("use-proxy-protocol", "the PROXY protocol", proofs.flagProxyProtocol),
  flag("watch-namespaces", "what is read at all", proofs.flagsOfObjects, proofs.watched),
  leftOut(
    "serve --config-path, --contour-config-name",
    "the settings",
    "`--settings FILE` takes the file and the object",
  ),
  leftOut(
    "serve --contour-cafile, -cert-file, -key-file, --insecure",
    "the gRPC server's certificates",
    "`--tls-cert-file`, `--tls-key-file` and `--tokens`",
  ),
  leftOut(
    "serve --debug, --debug-http-*, --kubernetes-debug",
    "debugging of the Go process",
    "there is none",
  ),
  leftOut(
    "serve --health-*, --http-*",
    "Contour's own health and metrics",
    "they are on the port that Envoys ask",
  ),
  leftOut(
    "serve --incluster, --kubeconfig",
    "the API server",
    "`--kube` with `--kubeconfig` and `--context`",
  ),
  leftOut(
    "serve --kubernetes-client-qps, -burst",
    "limits of requests to the API server",
    "there is one watch a kind",
  ),
  leftOut("serve --xds-address, --xds-port", "where Envoys ask", "`--listen`"),
  leftOut("certgen", "certificates of the gRPC connection", "polls are HTTP with a token"),
  leftOut("cli", "a debugging client", "`isoline explain --xds` and any HTTP client"),
  leftOut("gateway-provisioner", "the Gateway API", "not served by this project"),
  leftOut("envoy shutdown-manager, envoy shutdown", "draining of pods", "a matter of Envoy's own deployment"),
  leftOut("version", "the build", "the package's version; there is no such command"),
  tested("/debug/dag", "the graph of what is served", proofs.routeGraph),
  tested("/metrics", "counters", proofs.metrics),
];
