import { describe, expect, it } from "vitest";
import { compileUnit } from "../../src/compile.js";
import { hostUnit } from "../../src/graph/core/keys.js";
import { UnitCache } from "../../src/schema/compile-cache.js";
import {
  certificate,
  certificateFile,
  httpProxy,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { type Attacked, attack, proxyWith } from "../support/threat.js";

const tls = { tls: { secretName: "secure" } };
const pair = (cert: string, key: string): Manifest => ({
  ...tlsSecret("default", "secure"),
  data: { "tls.crt": Buffer.from(cert).toString("base64"), "tls.key": Buffer.from(key).toString("base64") },
});
const secure = certificate("secure");
const withPair = (cert: string, key: string): Attacked => attack([pair(cert, key), proxyWith({}, tls)]);
const header = (name: string, value: string): Manifest =>
  proxyWith({ requestHeadersPolicy: { set: [{ name, value }] } });

describe("certificates and keys", () => {
  it.each([
    ["garbage", "x", secure.key],
    ["nothing", "", ""],
    ["a key cut short", secure.cert, secure.key.slice(0, 100)],
    ["2 MB", `${secure.cert}${"x".repeat(2_000_000)}`, secure.key],
    ["a key of another certificate", secure.cert, certificate("tcp").key],
    ["an encrypted key", secure.cert, certificateFile("encrypted.key")],
    ["a curve that Envoy does not take", certificate("secp256k1").cert, certificate("secp256k1").key],
  ])("%s is not served, and no key of it", (_, cert, key) => {
    const attacked = withPair(cert, key);
    expect(attacked.reasons()).toContain("SecretNotValid");
    expect([...attacked.store.resources("secret")]).toEqual([]);
    expect([...attacked.store.resources("filter-chain", "ingress_https")]).toEqual([]);
  });

  it("text around a certificate is dropped, CRLF is accepted", () => {
    const attacked = withPair(`subject=CN\r\n${secure.cert.replaceAll("\n", "\r\n")}junk`, secure.key);
    expect(attacked.reasons()).toEqual([]);
    const [served] = [...attacked.store.resources("secret")];
    const bytes = /"certificate_chain":\{"inline_bytes":"([^"]+)"/.exec(served?.json ?? "")?.[1] ?? "";
    expect(Buffer.from(bytes, "base64").toString().replaceAll("\r\n", "\n")).toBe(secure.cert);
  });

  it("an expired certificate, also in a chain, is served with a warning", () => {
    const expired = certificate("expired");
    const chained = withPair(`${secure.cert}${expired.cert}`, secure.key);
    for (const attacked of [withPair(expired.cert, expired.key), chained]) {
      expect(attacked.reasons()).toEqual([]);
      expect(attacked.host("bad.test")).toBeDefined();
      const found = attacked.findings.find(({ reason }) => reason === "CertificateOutOfDate");
      expect(found).toMatchObject({ severity: "warning", about: "HTTPProxy/default/bad" });
      expect(found?.message).toMatch(/is valid only from \S+ until \S+: clients will refuse it/);
    }
    const fresh = withPair(secure.cert, secure.key).findings;
    expect(fresh.some(({ reason }) => reason === "CertificateOutOfDate")).toBe(false);
  });

  it("a Secret of another type is refused", () => {
    const opaque = { ...pair(secure.cert, secure.key), type: "example.com/other" };
    expect(attack([opaque, proxyWith({}, tls)]).reasons()).toContain("SecretNotValid");
  });

  it("a certificate of another host name is served with a warning", () => {
    const attacked = withPair(certificate("tcp").cert, certificate("tcp").key);
    expect(attacked.reasons()).toEqual([]);
    expect(attacked.findings).toContainEqual(
      expect.objectContaining({
        severity: "warning",
        reason: "CertificateNameMismatch",
        message: expect.stringContaining("is for tcp.test, also-tcp.test, not for bad.test") as string,
      }),
    );
  });
});

