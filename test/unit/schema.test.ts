import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/schema/meta.js";
import { type KubeObject, membersOf, parseObject } from "../../src/schema/object.js";

const manifest = (apiVersion: string, kind: string, rest: Record<string, unknown>) => ({
  apiVersion,
  kind,
  metadata: { name: "web" },
  ...rest,
});

function objectOf(input: unknown): KubeObject {
  const parsed = parseObject(input);
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
}

function findingsOf(input: unknown): readonly Finding[] {
  const parsed = parseObject(input);
  return "findings" in parsed ? parsed.findings : [];
}

describe("metadata", () => {
  it("defaults the namespace, and keeps the fields for routing", () => {
    const object = objectOf({
      ...manifest("v1", "Service", { spec: { ports: [{ port: 80 }] } }),
      metadata: {
        name: "web",
        generation: 3,
        creationTimestamp: "2020-01-01T00:00:00Z",
        annotations: {
          "projectcontour.io/max-requests": "5",
          "kubectl.kubernetes.io/x": "y",
          "kubernetes.io/ingress.class": "c",
        },
      },
    });
    expect(object.ref).toBe("Service/default/web");
    expect(object.meta).toEqual({
      name: "web",
      namespace: "default",
      generation: 3,
      created: "2020-01-01T00:00:00Z",
      annotations: { "projectcontour.io/max-requests": "5", "kubernetes.io/ingress.class": "c" },
    });
  });

  it.each([
    [undefined, "metadata.name"],
    [{}, "metadata.name"],
    [{ name: 1 }, "metadata.name"],
    [{ name: "hasOwnProperty" }, "metadata.name"],
    [{ name: "../../etc" }, "metadata.name"],
    [{ name: "a".repeat(254) }, "metadata.name"],
    [{ name: "a", namespace: "x/y" }, "metadata.namespace"],
    [{ name: "a", namespace: "x.y" }, "metadata.namespace"],
    [
      { name: "a", annotations: { "isoline.dev/endpoints": true } },
      'metadata.annotations["isoline.dev/endpoints"]',
    ],
  ])("refuses %j", (metadata, path) => {
    expect(findingsOf({ apiVersion: "v1", kind: "Service", metadata, spec: {} })).toMatchObject([
      { severity: "error", type: "SchemaError", reason: "Invalid", path },
    ]);
  });

  it("treats names of Object's prototype like any other name", () => {
    const object = objectOf({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "constructor", labels: { valueOf: "x" } },
    });
    expect(object.ref).toBe("Namespace//constructor");
    expect(object.spec).toEqual({ labels: { valueOf: "x" } });
  });

  it("gives no ref to an object without a valid name", () => {
    expect(parseObject({ apiVersion: "v1", kind: "Service", metadata: { name: "A" } })).not.toHaveProperty(
      "ref",
    );
  });
});

