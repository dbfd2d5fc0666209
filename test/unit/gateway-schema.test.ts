import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";

const group = "gateway.networking.k8s.io";

const parse = (kind: string, spec: unknown, version = "v1") =>
  parseObject({
    apiVersion: `${group}/${version}`,
    kind,
    metadata: { name: "one", ...(kind === "GatewayClass" ? {} : { namespace: "shop" }) },
    spec,
  });

function specOf(kind: string, spec: unknown, version?: string): unknown {
  const parsed = parse(kind, spec, version);
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object.spec;
}

/** The path and message of each finding. */
const problems = (kind: string, spec: unknown): string[] =>
  parse(kind, spec).findings.flatMap(({ severity, path, message }) =>
    severity === "error" ? [`${path}: ${message}`] : [],
  );

const gateway = (...listeners: unknown[]) => ({ gatewayClassName: "contour", listeners });
const listener = (fields: object) => gateway({ name: "l", port: 80, protocol: "HTTP", ...fields });
const rule = (fields: object) => ({ rules: [fields] });
const match = (fields: object) => rule({ matches: [fields] });
const backend = (fields: object) => rule({ backendRefs: [{ name: "app", port: 80, ...fields }] });
const filter = (type: string, field: string, value: unknown) => rule({ filters: [{ type, [field]: value }] });
const redirect = (fields: object) => filter("RequestRedirect", "requestRedirect", fields);
const rewrite = (fields: object) => filter("URLRewrite", "urlRewrite", fields);
const mirror = (fields: object) =>
  filter("RequestMirror", "requestMirror", { backendRef: { name: "app", port: 80 }, ...fields });
const modifier = (fields: object) => filter("RequestHeaderModifier", "requestHeaderModifier", fields);
const validation = (fields: object) => ({
  targetRefs: [{ group: "", kind: "Service", name: "app" }],
  validation: { hostname: "a.test", ...fields },
});
const times = <T>(count: number, one: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => one(i));

const anyPath = { type: "PathPrefix", value: "/" };
const anyMatch = { path: anyPath, headers: [], queryParams: [] };

describe("defaults of the CRDs", () => {
  it("of a Gateway", () => {
    expect(specOf("Gateway", listener({}))).toEqual({
      gatewayClassName: "contour",
      addresses: [],
      allowedListeners: { namespaces: { from: "None" } },
      listeners: [
        {
          name: "l",
          hostname: "",
          port: 80,
          protocol: "HTTP",
          allowedRoutes: { namespaces: { from: "Same" }, kinds: [] },
        },
      ],
    });
    const full = listener({
      tls: { certificateRefs: [{ name: "cert" }] },
      allowedRoutes: { namespaces: { selector: {} }, kinds: [{ kind: "HTTPRoute" }] },
    });
    expect(specOf("Gateway", { ...full, addresses: [{ value: "10.0.0.1" }, {}] })).toMatchObject({
      addresses: [
        { type: "IPAddress", value: "10.0.0.1" },
        { type: "IPAddress", value: "" },
      ],
      listeners: [
        {
          tls: { mode: "Terminate", certificateRefs: [{ group: "", kind: "Secret", name: "cert" }] },
          allowedRoutes: {
            namespaces: { from: "Same", selector: { matchLabels: {}, matchExpressions: [] } },
            kinds: [{ group, kind: "HTTPRoute" }],
          },
        },
      ],
    });
  });

  it("of an HTTPRoute", () => {
    expect(specOf("HTTPRoute", {})).toEqual({
      parentRefs: [],
      hostnames: [],
      rules: [{ matches: [anyMatch], filters: [], backendRefs: [] }],
    });
    expect(specOf("HTTPRoute", { parentRefs: [{ name: "contour" }] })).toMatchObject({
      parentRefs: [{ group, kind: "Gateway", name: "contour" }],
    });
    expect(specOf("HTTPRoute", rule({ backendRefs: [{ name: "app", port: 80 }] }))).toMatchObject({
      rules: [
        {
          matches: [anyMatch],
          backendRefs: [{ group: "", kind: "Service", name: "app", port: 80, weight: 1, filters: [] }],
        },
      ],
    });
  });

  it.each<[string, object, object]>([
    ["no path", {}, anyMatch],
    ["an empty path", { path: {} }, anyMatch],
    ["a path without a type", { path: { value: "/a" } }, { path: { type: "PathPrefix", value: "/a" } }],
    ["a path without a value", { path: { type: "Exact" } }, { path: { type: "Exact", value: "/" } }],
    [
      "values without types",
      { headers: [{ name: "h", value: "1" }], queryParams: [{ name: "q", value: "1" }] },
      {
        headers: [{ type: "Exact", name: "h", value: "1" }],
        queryParams: [{ type: "Exact", name: "q", value: "1" }],
      },
    ],
  ])("of a match of an HTTPRoute with %s", (_, given, expected) => {
    expect(specOf("HTTPRoute", match(given))).toMatchObject({ rules: [{ matches: [expected] }] });
  });

  it.each<[string, object, object]>([
    ["RequestRedirect", redirect({}), { requestRedirect: { statusCode: 302 } }],
    [
      "RequestRedirect with a path",
      redirect({ path: { type: "ReplacePrefixMatch" } }),
      { requestRedirect: { path: { replacePrefixMatch: "" } } },
    ],
    [
      "RequestMirror",
      mirror({ fraction: { numerator: 5 } }),
      {
        requestMirror: {
          backendRef: { group: "", kind: "Service" },
          fraction: { numerator: 5, denominator: 100 },
        },
      },
    ],
    ["RequestHeaderModifier", modifier({}), { requestHeaderModifier: { set: [], add: [], remove: [] } }],
  ])("of the filter %s", (_, given, expected) => {
    expect(specOf("HTTPRoute", given)).toMatchObject({ rules: [{ filters: [expected] }] });
  });

  it("of a GRPCRoute, a TLSRoute and a TCPRoute", () => {
    expect(specOf("GRPCRoute", {})).toEqual({ parentRefs: [], hostnames: [], rules: [] });
    expect(
      specOf("GRPCRoute", match({ method: { service: "s" }, headers: [{ name: "h", value: "1" }] })),
    ).toEqual({
      parentRefs: [],
      hostnames: [],
      rules: [
        {
          matches: [
            {
              method: { type: "Exact", service: "s" },
              headers: [{ type: "Exact", name: "h", value: "1" }],
            },
          ],
          filters: [],
          backendRefs: [],
        },
      ],
    });
    const backendRefs = [{ group: "", kind: "Service", name: "app", port: 80, weight: 1 }];
    for (const kind of ["TLSRoute", "TCPRoute"])
      expect(specOf(kind, backend({}))).toMatchObject({ parentRefs: [], rules: [{ backendRefs }] });
  });

  it("of a BackendTLSPolicy", () => {
    expect(
      specOf("BackendTLSPolicy", validation({ caCertificateRefs: [{ kind: "ConfigMap", name: "ca" }] })),
    ).toEqual({
      targetRefs: [{ group: "", kind: "Service", name: "app" }],
      validation: {
        hostname: "a.test",
        caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }],
        subjectAltNames: [],
      },
    });
  });
});

