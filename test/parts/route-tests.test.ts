import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { parse, stringify } from "yaml";
import { type TestCommandOptions, testCommand } from "../../src/cli/test.js";
import { UsageError } from "../../src/cli/usage.js";
import { startServer } from "../../src/runtime/node/serve.js";
import {
  certificateFile,
  endpointSlice,
  hostProxy,
  httpProxy,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { captureOutput } from "../support/output.js";

let folder = "";
let out = "";
let errors = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-route-tests-"));
  out = "";
  errors = "";
  captureOutput(
    (text) => {
      out += text;
    },
    (line) => {
      errors += line;
    },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const manifests = (objects: readonly Manifest[]): string =>
  write("manifests.yaml", objects.map((object) => stringify(object)).join("---\n"));
const testFile = (tests: unknown, name = "tests.yaml"): string => write(name, stringify({ tests }));

const to = (name: string, weight = 1): Manifest => ({ name, port: 80, weight });
const shop = httpProxy("shop", "shop", {
  virtualhost: {
    fqdn: "shop.test",
    tls: {
      secretName: "secure",
      minimumProtocolVersion: "1.3",
      clientValidation: { caSecret: "ca", optionalClientCertificate: true },
    },
    jwtProviders: [{ name: "p", remoteJWKS: { uri: "https://keys.test/jwks" } }],
  },
  routes: [
    {
      services: [
        { ...to("a", 90), requestHeadersPolicy: { set: [{ name: "x-one", value: "1" }] } },
        to("b", 10),
        to("c", 0),
      ],
      requestHeadersPolicy: {
        set: [
          { name: "Host", value: "inner.test" },
          { name: "x-rate", value: "100%" },
        ],
        remove: ["x-gone"],
      },
      responseHeadersPolicy: { set: [{ name: "authorization", value: "secret" }] },
      jwtVerificationPolicy: { require: "p" },
      rateLimitPolicy: { local: { requests: 3, unit: "minute" } },
      ipDenyPolicy: [{ source: "Peer", cidr: "10.1.2.3" }],
    },
    {
      conditions: [{ prefix: "/api" }],
      services: [to("b")],
      pathRewritePolicy: { replacePrefix: [{ replacement: "/v1" }] },
    },
    { conditions: [{ prefix: "/gone" }], directResponsePolicy: { statusCode: 410 } },
    { conditions: [{ prefix: "/moved" }], requestRedirectPolicy: { hostname: "new.test", statusCode: 301 } },
    { conditions: [{ prefix: "/empty" }], services: [to("empty")] },
  ],
});
const objects: readonly Manifest[] = [
  ...["a", "b", "c", "empty"].map((name) => service("shop", name)),
  ...["a", "b", "c"].map((name) => ({
    ...endpointSlice("shop", name, 8080),
    endpoints: [{ addresses: ["10.0.0.1"] }],
  })),
  tlsSecret("shop", "secure"),
  secret("shop", "ca", { "ca.crt": certificateFile("ca.crt") }),
  shop,
  hostProxy("plain.test", "a", "shop"),
];

const run = (tests: readonly string[], options: Partial<TestCommandOptions> = {}): Promise<number> =>
  testCommand(tests, { file: [], format: "text", ...options });

const get = (path: string, host = "shop.test"): string => `GET https://${host}${path}`;

/** The fields of failed expectations. */
async function failed(request: unknown, expected: Manifest): Promise<readonly string[]> {
  out = "";
  const code = await run([testFile([{ request, expect: expected }])], {
    file: [manifests(objects)],
    format: "json",
  });
  expect(errors).not.toContain("tests.yaml");
  const { tests, faults } = JSON.parse(out) as {
    readonly faults: readonly unknown[];
    readonly tests: readonly { readonly failures: readonly { readonly field: string }[] }[];
  };
  expect(faults).toEqual([]);
  const fields = tests.flatMap(({ failures }) => failures.map(({ field }) => field.replace("expect.", "")));
  expect(code).toBe(fields.length > 0 ? 1 : 0);
  return fields;
}
describe("an expectation of a test", () => {
  const root = get("/");
  const api = get("/api/x?q=1");
  it.each<readonly [string, unknown, Manifest, Manifest]>([
    ["the one backend", api, { backend: "shop/b/80" }, { backend: "shop/a/80" }],
    ["a backend by its Service alone", api, { backend: "shop/b" }, { backend: "shop/bb" }],
    ["one of some backends", root, { backend: ["shop/a", "shop/b"] }, { backend: "shop/a" }],
    [
      "weights, by their shares",
      root,
      { weights: { "shop/a": 9, "shop/b/80": 1 } },
      { weights: { "shop/a": 80, "shop/b": 20 } },
    ],
    [
      "weights of all",
      root,
      { weights: { "shop/a": 9, "shop/b": 1, "shop/c": 0 } },
      { weights: { "shop/a": 9 } },
    ],
    [
      "no request to a backend",
      root,
      { not: { backend: "shop/c" } },
      { not: { backend: ["shop/c", "shop/a"] } },
    ],
    [
      "other weights",
      root,
      { not: { weights: { "shop/a": 1, "shop/b": 1 } } },
      { not: { weights: { "shop/a": 90, "shop/b": 10 } } },
    ],
    ["a direct response", get("/gone"), { status: 410 }, { status: 404 }],
    ["another status", get("/gone"), { not: { status: 404 } }, { not: { status: 410 } }],
    ["no endpoints", get("/empty"), { status: 503, backend: "shop/empty" }, { not: { status: 503 } }],
    [
      "a redirect",
      get("/moved/x?y"),
      { status: 301, location: "https://new.test/moved/x?y" },
      { location: "https://new.test/" },
    ],
    ["no redirect", api, { not: { location: "https://new.test/" } }, { location: "https://new.test/" }],
    [
      "https",
      "GET http://shop.test/x",
      { status: 301, location: "https://shop.test/x", tls: "none" },
      { tls: "passthrough" },
    ],
    [
      "no such host",
      "http://other.test/",
      { status: 404, not: { backend: "shop/a" } },
      { backend: "shop/a" },
    ],
    ["a closed connection", get("/", "other.test"), { closed: true }, { closed: false }],
    ["an open connection", root, { closed: false }, { closed: true }],
    ["the path that backends see", api, { path: "/v1/x" }, { path: "/api/x" }],
    ["the path with its query", api, { path: "/v1/x?q=1" }, { path: "/v1/x?q=2" }],
    ["the host that backends see", root, { host: "inner.test" }, { host: "shop.test" }],
    [
      "a host that is kept",
      api,
      { host: "shop.test", not: { host: "inner.test" } },
      { not: { host: "shop.test" } },
    ],
    [
      "a header for all backends",
      root,
      { requestHeaders: { set: { "X-Rate": "100%" } } },
      { requestHeaders: { set: { "x-rate": "1" } } },
    ],
    [
      "a header for one backend",
      root,
      { not: { requestHeaders: { setAny: ["x-two"] } } },
      { requestHeaders: { setAny: ["x-one"] } },
    ],
    [
      "no header for any backend",
      root,
      { not: { requestHeaders: { set: { "x-one": "2" } } } },
      { not: { requestHeaders: { set: { "x-one": "1" } } } },
    ],
    [
      "a header that is removed",
      root,
      { requestHeaders: { removed: ["X-Gone"] } },
      { not: { requestHeaders: { removed: ["x-gone"] } } },
    ],
    [
      "a header of the response",
      root,
      { responseHeaders: { set: { authorization: "secret" } } },
      { responseHeaders: { removed: ["authorization"] } },
    ],
    ["a certificate", root, { tls: { certificate: "shop/secure" } }, { tls: { certificate: "shop/other" } }],
    ["a version of TLS", root, { tls: { minimumVersion: 1.3 } }, { tls: { minimumVersion: "1.2" } }],
    [
      "a client certificate",
      root,
      { tls: { clientCertificate: "optional" } },
      { tls: { clientCertificate: "none" } },
    ],
    ["a token", root, { protections: { jwt: "p" } }, { protections: { jwt: false } }],
    ["no token", api, { protections: { jwt: false } }, { protections: { jwt: true } }],
    [
      "a rate limit",
      root,
      { protections: { rateLimit: "3/minute" } },
      { protections: { rateLimit: "global" } },
    ],
    [
      "addresses",
      root,
      { protections: { addresses: { deny: ["10.1.2.3"] } } },
      { protections: { addresses: { allow: ["10.1.2.3"] } } },
    ],
    [
      "an address filter",
      root,
      { protections: { addresses: true } },
      { not: { protections: { addresses: true } } },
    ],
    [
      "no authorization",
      root,
      { protections: { authorization: false } },
      { protections: { authorization: "infra/auth" } },
    ],
    [
      "the result with another server name",
      { scheme: "https", host: "plain.test", sni: "shop.test", path: "/x" },
      { status: 421 },
      { backend: "shop/a" },
    ],
    [
      "the result without a server name",
      { scheme: "https", host: "shop.test", sni: "" },
      { closed: true },
      { status: 200 },
    ],
  ])("%s", async (_, request, right, wrong) => {
    expect(await failed(request, right)).toEqual([]);
    expect((await failed(request, wrong)).length).toBeGreaterThan(0);
  });

  it("a request with a method, a port and headers", async () => {
    const settings = write("settings.yaml", stringify(gatewaySettings));
    const rules = [
      { backendRefs: backendRefs("a") },
      {
        matches: [{ method: "POST", headers: [{ name: "x-c", value: "green" }] }],
        backendRefs: backendRefs("b"),
      },
    ];
    const file = manifests([
      service("default", "a"),
      service("default", "b"),
      ...gateway(onPort(8080, "web", "HTTP"), onPort(16080, "late", "HTTP")),
      gatewayRoute("HTTPRoute", "late", { hostnames: ["g.test"], rules }, "late"),
    ]);
    const tests = testFile([
      {
        request: { method: "POST", host: "g.test", port: 8080, headers: { "X-C": "green" } },
        expect: { backend: "default/b" },
      },
      { request: "http://g.test:8080/", expect: { backend: "default/a" } },
      { request: "http://g.test/", expect: { closed: true } },
    ]);
    expect([await run([tests], { file: [file], settings }), errors]).toEqual([0, ""]);
    expect(out).toBe("3 tests: 3 passed, 0 failed\n");
  });
});

const two = [
  { name: "fits", request: get("/api"), expect: { backend: "shop/b" } },
  { name: "does not", request: get("/api"), expect: { backend: "shop/a", tls: { certificate: "shop/x" } } },
];

describe("isoline test", () => {
  it("reports for a failure the expected and the actual result and the responsible objects, with files and lines", async () => {
    const [file, tests] = [manifests(objects), testFile(two)];
    expect(await run([tests], { file: [file] })).toBe(1);
    const lineOf = (path: string, text: string): number =>
      readFileSync(path, "utf8")
        .split("\n")
        .findIndex((line) => line.includes(text)) + 1;
    const [route, tls] = [lineOf(file, "prefix: /api") - 1, lineOf(file, "    tls:")];
    expect(out.replace(/ {2}hint .*\n/g, "")).toBe(`FAIL ${tests}:${lineOf(tests, "does not")} does not
  GET https://shop.test/api
  expected shop/a  (expect.backend, line ${lineOf(tests, "backend: shop/a")})
  found    goes to shop/b/80 as /v1
  expected the certificate of Secret shop/x  (expect.tls.certificate, line ${lineOf(tests, "certificate: shop/x")})
  found    the certificate of Secret shop/secure
  from     HTTPProxy/shop/shop spec.routes[1] (${file}:${route})
  from     HTTPProxy/shop/shop spec.virtualhost.tls (${file}:${tls})
2 tests: 1 passed, 1 failed
`);
  });

  it("names the objects that claim a host that is not served, and hosts with similar names", async () => {
    const bad = hostProxy("bad.test", "missing", "shop");
    const tests = testFile([
      { request: "http://bad.test/", expect: { backend: "shop/a" } },
      { request: "http://plane.test/", expect: { backend: "shop/a" } },
    ]);
    expect(await run([tests], { file: [manifests([...objects, bad])], assumeMissing: "none" })).toBe(1);
    expect(out).toMatch(/from {5}HTTPProxy\/shop\/bad-test spec/);
    expect(out).toContain("hint     nearest hosts: plain.test");
  });

  it("reports that the backend sets the status", async () => {
    expect(await failed(get("/api"), { status: 200 })).toEqual(["status"]);
    expect(out).toContain("the backend sets the status");
  });

  it("assumes missing objects, as check and explain do", async () => {
    const tests = testFile([
      {
        request: get("/api"),
        expect: { backend: "shop/b/80", tls: { certificate: "shop/secure" }, not: { status: 503 } },
      },
    ]);
    expect(await run([tests], { file: [manifests([shop])] })).toBe(0);
    expect(errors).toContain("assumed to exist: 4 Services");
    expect(await run([tests], { file: [manifests([shop])], assumeMissing: "none" })).toBe(1);
    const known = write("known.txt", "Service/shop/*\nSecret/shop/*\n");
    expect(await run([tests], { file: [manifests([shop])], assumeMissing: "none", known: [known] })).toBe(1);
    expect(out).toContain("503: goes to shop/b/80 as /v1, which has no endpoints");
  });

  it("runs valid tests beside unreadable ones, and exits with 3", async () => {
    const [good, bad] = [testFile(two.slice(0, 1), "good.yaml"), write("bad.yaml", "tests: [\n")];
    const missing = join(folder, "missing.yaml");
    expect(await run([bad, good, missing], { file: [manifests(objects)] })).toBe(3);
    expect(out).toContain("1 test: 1 passed, 0 failed, 2 faults of test files");
    out = "";
    expect(await run([good], { file: [manifests(objects), join(folder, "no.yaml")] })).toBe(3);
    expect(out).toContain("1 test: 1 passed");
  });

  it("reads folders of tests", async () => {
    testFile(two.slice(0, 1), "one.yaml");
    testFile(two.slice(0, 1), "two.json");
    const other = mkdtempSync(join(tmpdir(), "isoline-route-tests-"));
    onTestFinished(() => rmSync(other, { recursive: true }));
    writeFileSync(join(other, "m.yaml"), objects.map((object) => stringify(object)).join("---\n"));
    writeFileSync(join(folder, "two.json"), JSON.stringify({ tests: two.slice(0, 1) }));
    expect(await run([folder], { file: [other] })).toBe(0);
    expect(out).toBe("2 tests: 2 passed, 0 failed\n");
  });

  it("exits with 3 when a path has no tests, because an empty file proves nothing", async () => {
    const [good, empty] = [testFile(two.slice(0, 1), "good.yaml"), write("empty.yaml", "# none yet\n")];
    expect(await run([good, empty], { file: [manifests(objects)] })).toBe(3);
    expect(out).toContain(`${empty}: error: holds no tests`);
  });

  it("refuses wrong options", async () => {
    const [file, tests] = [manifests(objects), testFile(two)];
    const wrong: readonly (readonly [readonly string[], Partial<TestCommandOptions>])[] = [
      [[], { file: [file] }],
      [[tests], {}],
      [[tests], { file: [file], record: "-" }],
      [[tests], { file: [file], overwrite: true }],
      [[], { file: [file], record: tests }],
      [[], { file: [file], record: "-", envoy: true }],
      [[tests], { xds: "http://127.0.0.1:1", envoy: true }],
      [[tests], { xds: "http://127.0.0.1:1", file: [file] }],
      [["-"], { file: ["-"] }],
    ];
    for (const [paths, options] of wrong) await expect(run(paths, options)).rejects.toThrow(UsageError);
    await expect(run([tests], { xds: "http://127.0.0.1:1" })).rejects.toThrow("can't reach");
  });
});

describe("an invalid test file", () => {
  it.each([
    [
      "request: GET http://a.test/\n    expect: {stauts: 200}",
      3,
      'tests[0].expect.stauts: is not a field here; a similar field is "status"',
    ],
    ["request: GET http://a.test/\n    expect: {}", 3, "tests[0].expect: expects nothing"],
    ["request: GET http://a.test/\n    expect: {requestHeaders: {}}", 3, "tests[0].expect: expects nothing"],
    ["request: a.test\n    expect: {status: 404}", 2, "tests[0].request: a.test: expected http://HOST/PATH"],
    [
      "request: G{} http://a.test/\n    expect: {status: 404}",
      2,
      "tests[0].request: G{}: not an HTTP method",
    ],
    ["expect: {status: 404}", 2, "tests[0].request: is missing; it must be METHOD URL"],
    ["request: {path: /}\n    expect: {status: 404}", 2, "tests[0].request.host: is missing"],
    [
      "request: {host: a.test, path: x}\n    expect: {status: 404}",
      2,
      "tests[0].request.path: must begin with /",
    ],
    [
      "request: {host: a.test, sni: b}\n    expect: {status: 404}",
      2,
      "tests[0].request.sni: needs scheme: https",
    ],
    [
      "request: {url: 'http://a.test', host: b}\n    expect: {status: 404}",
      2,
      "tests[0].request.host: is a part of url",
    ],
    [
      "request: {host: a.test, headers: {'a b': c}}\n    expect: {status: 404}",
      2,
      "tests[0].request.headers",
    ],
    [
      "request: http://a.test/\n    expect: {backend: web}",
      3,
      "tests[0].expect.backend[0]: must be a Service as NAMESPACE/NAME",
    ],
    [
      "request: http://a.test/\n    expect:\n      status: 404\n      tls: on",
      5,
      'tests[0].expect.tls: must be "none", "passthrough", or a map',
    ],
    [
      "request: http://a.test/\n    expect:\n      not: {protections: {rateLimit: 3}}",
      4,
      "tests[0].expect.not.protections.rateLimit: must be true",
    ],
    [
      "request: http://a.test/\n    expect: {requestHeaders: {set: {x: true}}}",
      3,
      "must be text (put it in quotes), found true",
    ],
  ])("%s", async (text, line, message) => {
    const tests = write("t.yaml", `tests:\n  - ${text}\n`);
    expect(await run([tests], { file: [manifests(objects)] })).toBe(3);
    expect(out.split("\n")[0]).toContain(
      `${tests}:${line}: error ${message.startsWith("tests") ? message : ""}`,
    );
    expect(out).toContain(message);
  });

  it.each([
    ["kind: Service\n", "is not a test file"],
    ["tests: []\n", "must have at least 1 entry"],
    [
      "test: 1\ntests: [{request: 'http://a.test/', expect: {status: 404}}]\n",
      'test: is not a field of a test file; a similar field is "tests"',
    ],
    ["tests:\n- request: http://a.test/\n  expect: {status: 404, status: 500}\n", "status"],
  ])("%s", async (text, message) => {
    expect(await run([write("t.yaml", text)], { file: [manifests(objects)] })).toBe(3);
    expect(out).toContain(message);
  });
});

describe("isoline test --record", () => {
  it("writes a passing test for each route, and overwrites no file", async () => {
    const file = [manifests(objects)];
    const record = join(folder, "recorded.yaml");
    expect(await run([], { file, record })).toBe(0);
    expect(errors).toContain("11 tests recorded");
    const text = readFileSync(record, "utf8");
    expect(text).not.toContain("secret\n");
    expect(await run([record], { file })).toBe(0);
    expect(out).toBe("11 tests: 11 passed, 0 failed\n");
    await expect(run([], { file, record })).rejects.toThrow("--overwrite");
    expect(await run([], { file, record, overwrite: true })).toBe(0);
    expect(readFileSync(record, "utf8")).toBe(text);
  });

  it("names routes that no request gets to", async () => {
    const shadowed = httpProxy("shop", "s", {
      virtualhost: { fqdn: "s.test" },
      routes: [
        { conditions: [{ regex: "/(a|b)" }], services: [to("a")] },
        { conditions: [{ regex: "/(?:a|b)" }], services: [to("b")] },
        { conditions: [{ regex: "/(a)(b)" }], services: [to("b")] },
      ],
    });
    expect(await run([], { file: [manifests([...objects, shadowed])], record: "-" })).toBe(0);
    expect(errors).toMatch(
      /not recorded: s.test regex \S+ \(HTTPProxy\/shop\/s spec.routes\[\d\]\): no request was found/,
    );
    expect(errors).toContain("13 tests recorded, 1 route not");
  });

  it("fails when nothing is served, and writes nothing", async () => {
    const record = join(folder, "recorded.yaml");
    await expect(run([], { file: [manifests([service("a", "a")])], record })).rejects.toThrow(
      "no routes to record",
    );
    expect(existsSync(record)).toBe(false);
  });

  it("records the same tests from a running server as from files, and they pass on the server", async () => {
    const file = manifests(objects);
    await run([], { file: [file], record: "-" });
    const ofFiles = parse(out) as { readonly tests: readonly unknown[] };
    out = "";
    const server = await startServer({ paths: [file], host: "127.0.0.1", port: 0, log: () => undefined });
    onTestFinished(() => server.close());
    const record = join(folder, "recorded.yaml");
    expect(await run([], { xds: server.url, record })).toBe(0);
    expect(parse(readFileSync(record, "utf8"))).toEqual(ofFiles);
    expect(await run([record], { xds: server.url })).toBe(0);
    const hidden = [{ request: get("/"), expect: { responseHeaders: { set: { authorization: "secret" } } } }];
    expect(await run([testFile(hidden)], { xds: server.url })).toBe(1);
    expect(out).toContain("a value that the server does not show (expect it with setAny)");
  });
});

describe("docs/tests.md", () => {
  const root = join(import.meta.dirname, "../..");
  const page = readFileSync(join(root, "docs/tests.md"), "utf8");
  const blockOf = (start: string): string =>
    new RegExp(`^\`\`\`\n(${start}[\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1] ?? "";
  const example = join(root, "examples/route-tests");

  it("shows a test that passes against the example", async () => {
    const file = [join(example, "manifests")];
    expect(await run([write("t.yaml", blockOf("tests:"))], { file })).toBe(0);
    expect(out).toBe("1 test: 1 passed, 0 failed\n");
  });

  it("shows the failures after an edit of the example that puts the login page behind a login", async () => {
    const text = readFileSync(join(example, "manifests/shop.yaml"), "utf8");
    const login = "services: [{name: login, port: 80}]\n      authPolicy: {disabled: ";
    expect(text).toContain(`${login}true}`);
    const file = [write("shop.yaml", text.replace(`${login}true}`, `${login}false}`))];
    expect(await run([join(example, "tests")], { file })).toBe(1);
    const shown = out
      .replaceAll(folder, "manifests")
      .replaceAll(`${example}/`, "")
      .replace(/ {2}hint .*\n/g, "");
    expect(shown).toBe(blockOf("FAIL"));
  });

  it("has each example of its table in the tests of the example", () => {
    const tests = readFileSync(join(example, "tests/shop.yaml"), "utf8");
    const rows = [...page.matchAll(/^\| [^|]+ \| `([^`]+)` \| .*\|$/gm)].map(([, request = ""]) => request);
    const requests = rows.filter((row) => /^GET |^\{scheme/.test(row));
    expect(requests.length).toBeGreaterThan(7);
    expect(requests.filter((request) => !tests.includes(`request: ${request}`))).toEqual([]);
  });
});