describe("revocation lists", () => {
  it.each([
    ["garbage", "xx"],
    ["nothing", ""],
    ["a block of something else", "-----BEGIN X509 CRL-----\nMAAwAA==\n-----END X509 CRL-----\n"],
    ["a certificate", certificate("secure").cert],
  ])("%s closes the host, which is open with the CA alone", (_, crl) => {
    const ca = secret("default", "ca", { "ca.crt": certificate("secure").cert });
    const list = secret("default", "crl", { "crl.pem": crl });
    const validated = (clientValidation: Manifest): ReturnType<typeof attack> =>
      attack([
        tlsSecret("default", "secure"),
        ca,
        list,
        proxyWith({}, { tls: { secretName: "secure", clientValidation } }),
      ]);
    expect(validated({ caSecret: "ca" }).reasons()).toEqual([]);
    const attacked = validated({ caSecret: "ca", crlSecret: "crl" });
    expect(attacked.reasons()).toEqual(["ClientValidationInvalid"]);
    expect([...attacked.store.resources("filter-chain", "ingress_https")]).toEqual([]);
  });
});

describe("headers", () => {
  it.each([
    ["x-a", "a\r\nb: c"],
    ["x-a", "a\u0000b"],
    ["x a", "b"],
    ["x-a", "a".repeat(1_000_000)],
    [":path", "/admin"],
    ["content-length", "0"],
    ["transfer-encoding", "chunked"],
  ])("%j: %.20j is refused", (name, value) => {
    const attacked = attack([header(name, value)]);
    expect(attacked.reasons().length).toBeGreaterThan(0);
    expect(attacked.output).not.toContain(JSON.stringify(value));
  });

  it.each([
    ["%ENVIRONMENT(XDS_TOKEN)%", "%%ENVIRONMENT(XDS_TOKEN)%%"],
    ["%NOPE%", "%%NOPE%%"],
    ["100%", "100%%"],
    ["%DYNAMIC_METADATA(a)%", "%%DYNAMIC_METADATA(a)%%"],
    ["%PROTOCOL%", "%PROTOCOL%"],
  ])("the value %s is sent as %s", (value, written) => {
    expect(attack([header("x-a", value)]).host("bad.test")).toContain(JSON.stringify(written));
  });
});

describe("paths and redirects", () => {
  it.each(["", "a", "//", "/a//b", "/a\u0000", "/a?b", "/a#b"].map((prefix) => [prefix]))(
    "the prefix %j is refused or harmless",
    (prefix) => {
      const attacked = attack([proxyWith({ conditions: [{ prefix }] })]);
      const served = attacked.host("bad.test") ?? "";
      if (attacked.reasons().length === 0) expect(["", "/a//b", "//"]).toContain(prefix);
      else expect(served).not.toContain(`"prefix":${JSON.stringify(prefix)}`);
    },
  );
  it.each([
    { hostname: "a\r\nb" },
    { hostname: "evil.test/path" },
    { scheme: "javascript" },
    { path: "/a\r\nx: y" },
    { statusCode: 200 },
    { port: 70_000 },
  ])("the redirect %j is refused", (policy) => {
    const attacked = attack([proxyWith({ services: [], requestRedirectPolicy: policy })]);
    expect(attacked.reasons().length).toBeGreaterThan(0);
    expect(attacked.output).not.toMatch(/\\r\\n|javascript|evil/);
  });
  it.each(["/{id}", "/a%41", "/x/../y", '/q"', "/a|b"])(
    "the prefix %s, which never matches, is warned of",
    (prefix) => {
      const told = attack([proxyWith({ conditions: [{ prefix }] })]).findings.map(({ reason }) => reason);
      expect(told).toContain("PathNeverMatches");
    },
  );
  it.each(["/", "/a", "/a/", "/a.b_c~d-e", "/%2F", "/a/b.../c", "/ü"])("the prefix %s is not", (prefix) => {
    const told = attack([proxyWith({ conditions: [{ prefix }] })]).findings.map(({ reason }) => reason);
    expect(told).not.toContain("PathNeverMatches");
  });
  it("those of Ingress and IngressRoute get warnings too", () => {
    const backend = { service: { name: "a", port: { number: 80 } } };
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace: "default", name: "bad" },
      spec: {
        rules: [{ host: "bad.test", http: { paths: [{ path: "/{id}", pathType: "Prefix", backend }] } }],
      },
    };
    const route = {
      apiVersion: "contour.heptio.com/v1beta1",
      kind: "IngressRoute",
      metadata: { namespace: "default", name: "bad" },
      spec: {
        virtualhost: { fqdn: "worse.test" },
        routes: [{ match: "/a/../b", services: [{ name: "a", port: 80 }] }],
      },
    };
    const told = attack([ingress, route]).findings;
    expect(told.map(({ about, path, reason }) => [about, path, reason])).toEqual([
      ["Ingress/default/bad", "spec.rules[0].http.paths[0].path", "PathNeverMatches"],
      ["IngressRoute/default/bad", "spec.routes[0].match", "PathNeverMatches"],
    ]);
  });
  it("listeners normalize paths", () => {
    const { store } = attack([]);
    const listeners = ["http", "chains"]
      .flatMap((group) => [...store.resources("listener", group)])
      .map(({ json }) => json);
    const ours = listeners.filter((json) => json.includes('"ingress_http"'));
    expect(ours.length).toBeGreaterThan(0);
    for (const json of ours) expect(json).toMatch(/"normalize_path":true.*"merge_slashes":true/);
  });
});

