import { proofs } from "./proofs.js";
import { proved, type Row, shown } from "./row.js";

const service = (field: string): string => `HTTPProxy services[].${field}`;
const tcp = (field: string): string => `HTTPProxy spec.tcpproxy.${field}`;

export const serviceRows: readonly Row[] = [
  shown(
    service("name"),
    "endpoints by the Service's port name",
    "endpoints/slices-and-endpoints",
    "name: default/app/http",
  ),
  shown(
    service("port"),
    "a port that is not there",
    "reasons/services",
    'port "81" on service "default/app" not matched',
  ),
  proved(
    shown(
      service("healthPort"),
      "checks at another port",
      "health-check/health-port-and-statuses",
      "healthPort: 81",
      "port_value: 8081",
    ),
    proofs.healthPort,
  ),
  shown(
    service("protocol"),
    "h2 and its certificate",
    "upstream-validation/protocols",
    "protocol: h2",
    "- h2",
  ),
  shown(
    service("protocol"),
    "the route's protocol before the port's",
    "services/protocols",
    "prefix: /route-wins",
    "protocol: tls",
  ),
  shown(service("weight"), "shares of the requests", "weights/weighted-and-missing", "weight: 10"),
  proved(
    shown(
      service("mirror"),
      "copies of requests, or of a share",
      "mirror/one-and-two",
      "request_mirror_policies:",
      "numerator: 10",
    ),
    proofs.mirror,
  ),
  shown(service("mirror"), "a mirror alone answers 503", "mirror/one-and-two", "name: alone", "status: 503"),
  proved(
    shown(
      service("validation"),
      "the backend's authority and names",
      "upstream-validation/protocols",
      "match_typed_subject_alt_names:",
      "exact: b.example",
    ),
    proofs.backendCertificates,
  ),
  shown(
    service("validation"),
    "without TLS it is of no account",
    "upstream-validation/protocols",
    "prefix: /plain",
  ),
  shown(
    service("requestHeadersPolicy"),
    "headers of one service",
    "headers/set-remove-host",
    "x-service",
    "app:80",
  ),
  shown(
    service("responseHeadersPolicy"),
    "headers of its answers",
    "fields/every-place",
    "responseHeadersPolicy: {remove: [Server]}",
    "- Server",
  ),
  shown(
    service("cookieRewritePolicies"),
    "cookies of one service",
    "fields/every-place",
    "domain: example.com",
  ),
  shown(
    service("slowStartPolicy"),
    "new endpoints begin gently",
    "slow-start/windows",
    "slow_start_window: 30s",
    "contour.slowstart.aggression",
    "min_weight_percent:",
  ),
];

export const tcpRows: readonly Row[] = [
  proved(
    shown(
      tcp("services"),
      "connections by SNI, weighted",
      "tcpproxy/passthrough-and-terminated",
      "weighted_clusters:",
      "idle_timeout: 9001s",
    ),
    proofs.tcp,
  ),
  shown(
    tcp("services"),
    "a weight of none takes no part",
    "reasons/tcpproxy",
    "weight: 0",
    "cluster: default/app/80/4df0baade4d3a01c",
  ),
  shown(tcp("services"), "TLS is needed", "tcpproxy/passthrough-and-terminated", "TLSMustBeConfigured"),
  shown(
    tcp("include"),
    "another object's connections",
    "fields/every-place",
    "include: {name: tcp-child, namespace: team}",
  ),
  shown(
    tcp("includes"),
    "its old name",
    "fields/every-place",
    "includes: {name: tcp-child, namespace: team}",
  ),
  shown(
    tcp("loadBalancerPolicy"),
    "without hashes",
    "reasons/tcpproxy",
    "Cookie load balancer policy is not supported for TCPProxies",
  ),
  proved(
    shown(tcp("healthCheckPolicy"), "checks that connect", "fields/every-place", "tcp_health_check: {}"),
    proofs.healthTcp,
  ),
  shown(
    "HTTPProxy spec.routes beside tcpproxy",
    "plain HTTP alone",
    "reasons/tcpproxy",
    "virtual-host of ingress_http",
    "- zero.test",
  ),
];
