import type { Manifest } from "./backend.js";
import { each, ingress, lines, type Poison, route, v1beta1, web, wide } from "./poison.js";

/** Expressions that RE2 refuses, or accepts only within its limits. */
export const badRegexes = [
  "(?=a)b",
  "(?<!a)b",
  "(a)\\1",
  // Valid without the part in between.
  "\\1\\.1(?i)",
  "\\x{4\\.}",
  "a{1001}",
  "((a{100}){100}){100}",
  "[",
  "*a",
  "\\u0041",
  "a".repeat(5000),
  "(?:a|b|c){900}",
  "(a+)+$",
  "\\C",
  "\\pL{900}",
  "\\p{Garay}",
  "(?P<n>a)(?P<n>b)",
  "\\x{D800}",
  "\ud800",
];

const header = (name: string, value: string): Manifest => ({ set: [{ name, value }] });
const names = ["", "a\r\nb", "a\0b", "x y", "host", "Host", ":path", "content-length", "transfer-encoding"];
const values = [
  ...lines,
  "x".repeat(16_384),
  wide,
  "%".repeat(8192),
  "%CONTOUR_NAMESPACE%".repeat(430),
  "100%",
  "%NOPE%",
  "%FILE_CONTENT(/etc/hostname)%",
  "%ENVIRONMENT(XDS_TOKEN)%",
  "%REQ(authorization)%",
  "%START_TIME(%s)%",
  "naïve",
];
const durations = [
  "-1s",
  "5m",
  "1e12s",
  "1ns",
  "100ns",
  "0.4ns",
  "87600000h",
  "infinity",
  "0s",
  "9".repeat(90),
];
const paths = ["", "no-slash", "/a\r\nb", "/a\0b", "/a b", "/a?b=c", "//evil.test", "/..%2f..", "/a#b"];

export const matches: readonly Poison[] = [
  ...each("path regex", badRegexes, (re) => route({ conditions: [{ regex: `/${re}` }] })),
  ...each("path regex alone", ["", "a", "^a"], (regex) => route({ conditions: [{ regex }] })),
  ...each("header regex", badRegexes, (regex) =>
    route({ conditions: [{ prefix: "/" }, { header: { name: "x-a", regex } }] }),
  ),
  ...each("query regex", badRegexes, (regex) =>
    route({ conditions: [{ prefix: "/" }, { queryParameter: { name: "q", regex } }] }),
  ),
  ...each("Ingress regex", badRegexes, (re) =>
    ingress({ path: `/+${re}`, pathType: "ImplementationSpecific" }),
  ),
  ...each("header condition name", [...names, "x".repeat(20_000), "é"], (name) =>
    route({ conditions: [{ header: { name, exact: "a" } }] }),
  ),
  ...each("header condition value", [...lines, "x".repeat(20_000)], (exact) =>
    route({ conditions: [{ header: { name: "x-a", exact } }, { header: { name: "x-b", contains: exact } }] }),
  ),
  ...each("query condition name", ["", "a\r\nb", "\ud800", "q".repeat(2000), "é".repeat(1000)], (name) =>
    route({ conditions: [{ queryParameter: { name, exact: "a" } }] }),
  ),
  ...each("query condition value", lines, (prefix) =>
    route({ conditions: [{ queryParameter: { name: "q", prefix } }] }),
  ),
  ...each("prefix", paths, (prefix) => route({ conditions: [{ prefix }] })),
  ...each("exact path", paths, (exact) => route({ conditions: [{ exact }] })),
  ...each("Ingress prefix", [...paths, "/a/", "//"], (path) => ingress({ path, pathType: "Prefix" })),
  ...each("Ingress exact path", paths, (path) => ingress({ path, pathType: "Exact" })),
  ...each("IngressRoute match", paths, (match) => v1beta1({ match })),
];

export const policies: readonly Poison[] = [
  ...(["requestHeadersPolicy", "responseHeadersPolicy"] as const).flatMap((policy) => [
    ...each(`${policy} value`, values, (value) => route({ [policy]: header("x-a", value) })),
    ...each(`${policy} name`, [...names, "x".repeat(20_000)], (name) =>
      route({ [policy]: header(name, "a") }),
    ),
    ...each(`${policy} remove`, names, (name) => route({ [policy]: { remove: [name] } })),
    ...each(`service ${policy} value`, values, (value) =>
      route({ services: [{ ...web[0], [policy]: header("x-a", value) }] }),
    ),
  ]),
  ...each("Host rewrite", [...lines, "%REQ(a\r\n)%", "%REQ(x-a)%", "%", "h".repeat(300)], (value) =>
    route({
      services: [{ ...web[0], protocol: "tls" }],
      requestHeadersPolicy: { set: [{ name: "Host", value }] },
    }),
  ),
  ...each("response timeout", durations, (response) => route({ timeoutPolicy: { response } })),
  ...each("idle timeout", durations, (idle) => route({ timeoutPolicy: { idle } })),
  ...each("idle connection timeout", durations, (idleConnection) =>
    route({ timeoutPolicy: { idleConnection } }),
  ),
  ...each("per try timeout", durations, (perTryTimeout) => route({ retryPolicy: { perTryTimeout } })),
  ...each("IngressRoute timeout", durations, (request) => v1beta1({ timeoutPolicy: { request } })),
  ...each("IngressRoute per try timeout", durations, (perTryTimeout) =>
    v1beta1({ retryPolicy: { perTryTimeout } }),
  ),
  ...each("Ingress timeout", durations, (value) =>
    ingress({ path: "/" }, { "projectcontour.io/response-timeout": value }),
  ),
  ...each("retry count", ["-2", "4294967296", "1e100", "1.5"], (count) =>
    route({ retryPolicy: { count: Number(count) } }),
  ),
  ...each("IngressRoute retry count", ["-1", "4294967296", "9007199254740991"], (count) =>
    v1beta1({ retryPolicy: { count: Number(count) } }),
  ),
  ...each("Ingress retries", ["-5", "4294967296", "1e100", "0x7fffffffff", "x"], (count) =>
    ingress({ path: "/" }, { "projectcontour.io/retry-on": "5xx", "projectcontour.io/num-retries": count }),
  ),
  ...each("Ingress retry-on", [...lines, "bogus", ",", "x".repeat(20_000)], (on) =>
    ingress({ path: "/" }, { "projectcontour.io/retry-on": on }),
  ),
  { name: "retryOn bogus", objects: route({ retryPolicy: { retryOn: ["bogus"] } }) },
  ...each("hash header", ["", "a\r\nb", "a\0b", "x y", "x".repeat(20_000)], (headerName) =>
    route({
      loadBalancerPolicy: {
        strategy: "RequestHash",
        requestHashPolicies: [{ headerHashOptions: { headerName } }],
      },
    }),
  ),
  ...each("hash query parameter", ["", "a\r\nb"], (parameterName) =>
    route({
      loadBalancerPolicy: {
        strategy: "RequestHash",
        requestHashPolicies: [{ queryParameterHashOptions: { parameterName } }],
      },
    }),
  ),
  ...([[{}], [], [{ hashSourceIP: true, headerHashOptions: { headerName: "x" } }]] as const).map(
    (list, i) => ({
      name: `empty hash policy ${i}`,
      objects: route({ loadBalancerPolicy: { strategy: "RequestHash", requestHashPolicies: list } }),
    }),
  ),
];