describe("direct responses and files", () => {
  it("a body that Envoy does not accept is refused", () => {
    const direct = { services: [], directResponsePolicy: { statusCode: 200, body: "x".repeat(5000) } };
    expect(attack([proxyWith(direct)]).reasons().length).toBeGreaterThan(0);
  });
  it("no text of a tenant becomes a file, a pipe or an environment variable of Envoy", () => {
    const hostile = { statusCode: 200, body: "x", filename: "/etc/passwd", environment_variable: "TOKEN" };
    const attacked = attack([
      tlsSecret("default", "secure"),
      proxyWith({ services: [], directResponsePolicy: hostile }, tls),
    ]);
    expect(attacked.output).not.toMatch(/"(filename|pipe|environment_variable)":/);
  });
});

describe("numbers and durations", () => {
  it.each([
    { timeoutPolicy: { response: "-1s" } },
    { timeoutPolicy: { response: "5" } },
    { timeoutPolicy: { response: "1000000000000s" } },
    { retryPolicy: { count: -2 } },
    { services: [{ name: "a", port: 80, weight: -1 }] },
    { services: [{ name: "a", port: 0 }] },
    { services: [{ name: "a", port: 65_536 }] },
  ])("%j is refused", (route) => {
    expect(attack([proxyWith(route as Manifest)]).reasons().length).toBeGreaterThan(0);
  });
  it("weights are scaled to Envoy's maximum sum", () => {
    const services = [4_294_967_295, 2].map((weight) => ({ name: "a", port: 80, weight }));
    const served = attack([proxyWith({ services })]).host("bad.test") ?? "";
    const weights = [...served.matchAll(/"weight":(\d+)/g)].map(([, weight]) => Number(weight));
    expect(weights).toHaveLength(2);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeLessThanOrEqual(4_294_967_295);
  });
  it("infinity disables a timeout", () => {
    const route = { timeoutPolicy: { response: "infinity" } };
    expect(attack([proxyWith(route)]).host("bad.test")).toContain('"timeout":"0s"');
  });
});

