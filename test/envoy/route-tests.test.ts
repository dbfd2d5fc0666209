import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { stringify } from "yaml";
import { asObserved } from "../../src/cli/observed-answer.js";
import { type TestCommandOptions, testCommand } from "../../src/cli/test.js";
import { observe } from "../../src/route-tests/observed.js";
import {
  certificateFile,
  extensionService,
  httpProxy,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

let folder = "";
let out = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-route-tests-"));
  out = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });
});

function write(name: string, value: readonly Manifest[]): string {
  const file = join(folder, name);
  writeFileSync(file, value.map((one) => stringify(one)).join("---\n"));
  return file;
}

const run = (paths: readonly string[], options: Partial<TestCommandOptions>): Promise<number> =>
  testCommand(paths, { file: [], format: "text", ...options });

interface Report {
  readonly tests: readonly {
    readonly failures: readonly { readonly field: string; readonly found: string }[];
  }[];
}

/** Fields that fail, by test. */
async function failuresOf(
  tests: readonly Manifest[],
  options: Partial<TestCommandOptions>,
): Promise<readonly string[][]> {
  out = "";
  await run([write("tests.yaml", [{ tests }])], { ...options, format: "json", envoy: true });
  return (JSON.parse(out) as Report).tests.map(({ failures }) => failures.map(({ field }) => field));
}

const to = (name: string, weight = 1): Manifest => ({ name, port: 80, weight });
const guarded = httpProxy("default", "guarded", {
  virtualhost: {
    fqdn: "secure.test",
    tls: { secretName: "secure", minimumProtocolVersion: "1.3", clientValidation: { caSecret: "ca" } },
    authorization: { extensionRef: { name: "auth", namespace: "infra" } },
    jwtProviders: [{ name: "p", remoteJWKS: { uri: "https://keys.test/jwks" } }],
    ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }],
    rateLimitPolicy: { local: { requests: 1, unit: "hour" } },
  },
  routes: [
    { services: [to("a")], jwtVerificationPolicy: { require: "p" } },
    {
      conditions: [{ prefix: "/api" }],
      services: [to("a", 90), to("b", 10), to("c", 0)],
      pathRewritePolicy: { replacePrefix: [{ replacement: "/v1" }] },
      requestHeadersPolicy: {
        set: [
          { name: "Host", value: "inner.test" },
          { name: "x-rate", value: "100%" },
          { name: "x-proto", value: "%PROTOCOL%" },
        ],
        remove: ["x-gone"],
      },
      responseHeadersPolicy: {
        set: [{ name: "x-answer", value: "sure" }],
        remove: ["content-type", "server"],
      },
    },
    {
      conditions: [{ prefix: "/fixed" }],
      directResponsePolicy: { statusCode: 200, body: '{"service":"default/a/80","path":"/","headers":{}}' },
    },
    { conditions: [{ prefix: "/moved" }], requestRedirectPolicy: { hostname: "new.test", statusCode: 301 } },
    { conditions: [{ prefix: "/v" }, { header: { name: "x-canary", exact: "green" } }], services: [to("b")] },
    { conditions: [{ prefix: "/empty" }], services: [to("empty")] },
    { conditions: [{ prefix: "/ws" }], services: [to("b")], enableWebsockets: true },
  ],
});
const objects: readonly Manifest[] = [
  ...["a", "b", "c"].map((name) => service("default", name)),
  { ...service("default", "empty") },
  ...["a", "b", "c"].map((name) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "default", name, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080 }],
    endpoints: [{ addresses: ["10.0.0.1"] }],
  })),
  ...extensionService("auth", 9000),
  tlsSecret("default", "secure"),
  tlsSecret("default", "tcp"),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
  guarded,
  httpProxy("default", "pass", {
    virtualhost: { fqdn: "pass.test", tls: { passthrough: true } },
    tcpproxy: { services: [to("c")] },
  }),
  httpProxy("default", "ended", {
    virtualhost: { fqdn: "tcp.test", tls: { secretName: "tcp" } },
    tcpproxy: { services: [to("b")] },
  }),
];

const secure = (path: string, headers: Manifest = {}): Manifest => ({
  url: `https://secure.test${path}`,
  headers,
});