describe("values that the CRDs accept", () => {
  it.each<[string, unknown]>([
    ["Gateway", listener({ hostname: "" })],
    ["Gateway", listener({ hostname: "not a host", protocol: "example.com/own" })],
    ["Gateway", listener({ allowedRoutes: { namespaces: { from: "None" } } })],
    ["HTTPRoute", { hostnames: ["*.a.test", "a", "1.test", "xn--bcher-kva.test"] }],
    ["HTTPRoute", { hostnames: times(16, (i) => `h${i}.test`), rules: times(16, () => ({})) }],
    ["HTTPRoute", match({ headers: [{ name: "a!#$%&'*+-.^_`|~", value: "x".repeat(4096) }] })],
    ["HTTPRoute", backend({ weight: 1_000_000 })],
    ["HTTPRoute", backend({ weight: 0 })],
    ["HTTPRoute", rule({ filters: [{ type: "example.com/own", own: { a: 1 } }, { type: "ExtensionRef" }] })],
    ["HTTPRoute", rule({ name: "named", retry: { attempts: 3 }, sessionPersistence: {} })],
    ["HTTPRoute", mirror({ percent: 0 })],
    ["HTTPRoute", rewrite({ path: { type: "ReplaceFullPath", replaceFullPath: "" } })],
    ...["0s", "1ms", "99999h", "1h30m", "1h1m1s1ms", "500ms"].map((request): [string, unknown] => [
      "HTTPRoute",
      rule({ timeouts: { request } }),
    ]),
  ])("%s %j", (kind, spec) => {
    expect(problems(kind, spec)).toEqual([]);
  });

  it("a TLSRoute with the maximum number of hostnames of TLSRoute v1", () => {
    expect(problems("TLSRoute", { ...backend({}), hostnames: times(1024, (i) => `h${i}.test`) })).toEqual([]);
  });
});

describe("versions", () => {
  it.each<[string, string[], unknown]>([
    ["GatewayClass", ["v1", "v1beta1"], { controllerName: "example.com/controller" }],
    ["Gateway", ["v1", "v1beta1"], listener({})],
    ["HTTPRoute", ["v1", "v1beta1"], {}],
    ["GRPCRoute", ["v1", "v1alpha2"], {}],
    ["TLSRoute", ["v1", "v1alpha3", "v1alpha2"], backend({})],
    ["TCPRoute", ["v1", "v1alpha2"], backend({})],
    [
      "ReferenceGrant",
      ["v1", "v1beta1", "v1alpha2"],
      { from: [{ group, kind: "HTTPRoute", namespace: "a" }], to: [{ group: "", kind: "Service" }] },
    ],
    ["BackendTLSPolicy", ["v1", "v1alpha3"], validation({})],
  ])("of %s are only %j", (kind, versions, spec) => {
    const [first] = versions;
    for (const version of versions) expect(specOf(kind, spec, version)).toEqual(specOf(kind, spec, first));
    const parsed = parse(kind, spec, "v9");
    expect("findings" in parsed && parsed.findings).toMatchObject([
      { path: "apiVersion", message: expect.stringContaining(`use ${group}/v1`) },
    ]);
  });

  it("of another group are ignored", () => {
    const parsed = parseObject({ apiVersion: "example.com/v1", kind: "Gateway", metadata: { name: "a" } });
    expect(parsed).toEqual({ ignored: "Gateway of example.com/v1", findings: [] });
  });

  it("of a misspelt kind of the group give a suggestion", () => {
    const parsed = parse("HttpRoute", {});
    expect("findings" in parsed && parsed.findings[0]?.message).toContain("did you mean HTTPRoute?");
  });
});