describe("includes", () => {
  const root = (includes: readonly string[]): Manifest =>
    httpProxy("default", "bad", {
      virtualhost: { fqdn: "bad.test" },
      includes: includes.map((name) => ({ name })),
    });
  const child = (name: string, includes: readonly string[]): Manifest =>
    httpProxy("default", name, {
      includes: includes.map((one) => ({ name: one })),
      routes: [{ conditions: [{ prefix: `/${name}` }], services: [{ name: "a", port: 80 }] }],
    });
  it.each([
    ["a cycle", [root(["x"]), child("x", ["y"]), child("y", ["x"])]],
    ["a proxy that includes itself", [root(["x"]), child("x", ["x"])]],
  ])("%s is reported", (_, manifests) => {
    expect(attack(manifests).reasons()).toContain("IncludeCreatesCycle");
  });
  it("a chain of two thousand ends at the limit", () => {
    const chain = Array.from({ length: 2000 }, (_, i) => child(`c${i}`, i < 1999 ? [`c${i + 1}`] : []));
    expect(attack([root(["c0"]), ...chain]).reasons()).toContain("IncludeCreatesCycle");
  });

  /** 2^40 paths: each object includes the next one twice. */
  const lattice = (routes: readonly Manifest[]): Manifest[] =>
    Array.from({ length: 40 }, (_, i) =>
      httpProxy("default", i === 0 ? "bad" : `p${i}`, {
        ...(i === 0 ? { virtualhost: { fqdn: "bad.test" } } : {}),
        includes: ["/a", "/b"].map((prefix) => ({ name: `p${i + 1}`, conditions: [{ prefix }] })),
        routes,
      }),
    );
  const routes = [{ services: [{ name: "a", port: 80 }] }];
  it.each([
    ["without routes", []],
    ["with routes", routes],
  ])("a lattice %s is not served, and compiles to nothing", (_, own) => {
    const end = httpProxy("default", "p40", { routes });
    const attacked = attack([...lattice(own), end]);
    expect(attacked.reasons()).toEqual(["OverBudget"]);
    expect(attacked.host("bad.test")).toBeUndefined();
    expect(attacked.host("good.test")).toBeDefined();
  });

  it("a child that thousands of includes share is served for each", () => {
    const shared = Array.from({ length: 4000 }, (_, i) => ({
      name: "shared",
      conditions: [{ prefix: `/${i}` }],
    }));
    const proxies = [
      httpProxy("default", "bad", { virtualhost: { fqdn: "bad.test" }, includes: shared }),
      httpProxy("default", "shared", { routes }),
    ];
    const attacked = attack(proxies);
    expect(attacked.reasons()).toEqual([]);
    expect(attacked.host("bad.test")?.match(/"route":/g)).toHaveLength(4000);
  });

  it("a lattice of delegations is not served either", () => {
    const node = (name: string, spec: Manifest): Manifest => ({
      apiVersion: "contour.heptio.com/v1beta1",
      kind: "IngressRoute",
      metadata: { namespace: "default", name },
      spec,
    });
    const delegates = Array.from({ length: 40 }, (_, i) =>
      node(i === 0 ? "bad" : `p${i}`, {
        ...(i === 0 ? { virtualhost: { fqdn: "bad.test" } } : {}),
        routes: [0, 1].map(() => ({ match: "/", delegate: { name: `p${i + 1}` } })),
      }),
    );
    const end = node("p40", { routes: [{ match: "/", services: [{ name: "a", port: 80 }] }] });
    const attacked = attack([...delegates, end]);
    expect(attacked.reasons()).toEqual(["OverBudget"]);
    expect(attacked.host("bad.test")).toBeUndefined();
    expect(attacked.host("good.test")).toBeDefined();
  });
});

describe("very many routes", () => {
  it("do not affect other hosts", () => {
    const routes = Array.from({ length: 10_000 }, (_, i) => ({
      conditions: [{ prefix: `/${i}` }],
      services: [{ name: "a", port: 80 }],
    }));
    const attacked = attack([httpProxy("default", "bad", { virtualhost: { fqdn: "bad.test" }, routes })]);
    expect(attacked.host("good.test")).toBeDefined();
  });
});

describe("objects of a wrong form", () => {
  it.each([
    [null],
    [[]],
    [{ kind: "HTTPProxy" }],
    [{ ...proxyWith({}), spec: null }],
    [{ ...proxyWith({}), spec: { routes: null, virtualhost: [] } }],
    [{ ...service("default", "b"), spec: { ports: "80" } }],
    [{ ...proxyWith({}), metadata: { name: "constructor", namespace: "__proto__" } }],
  ])("%j does not throw", (manifest) => {
    attack([manifest as unknown as Manifest]);
  });

  it("an internal error of the compiler affects only the host concerned, with a finding", () => {
    const { store } = attack([proxyWith({})]);
    const reader = {
      get settings(): never {
        throw new Error("a fault");
      },
      cache: store.cache,
      unitCache: new UnitCache(),
      get: () => undefined,
      claimants: () => ["HTTPProxy/default/bad" as const],
      shared: (): never => {
        throw new Error("a fault");
      },
      need: () => undefined,
      overrun: () => undefined,
      checkKeyPair: () => undefined,
      reads: [],
    };
    const { findings, resources } = compileUnit(hostUnit("bad.test"), reader);
    expect([findings.map(({ reason }) => reason), resources]).toEqual([["CompilerFault"], []]);
    expect(store.unit(hostUnit("good.test"))?.resources.length).toBeGreaterThan(0);
  });
});
