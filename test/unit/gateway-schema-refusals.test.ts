import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";

const group = "gateway.networking.k8s.io";

function findings(kind: string, spec: unknown) {
  const metadata = { name: "one", ...(kind === "GatewayClass" ? {} : { namespace: "shop" }) };
  const parsed = parseObject({ apiVersion: `${group}/v1`, kind, metadata, spec });
  return "findings" in parsed ? parsed.findings : [];
}

/** Expects exactly one problem, with this path and a message that contains the text. */
function expectRefused(kind: string, spec: object, path: string, message: string): void {
  const found = findings(kind, spec);
  expect(found).toMatchObject([{ about: `${kind}/${kind === "GatewayClass" ? "" : "shop"}/one`, path }]);
  expect(found[0]?.message).toContain(message);
}

type Row = readonly [path: string, given: object, message?: string];

const cases = (...rows: Row[]): { path: string; given: object; message: string }[] =>
  rows.map(([path, given, message = ""]) => ({ path, given, message }));

const times = <T>(count: number, one: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i));

const wild = "must be a lower-case DNS name, optionally with a leading *.";
const precise = "must be a lower-case DNS name";
const token = "must be the name of a header (RFC 7230 token)";

describe("a Gateway", () => {
  const listener = (i: number) => ({ name: `l${i}`, port: 80, protocol: "HTTP" });
  const gateway = (...listeners: unknown[]) => ({ gatewayClassName: "contour", listeners });

  it.each(
    cases(
      ["spec.gatewayClassName", { listeners: [listener(0)] }],
      ["spec.gatewayClassName", { ...gateway(listener(0)), gatewayClassName: "" }],
      ["spec.listeners", { gatewayClassName: "contour" }],
      ["spec.listeners", gateway()],
      ["spec.listeners", gateway(...times(65, listener))],
      [
        "spec.listeners",
        gateway(listener(1), listener(1)),
        "must not contain two listeners with the same name",
      ],
      ["spec.addresses", { ...gateway(listener(0)), addresses: times(17, () => ({})) }],
    ),
  )("$path", ({ path, given: spec, message }) => {
    expectRefused("Gateway", spec, path, message);
  });

  const expression = { key: "a", operator: "Is" };
  const selector = { matchExpressions: [expression] };

  it.each(
    cases(
      ["name", { name: "" }],
      ["name", { name: "n".repeat(254) }],
      ["port", { port: 0 }],
      ["port", { port: 65536 }],
      ["port", { port: "80" }],
      ["protocol", { protocol: "" }],
      ["hostname", { hostname: "a".repeat(254) }],
      ["tls.mode", { tls: { mode: "terminate" } }, "Terminate"],
      ["tls.certificateRefs[0].name", { tls: { certificateRefs: [{}] } }],
      ["tls.certificateRefs", { tls: { certificateRefs: times(65, () => ({ name: "a" })) } }],
      ["allowedRoutes.namespaces.from", { allowedRoutes: { namespaces: { from: "Any" } } }, "Selector"],
      [
        "allowedRoutes.namespaces.selector.matchExpressions[0].operator",
        { allowedRoutes: { namespaces: { selector } } },
        "DoesNotExist",
      ],
      ["allowedRoutes.kinds[0].kind", { allowedRoutes: { kinds: [{}] } }],
      ["allowedRoutes.kinds", { allowedRoutes: { kinds: times(9, () => ({ kind: "HTTPRoute" })) } }],
    ),
  )("listener: $path in $given", ({ path, given, message }) => {
    const spec = gateway({ ...listener(0), ...given });
    expectRefused("Gateway", spec, `spec.listeners[0].${path}`, message);
  });
});