describe("kinds", () => {
  it.each([
    ["apps/v1", "Deployment"],
    ["v1", "Pod"],
    ["serving.knative.dev/v1", "Service"],
    ["traefik.io/v1alpha1", "IngressRoute"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["example.com/v1", "hasOwnProperty"],
  ])("ignores %s %s", (apiVersion, kind) => {
    expect(parseObject(manifest(apiVersion, kind, {}))).toEqual({
      ignored: `${kind} of ${apiVersion}`,
      findings: [],
    });
  });

  it.each([
    ["projectcontour.io/v1", "HttpProxy", "HTTPProxy"],
    ["networking.k8s.io/v1", "Ingres", "Ingress"],
    ["projectcontour.io/v1", "Proxy", "HTTPProxy"],
  ])("suggests a kind for %s %s", (apiVersion, kind, meant) => {
    const [finding] = findingsOf(manifest(apiVersion, kind, {}));
    expect(finding).toMatchObject({ severity: "error", path: "kind" });
    expect(finding?.message).toContain(meant);
  });

  it.each([
    ["projectcontour.io/v2", "HTTPProxy", "projectcontour.io/v1"],
    ["networking.k8s.io/v9", "Ingress", "networking.k8s.io/v1"],
    ["v2", "Service", "v1"],
  ])("names the version to use instead of %s %s", (apiVersion, kind, use) => {
    const parsed = parseObject(manifest(apiVersion, kind, {}));
    expect(parsed).toMatchObject({ ref: `${kind}/default/web`, findings: [{ path: "apiVersion" }] });
    expect(findingsOf(manifest(apiVersion, kind, {}))[0]?.message).toContain(`use ${use}`);
  });
});

describe("hostile input", () => {
  const nested = (levels: number): unknown => {
    let value: unknown = "x";
    for (let level = 0; level < levels; level++) value = { a: value };
    return value;
  };

  it.each([
    null,
    undefined,
    1,
    "x",
    true,
    [],
    [[]],
    {},
    { kind: 1 },
    { kind: "Service" },
    { kind: "Service", apiVersion: {} },
  ])("answers %j with a finding", (input) => expect(findingsOf(input)).toHaveLength(1));

  it("refuses __proto__ at any level", () => {
    const input: unknown = JSON.parse(
      '{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"__proto__":{"port":1}}]}}',
    );
    expect(findingsOf(input)).toMatchObject([{ path: "spec.ports[0].__proto__" }]);
    expect(({} as { port?: number }).port).toBeUndefined();
  });

  it("refuses nesting of more than 64 levels, and cycles", () => {
    const cycle: Record<string, unknown> = {};
    cycle.again = [cycle, cycle];
    for (const spec of [nested(80), nested(10_000), cycle]) {
      expect(findingsOf(manifest("v1", "Service", { spec }))[0]?.message).toContain("64 levels");
    }
    expect(findingsOf(manifest("v1", "Service", { spec: nested(30) }))).toMatchObject([
      { severity: "warning", reason: "UnknownField" },
    ]);
  });

  it.each([
    "HTTPProxy",
    "Ingress",
    "Service",
    "EndpointSlice",
    "Secret",
    "IngressRoute",
    "Endpoints",
    "ConfigMap",
  ])("does not throw on a %s with wrong types", (kind) => {
    const apiVersion =
      {
        HTTPProxy: "projectcontour.io/v1",
        IngressRoute: "contour.heptio.com/v1beta1",
        Ingress: "networking.k8s.io/v1",
        EndpointSlice: "discovery.k8s.io/v1",
      }[kind] ?? "v1";
    for (const junk of [1, "x", [], [null], { routes: {}, rules: 3, ports: "x" }]) {
      expect(() =>
        parseObject({
          apiVersion,
          kind,
          metadata: { name: "a", labels: junk },
          spec: junk,
          data: junk,
          subsets: junk,
          endpoints: junk,
          ports: junk,
        }),
      ).not.toThrow();
    }
  });

  it("takes linear time for text that is slow in backtracking patterns", () => {
    const text = "ms".repeat(50_000);
    const spec = {
      virtualhost: { fqdn: `${"a-".repeat(50_000)}!` },
      routes: [{ timeoutPolicy: { response: text } }],
    };
    expect(findingsOf(manifest("projectcontour.io/v1", "HTTPProxy", { spec })).length).toBeGreaterThan(1);
  });
});

describe("core", () => {
  it("treats null as absent", () => {
    const input = manifest("v1", "Service", {
      spec: { type: null, ports: [{ port: 80, name: null, targetPort: "http" }] },
    });
    expect(objectOf(input).spec).toEqual({
      type: "ClusterIP",
      ports: [{ port: 80, protocol: "TCP", targetPort: "http" }],
    });
  });

  it("reads an EndpointSlice", () => {
    const input = {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "web-1", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [
        { addresses: ["10.0.0.1"], conditions: { ready: null } },
        { addresses: ["10.0.0.2"], conditions: { ready: false } },
        { addresses: ["10.0.0.3"] },
      ],
      ports: [{ port: 80 }, { name: "a", port: null }],
    };
    expect(objectOf(input).spec).toEqual({
      service: "web",
      addressType: "IPv4",
      endpoints: [
        { addresses: ["10.0.0.1"], ready: true },
        { addresses: ["10.0.0.2"], ready: false },
        { addresses: ["10.0.0.3"], ready: true },
      ],
      ports: [
        { name: "", port: 80, protocol: "TCP" },
        { name: "a", protocol: "TCP" },
      ],
    });
    expect(objectOf({ ...input, metadata: { name: "x" }, endpoints: null, ports: null }).spec).toMatchObject({
      service: "",
      endpoints: [],
    });
  });

  it("decodes the known keys of a Secret, byte for byte, and merges stringData", () => {
    const input = manifest("v1", "Secret", {
      type: "kubernetes.io/tls",
      data: { "tls.crt": "/wBh\nYg==", "tls.key": "YQ==", password: "!!" },
      stringData: { "tls.key": "plain", "ca.crt": "é" },
    });
    expect(objectOf(input).spec).toEqual({
      type: "kubernetes.io/tls",
      data: { "tls.crt": "\xff\0ab", "tls.key": "plain", "ca.crt": "\xc3\xa9" },
    });
  });

  it("never quotes a Secret", () => {
    const findings = findingsOf(
      manifest("v1", "Secret", { data: { "tls.key": "*hunter2*", "tls.crt": 12345678 } }),
    );
    expect(findings.map(({ path }) => path).sort()).toEqual(['data["tls.crt"]', 'data["tls.key"]']);
    expect(JSON.stringify(findings)).not.toMatch(/hunter2|12345678/);
  });

  it("expands lists", () => {
    const item = { metadata: { name: "a" } };
    const typed = membersOf({ apiVersion: "projectcontour.io/v1", kind: "HTTPProxyList", items: [item] });
    expect(typed).toEqual({ members: [{ apiVersion: "projectcontour.io/v1", kind: "HTTPProxy", ...item }] });
    expect(membersOf({ apiVersion: "v1", kind: "List", items: [item] })).toEqual({ members: [item] });
    expect(membersOf(null)).toEqual({ members: [null] });
    const own = { apiVersion: "example.com/v1", kind: "AllowList", spec: {} };
    expect(membersOf(own)).toEqual({ members: [own] });
  });
});

describe("ingress", () => {
  it("converts the beta versions to v1", () => {
    const old = manifest("extensions/v1beta1", "Ingress", {
      spec: {
        backend: { serviceName: "a", servicePort: 80 },
        rules: [
          {
            host: "*.example.com",
            http: { paths: [{ path: "/", backend: { serviceName: "b", servicePort: "http" } }] },
          },
        ],
      },
    });
    expect(objectOf(old).spec).toEqual({
      defaultBackend: { service: { name: "a", port: { number: 80 } } },
      rules: [
        {
          host: "*.example.com",
          http: { paths: [{ path: "/", backend: { service: { name: "b", port: { name: "http" } } } }] },
        },
      ],
    });
  });

  it("keeps a resource backend and refuses a wrong host", () => {
    const backend = { resource: { kind: "Bucket", name: "b", apiGroup: "x" } };
    expect(
      objectOf(manifest("networking.k8s.io/v1", "Ingress", { spec: { defaultBackend: backend } })).spec,
    ).toEqual({
      defaultBackend: { resource: { kind: "Bucket", name: "b" } },
    });
    expect(
      findingsOf(manifest("networking.k8s.io/v1", "Ingress", { spec: { rules: [{ host: "a b" }] } })),
    ).toMatchObject([{ path: "spec.rules[0].host" }]);
  });
});