const right: readonly Manifest[] = [
  {
    request: secure("/"),
    expect: {
      backend: "default/a",
      tls: { certificate: "default/secure", minimumVersion: "1.3", clientCertificate: "required" },
      protections: {
        authorization: "infra/auth",
        jwt: "p",
        rateLimit: "1/hour",
        addresses: { allow: ["10.0.0.0/8"] },
      },
    },
  },
  {
    request: secure("/api/x?q=1", { "x-gone": "1" }),
    expect: {
      weights: { "default/a": 9, "default/b": 1 },
      path: "/v1/x?q=1",
      host: "inner.test",
      requestHeaders: { set: { "x-rate": "100%", "x-proto": "%PROTOCOL%" }, removed: ["x-gone"] },
      responseHeaders: { set: { "x-answer": "sure" }, removed: ["content-type", "server"] },
      not: { backend: "default/c", requestHeaders: { setAny: ["x-other"] } },
    },
  },
  { request: secure("/fixed"), expect: { status: 200, not: { backend: "default/a" } } },
  { request: secure("/moved/x?y=z"), expect: { status: 301, location: "https://new.test/moved/x?y=z" } },
  { request: secure("/v", { "x-canary": "green" }), expect: { backend: "default/b" } },
  { request: secure("/v/%2e%2e/api"), expect: { path: "/v1" } },
  { request: secure("/empty"), expect: { status: 503, backend: "default/empty" } },
  {
    request: secure("/ws", {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-key": "x",
      "sec-websocket-version": "13",
    }),
    expect: { backend: "default/b" },
  },
  {
    request: "http://secure.test/api",
    expect: { status: 301, location: "https://secure.test/api", tls: "none" },
  },
  { request: { scheme: "https", host: "other.test", sni: "secure.test" }, expect: { status: 421 } },
  { request: { scheme: "https", host: "secure.test", sni: "" }, expect: { closed: true } },
  { request: "https://other.test/", expect: { closed: true } },
  { request: "http://other.test/", expect: { status: 404 } },
  { request: "https://pass.test/", expect: { backend: "default/c", tls: "passthrough" } },
  {
    request: "https://tcp.test/",
    expect: { backend: "default/b", tls: { certificate: "default/tcp", minimumVersion: "1.2" } },
  },
];

/** The same requests, each with something that is not so. */
const wrong: readonly (readonly [Manifest, string])[] = [
  [{ backend: "default/b" }, "expect.backend"],
  [{ path: "/api/x" }, "expect.path"],
  [{ status: 418 }, "expect.status"],
  [{ location: "https://new.test/" }, "expect.location"],
  [{ backend: "default/a" }, "expect.backend"],
  [{ not: { path: "/v1" } }, "expect.not.path"],
  [{ status: 200 }, "expect.status"],
  [{ backend: "default/a" }, "expect.backend"],
  [{ tls: "passthrough" }, "expect.tls"],
  [{ backend: "default/a" }, "expect.backend"],
  [{ closed: false }, "expect.closed"],
  [{ tls: { certificate: "default/secure" } }, "expect.tls.certificate"],
  [{ status: 503 }, "expect.status"],
  [{ tls: { certificate: "default/tcp" } }, "expect.tls.certificate"],
  [{ tls: "passthrough" }, "expect.tls"],
];

describe("isoline test --envoy", () => {
  test("asks a real Envoy about everything that Envoy shows, and stops it", async () => {
    const file = [write("manifests.yaml", objects)];
    const options = { file, assumeMissing: "none" };
    expect(await failuresOf(right, options)).toEqual(right.map(() => []));
    const asked = right.map(({ request }, i) => ({ request, expect: wrong[i]?.[0] }));
    expect(await failuresOf(asked, options)).toEqual(wrong.map(([, field]) => [field]));
  });

  test("passes what was recorded, also of a Gateway of several ports and of wildcards", async () => {
    const settings = write("settings.yaml", [gatewaySettings]);
    const tls = { tls: { certificateRefs: [{ name: "secure" }] } };
    const file = [
      write("manifests.yaml", [
        ...objects,
        tlsSecret("infra", "secure"),
        ...gateway(
          onPort(8080, "web", "HTTP"),
          onPort(16080, "late", "HTTP"),
          onPort(8443, "secure", "HTTPS", tls),
          onPort(9090, "tcp", "TCP"),
        ),
        gatewayRoute("HTTPRoute", "r", {
          hostnames: ["*.w.test"],
          rules: [{ backendRefs: backendRefs("a", "b") }],
        }),
        gatewayRoute("HTTPRoute", "late", { rules: [{ backendRefs: backendRefs("b") }] }, "late"),
        gatewayRoute("TCPRoute", "t", { rules: [{ backendRefs: backendRefs("c") }] }, "tcp"),
      ]),
    ];
    const record = join(folder, "recorded.yaml");
    expect(await run([], { file, settings, record })).toBe(0);
    expect(await run([record], { file, settings, envoy: true })).toBe(0);
    expect(out).toMatch(/^(\d\d) tests: \1 passed, 0 failed\n$/);
  });

  test("takes no response for an echo that no echo server gave, and believes Envoy where the configuration says otherwise", async () => {
    const explained = observe(
      { outcome: "forward", summary: "goes to a", backends: [], facts: [], tried: [], hints: [] },
      undefined,
    );
    const answer = {
      status: 200,
      headers: {},
      body: '{"service":"default/a/80","path":"/","headers":{}}',
      certificate: undefined,
    };
    const common = {
      answer,
      isTls: false,
      reached: new Set<string>(),
      secured: new Set<string>(),
      certificates: undefined,
      minimum: undefined,
    };
    expect(asObserved({ ...common, explained, expectations: [] })).toMatchObject({
      outcome: "respond",
      status: 200,
      backends: [],
    });
  });
});