describe("an HTTPRoute", () => {
  it.each(
    cases(
      ["parentRefs[0].name", { parentRefs: [{ namespace: "infra" }] }],
      ["parentRefs[0].port", { parentRefs: [{ name: "g", port: 70000 }] }],
      ["parentRefs[0].sectionName", { parentRefs: [{ name: "g", sectionName: "" }] }],
      ["parentRefs", { parentRefs: times(33, () => ({ name: "g" })) }],
      ["hostnames[0]", { hostnames: ["A.test"] }, wild],
      ["hostnames[1]", { hostnames: ["a.test", "a.*.test"] }, wild],
      ["hostnames[0]", { hostnames: ["*"] }, wild],
      ["hostnames[0]", { hostnames: ["*a.test"] }, wild],
      ["hostnames[0]", { hostnames: ["a.test:80"] }, wild],
      ["hostnames[0]", { hostnames: ["a.test."] }, wild],
      ["hostnames[0]", { hostnames: [""] }, wild],
      ["hostnames", { hostnames: times(17, (i) => `h${i}.test`) }],
      ["rules", { rules: times(17, () => ({})) }],
      ["rules[0].matches", { rules: [{ matches: times(65, () => ({})) }] }],
      ["rules[0].backendRefs", { rules: [{ backendRefs: times(17, () => ({ name: "a", port: 80 })) }] }],
      ["rules[0].filters", { rules: [{ filters: times(17, () => ({ type: "CORS" })) }] }],
    ),
  )("$path", ({ path, given: spec, message }) => {
    expectRefused("HTTPRoute", spec, `spec.${path}`, message);
  });

  it.each(
    cases(
      ["path.type", { path: { type: "Prefix" } }, "PathPrefix"],
      ["path.value", { path: { value: `/${"a".repeat(1024)}` } }],
      ["method", { method: "get" }, "GET"],
      ["headers[0].type", { headers: [{ name: "a", value: "b", type: "Prefix" }] }, "Exact"],
      ["headers[0].name", { headers: [{ name: "a b", value: "c" }] }, token],
      ["headers[0].name", { headers: [{ name: "", value: "c" }] }, token],
      ["headers[0].name", { headers: [{ name: ":path", value: "c" }] }, token],
      ["headers[0].name", { headers: [{ name: "a".repeat(257), value: "c" }] }],
      ["headers[0].value", { headers: [{ name: "a", value: "" }] }],
      ["headers[0].value", { headers: [{ name: "a", value: "b\nc" }] }, "must be one line"],
      ["headers", { headers: times(17, (i) => ({ name: `h${i}`, value: "1" })) }],
      ["queryParams[0].name", { queryParams: [{ name: "a=b", value: "c" }] }, token],
      ["queryParams[0].type", { queryParams: [{ name: "a", value: "b", type: "Prefix" }] }, "Exact"],
    ),
  )("match: $path in $given", ({ path, given, message }) => {
    expectRefused(
      "HTTPRoute",
      { rules: [{ matches: [given] }] },
      `spec.rules[0].matches[0].${path}`,
      message,
    );
  });

  it.each(
    cases(
      ["name", { name: "" }],
      ["port", { port: 0 }],
      ["port", { port: "http" }],
      ["weight", { weight: 1_000_001 }],
      ["weight", { weight: -1 }],
      ["weight", { weight: 0.5 }],
      ["filters[0].type", { filters: [{}] }],
    ),
  )("backendRef: $path in $given", ({ path, given, message }) => {
    const backendRefs = [{ name: "app", port: 80, ...given }];
    expectRefused("HTTPRoute", { rules: [{ backendRefs }] }, `spec.rules[0].backendRefs[0].${path}`, message);
  });

  const mirrored = { backendRef: { name: "app", port: 80 } };
  const lines = { type: "ReplaceFullPath", replaceFullPath: "/a\r\nb" };

  it.each(
    cases(
      ["requestHeaderModifier.set[0].name", { set: [{ name: "a:b", value: "c" }] }, token],
      ["requestHeaderModifier.add[0].value", { add: [{ name: "a", value: "" }] }],
      ["requestHeaderModifier.remove", { remove: times(17, (i) => `h${i}`) }],
      ["responseHeaderModifier.set[0].name", { set: [{ name: "", value: "c" }] }, token],
      ["requestRedirect.statusCode", { statusCode: 304 }],
      ["requestRedirect.scheme", { scheme: "ftp" }, "https"],
      ["requestRedirect.hostname", { hostname: "*.a.test" }, precise],
      ["requestRedirect.port", { port: 70000 }],
      ["requestRedirect.path.type", { path: { type: "Prefix" } }, "ReplaceFullPath"],
      ["requestRedirect.path.type", { path: { replaceFullPath: "/a" } }, "ReplaceFullPath"],
      ["urlRewrite.hostname", { hostname: "a_b.test" }, precise],
      ["urlRewrite.path.replaceFullPath", { path: lines }],
      ["requestMirror", { ...mirrored, percent: 1, fraction: { numerator: 1 } }, "both percent and fraction"],
      ["requestMirror.percent", { ...mirrored, percent: 101 }],
      ["requestMirror.percent", { ...mirrored, percent: 0.5 }],
      ["requestMirror.fraction.numerator", { ...mirrored, fraction: {} }],
      ["requestMirror.fraction.denominator", { ...mirrored, fraction: { numerator: 1, denominator: 0 } }],
      ["requestMirror.backendRef", {}],
    ),
  )("filter: $path in $given", ({ path, given, message }) => {
    const field = path.split(".")[0] ?? "";
    const filters = [{ type: "Any", [field]: given }];
    expectRefused("HTTPRoute", { rules: [{ filters }] }, `spec.rules[0].filters[0].${path}`, message);
  });

  it("reports the missing field of a filter", () => {
    const path = "spec.rules[0].filters[0].requestRedirect";
    expectRefused("HTTPRoute", { rules: [{ filters: [{ type: "RequestRedirect" }] }] }, path, "needs it");
  });

  it("lists the valid status codes of a redirect", () => {
    const filters = [{ type: "RequestRedirect", requestRedirect: { statusCode: 304 } }];
    const path = "spec.rules[0].filters[0].requestRedirect.statusCode";
    expectRefused("HTTPRoute", { rules: [{ filters }] }, path, "308");
  });

  it.each(["10", "1.5s", "-1s", "s", "", "100000s", "1h1m1s1ms1h", "infinity", "1us", " 1s", "1S"])(
    "timeout %j",
    (request) => {
      const message = 'must be a duration such as "10s" or "1m30s"';
      const path = "spec.rules[0].timeouts";
      expectRefused("HTTPRoute", { rules: [{ timeouts: { request } }] }, `${path}.request`, message);
      const backendRequest = { backendRequest: request };
      expectRefused(
        "HTTPRoute",
        { rules: [{ timeouts: backendRequest }] },
        `${path}.backendRequest`,
        message,
      );
    },
  );

  it("reports every problem", () => {
    const spec = { hostnames: ["A"], rules: [{ backendRefs: [{ name: "app", weight: -1 }] }] };
    expect(findings("HTTPRoute", spec).map(({ path }) => path)).toEqual([
      "spec.hostnames[0]",
      "spec.rules[0].backendRefs[0].weight",
    ]);
  });
});

const reference = {
  from: [{ group, kind: "HTTPRoute", namespace: "a" }],
  to: [{ group: "", kind: "Service" }],
};
const target = { group: "", kind: "Service", name: "app" };
const policy = (validation: object) => ({
  targetRefs: [target],
  validation: { hostname: "a.test", ...validation },
});
const backend = (fields: object) => ({ rules: [{ backendRefs: [{ name: "app", port: 80, ...fields }] }] });

it.each<[kind: string, path: string, spec: object]>([
  ["GatewayClass", "controllerName", {}],
  ["GRPCRoute", "rules[0].matches[0].method.type", { rules: [{ matches: [{ method: { type: "Any" } }] }] }],
  ["GRPCRoute", "rules[0].matches[0].headers[0].name", { rules: [{ matches: [{ headers: [{}] }] }] }],
  ["GRPCRoute", "hostnames[0]", { hostnames: ["A.test"] }],
  ["GRPCRoute", "rules[0].backendRefs[0].weight", backend({ weight: 2_000_000 })],
  ["TLSRoute", "hostnames[0]", { ...backend({}), hostnames: ["A.test"] }],
  ["TLSRoute", "rules", { hostnames: ["a.test"] }],
  ["TLSRoute", "rules", { rules: [] }],
  ["TLSRoute", "rules[0].backendRefs[0].weight", backend({ weight: 2_000_000 })],
  ["TCPRoute", "rules", {}],
  ["TCPRoute", "rules", { rules: [] }],
  ["TCPRoute", "rules[0].backendRefs[0].port", backend({ port: 65536 })],
  ["ReferenceGrant", "from", { ...reference, from: [] }],
  ["ReferenceGrant", "to", { from: reference.from }],
  ["ReferenceGrant", "to", { ...reference, to: times(17, () => reference.to[0]) }],
  ["ReferenceGrant", "from[0].namespace", { ...reference, from: [{ group, kind: "HTTPRoute" }] }],
  ["ReferenceGrant", "from[0].group", { ...reference, from: [{ kind: "HTTPRoute", namespace: "a" }] }],
  ["ReferenceGrant", "to[0].group", { ...reference, to: [{ kind: "Service" }] }],
  ["BackendTLSPolicy", "targetRefs", { ...policy({}), targetRefs: [] }],
  ["BackendTLSPolicy", "targetRefs[0].kind", { ...policy({}), targetRefs: [{ name: "app" }] }],
  [
    "BackendTLSPolicy",
    "targetRefs[0].sectionName",
    { ...policy({}), targetRefs: [{ ...target, sectionName: "" }] },
  ],
  ["BackendTLSPolicy", "validation", { targetRefs: [target] }],
  ["BackendTLSPolicy", "validation.hostname", policy({ hostname: "" })],
  ["BackendTLSPolicy", "validation.subjectAltNames[0].type", policy({ subjectAltNames: [{ type: "DNS" }] })],
  [
    "BackendTLSPolicy",
    "validation.subjectAltNames",
    policy({ subjectAltNames: times(6, () => ({ type: "URI" })) }),
  ],
  [
    "BackendTLSPolicy",
    "validation.caCertificateRefs[0].name",
    policy({ caCertificateRefs: [{ kind: "Secret" }] }),
  ],
])("a %s: %s", (kind, path, spec) => {
  expect(findings(kind, spec).map((one) => one.path)).toContain(`spec.${path}`);
});
