import { describe, expect, it } from "vitest";
import { readAdminEndpoints } from "../../src/schema/admin-endpoints.js";
import { readTimeout } from "../../src/schema/duration.js";
import { defaultSettings, parseSettings } from "../../src/schema/settings.js";

describe("readTimeout", () => {
  it.each([
    ["", {}],
    ["0", {}],
    ["0s", {}],
    ["0h0m", {}],
    ["infinity", { ms: 0 }],
    ["infinite", { ms: 0 }],
    ["15s", { ms: 15_000 }],
    ["1h2m3s4ms", { ms: 3_723_004 }],
    ["1.5m", { ms: 90_000 }],
    [".5s", { ms: 500 }],
    ["500us", { ms: 0.5 }],
    ["500µs", { ms: 0.5 }],
  ])("reads %j", (text, expected) => expect(readTimeout(text)).toEqual(expected));

  it.each(["5", "s", "5 s", "-1s", "1d", "15S", "1e3s", "never", "ms".repeat(100_000), "9999999h"])(
    "refuses %.20j",
    (text) => expect(readTimeout(text)).toHaveProperty("error"),
  );
});

it("gives the timeout of connecting its default where the settings have none or a zero", () => {
  for (const connectTimeout of [undefined, "", "0", "0s"])
    expect(parseSettings({ timeouts: { connectTimeout } }).settings.spec.timeouts.connectTimeout).toBe("2s");
});

it("parses settings that were parsed already to the same, as stores do after an upgrade", () => {
  const { settings } = parseSettings({ timeouts: { connectTimeout: "0s", requestTimeout: "infinity" } });
  expect(parseSettings(settings.spec)).toEqual({ settings, findings: [] });
});

const at = (port: number): object => ({ address: "0.0.0.0", port });

describe("parseSettings", () => {
  it("gives the defaults for nothing", () => {
    for (const input of [undefined, null, {}]) {
      const { settings, findings } = parseSettings(input);
      expect(settings.ref).toBe("Settings//isoline");
      expect(settings.spec).toEqual(defaultSettings);
      expect(findings).toEqual([]);
    }
    expect(defaultSettings).toMatchObject({
      endpoints: "auto",
      secrets: "sds",
      http: { address: "0.0.0.0", port: 8080 },
      https: { port: 8443 },
      stats: { port: 8002 },
      tls: { minimumProtocolVersion: "1.2", maximumProtocolVersion: "1.3" },
    });
  });

  it.each<[Record<string, unknown>, Record<string, unknown>]>([
    [{ "disable-permit-insecure": true }, { disablePermitInsecure: true }],
    [{ disablePermitInsecure: true }, { disablePermitInsecure: true }],
    [
      { tls: { "minimum-protocol-version": "1.3", cipherSuites: ["AES128-SHA"] } },
      { tls: { minimumProtocolVersion: "1.3", cipherSuites: ["AES128-SHA"] } },
    ],
    [{ "default-http-versions": ["http/2"] }, { httpVersions: ["HTTP/2"] }],
    [{ defaultHTTPVersions: ["HTTP/1.1"] }, { httpVersions: ["HTTP/1.1"] }],
    [
      { timeouts: { "request-timeout": "infinity", connectTimeout: "3s" } },
      { timeouts: { requestTimeout: "infinity", connectTimeout: "3s" } },
    ],
    [{ cluster: { "dns-lookup-family": "v4" } }, { dnsLookupFamily: "v4" }],
    [
      { network: { "num-trusted-hops": 2, "strip-trailing-host-dot": true } },
      { xffNumTrustedHops: 2, stripTrailingHostDot: true },
    ],
    [
      { listener: { "connection-balancer": "exact", "http2-max-concurrent-streams": 5 } },
      { listener: { connectionBalancer: "exact", httpMaxConcurrentStreams: 5 } },
    ],
    [{ compression: { algorithm: "zstd" } }, { compression: "zstd" }],
    [
      { tls: { fingerprint: { ja3: true }, "ecdh-curves": ["P-384", "X25519", "P-384"] } },
      { tls: { fingerprint: { ja3: true, ja4: false }, ecdhCurves: ["P-384", "X25519"] } },
    ],
    [
      { metrics: { envoy: { port: 9090, "server-certificate-path": "/c", "server-key-path": "/k" } } },
      { metrics: { port: 9090, tls: { certFile: "/c", keyFile: "/k", caFile: "" } } },
    ],
    [
      { omEnforcedHealthListener: { address: "::", port: 8003 } },
      { omEnforcedHealth: { address: "::", port: 8003 } },
    ],
    [{ httpAccessLog: "" }, { http: { accessLog: "/dev/stdout" } }],
    [{ compression: "disabled" }, { compression: "disabled" }],
    [
      { httpPort: 80, "https-port": 443, statsAddress: "::" },
      { http: { port: 80 }, https: { port: 443 }, stats: { address: "::" } },
    ],
    [{ http: { port: 80 } }, { http: { port: 80, address: "0.0.0.0" } }],
    [
      { ingressClassNames: ["a"], rootNamespaces: ["b"] },
      { ingressClassNames: ["a"], rootNamespaces: ["b"] },
    ],
    [{ "allow-loopback-endpoints": true }, { allowLoopbackEndpoints: true }],
    [{ allowLoopbackEndpoints: ["infra"] }, { allowLoopbackEndpoints: ["infra"] }],
    [
      { "forbidden-hosts": ["10.0.0.1", "fd00::/8", "::1", "*.a.test"] },
      { forbiddenHosts: ["10.0.0.1/32", "fd00::/8", "::1/128", "*.a.test"] },
    ],
    [{ "ingress-class-name": "a, b" }, { ingressClassNames: ["a", "b"] }],
    [
      { endpoints: "inline", secrets: "inline", tls: null },
      { endpoints: "inline", secrets: "inline" },
    ],
  ])("reads %j", (input, expected) => {
    const { settings, findings } = parseSettings(input);
    expect(findings).toEqual([]);
    expect(settings.spec).toMatchObject(expected);
    // An upgrade reads stored settings again.
    expect(parseSettings(settings.spec)).toEqual({ settings, findings: [] });
  });

  it("keeps the spelling of header names", () => {
    const { settings } = parseSettings({
      policy: { "request-headers": { set: { "X-Foo-Bar": "1" }, remove: ["a"] } },
    });
    expect(settings.spec.policy.requestHeaders).toEqual({ set: { "X-Foo-Bar": "1" }, remove: ["a"] });
  });

  it("warns about keys without effect, with their spelling in the input", () => {
    const { findings } = parseSettings({
      "made-up": 1,
      timeouts: { "made-up": 1 },
      network: { "admin-port": 9001 },
    });
    expect(findings.map(({ severity, reason, path }) => [severity, reason, path])).toEqual([
      ["warning", "UnknownKey", "made-up"],
      ["warning", "UnknownKey", "timeouts.made-up"],
      ["warning", "NoEffect", "network.admin-port"],
    ]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ tls: 3 }, "tls"],
    [{ tls: { "minimum-protocol-version": "1.0" } }, "tls.minimum-protocol-version"],
    [
      { tls: { "minimum-protocol-version": "1.3", "maximum-protocol-version": "1.2" } },
      "tls.minimumProtocolVersion",
    ],
    [{ "default-http-versions": ["HTTP/2", "HTTP/3"] }, "default-http-versions[1]"],
    [{ timeouts: { "request-timeout": "soon" } }, "timeouts.request-timeout"],
    [{ tracing: { extensionService: "a/b", overallSampling: "" } }, "tracing.overallSampling"],
    [{ tracing: { extensionService: "a/b", customTags: [{ tagName: "t" }] } }, "tracing.customTags[0]"],
    [
      {
        tracing: {
          extensionService: "a/b",
          customTags: [
            { tagName: "t", literal: "1" },
            { tagName: "t", requestHeaderName: "x" },
          ],
        },
      },
      "tracing.customTags",
    ],
    [{ timeouts: { connectTimeout: "infinity" } }, "timeouts.connectTimeout"],
    [{ httpPort: 0 }, "httpPort"],
    [{ network: { numTrustedHops: -1 } }, "network.numTrustedHops"],
    [{ disableMergeSlashes: "true" }, "disableMergeSlashes"],
    [{ endpoints: "fast" }, "endpoints"],
    [{ tls: { "cipher-suites": ["AES128-SHA", "NULL-SHA"] } }, "tls.cipher-suites[1]"],
    [{ policy: { "request-headers": { set: { "x a": "1" } } } }, 'policy.request-headers.set["x a"]'],
    [{ policy: { requestHeaders: { set: { Host: "%REQ(x-host)%" } } } }, "policy.requestHeaders.set.Host"],
    [{ policy: { requestHeaders: { set: { "x-a": "1", "X-A": "2" } } } }, "policy.requestHeaders.set.X-A"],
    [{ policy: { requestHeaders: { set: { "x-a": "1\n2" } } } }, "policy.requestHeaders.set.x-a"],
    [{ policy: { responseHeaders: { set: { Host: "a.test" } } } }, "policy.responseHeaders.set.Host"],
    [{ policy: { responseHeaders: { remove: ["Host"] } } }, "policy.responseHeaders.remove[0]"],
    [{ tls: { ecdhCurves: ["P-224"] } }, "tls.ecdhCurves[0]"],
    [
      {
        cluster: { "upstream-tls": { "minimum-protocol-version": "1.3", "maximum-protocol-version": "1.2" } },
      },
      "cluster.upstreamTls.minimumProtocolVersion",
    ],
    [{ "json-fields": ["method", "no_such"] }, "json-fields[1]"],
    [{ "accesslog-format-string": "%DURATION%" }, "accesslog-format-string"],
    [JSON.parse('{"__proto__": {"endpoints": "eds"}}'), "__proto__"],
  ])("refuses %j and keeps the default", (input, path) => {
    const { settings, findings } = parseSettings(input);
    expect(findings).toMatchObject([{ severity: "error", about: "Settings//isoline", path }]);
    expect(settings.spec).toEqual(defaultSettings);
  });

  it.each<[Record<string, unknown>, string, string | undefined]>([
    [{}, "json", undefined],
    [{ accessLog: { format: "json", formatString: "%DURATION%\n" } }, "json", undefined],
    [{ accessLog: { formatString: "%DURATION%\n" } }, "envoy", "accessLog.formatString"],
    [{ "accesslog-format-string": "%DURATION%\n" }, "envoy", "accesslog-format-string"],
    [{ "accesslog-format": "envoy" }, "envoy", "accesslog-format"],
    [{ accessLog: { format: "envoy", level: "disabled" } }, "envoy", undefined],
    [
      {
        apiVersion: "projectcontour.io/v1alpha1",
        kind: "ContourConfiguration",
        spec: { envoy: { logging: { accessLogFormat: "envoy" } } },
      },
      "envoy",
      "spec.envoy.logging.accessLogFormat",
    ],
  ])("has JSON access logs by default, and warns about text: %j", (input, format, path) => {
    const { settings, findings } = parseSettings(input);
    expect(settings.spec.accessLog.format).toBe(format);
    const told = findings.filter(({ reason }) => reason === "ForgeableLog");
    expect(told).toEqual(path === undefined ? [] : [expect.objectContaining({ severity: "warning", path })]);
  });

  it.each<[Record<string, unknown>, string, object]>([
    [{ metrics: { tls: { certFile: "/c", keyFile: "/k" } } }, "metrics.tls", { health: at(8002) }],
    [{ metrics: { port: 1, tls: { certFile: "/c" } } }, "metrics.tls", { health: at(8002) }],
    [{ metrics: { port: 1, tls: { caFile: "/c" } } }, "metrics.tls", { health: at(8002) }],
    [
      { health: { port: 1 }, omEnforcedHealth: { port: 1 } },
      "omEnforcedHealth.port",
      { health: at(1), metrics: at(8002) },
    ],
    [
      { statsPort: 1, omEnforcedHealth: { port: 1 } },
      "omEnforcedHealth.port",
      { health: at(1), metrics: at(1) },
    ],
  ])("refuses listeners that clash: %j", (input, path, endpoints) => {
    const { settings, findings } = parseSettings(input);
    expect(findings).toMatchObject([{ severity: "error", path }]);
    expect(readAdminEndpoints(settings.spec).endpoints).toEqual(endpoints);
  });

  it.each<[Record<string, unknown>, readonly string[], object]>([
    [{ httpPort: 8443 }, ["http.port"], { http: 8080, https: 8443, stats: 8002 }],
    [{ httpPort: 9000, httpsPort: 9000 }, ["https.port"], { http: 9000, https: 8443, stats: 8002 }],
    [{ statsPort: 8080 }, ["stats.port"], { http: 8080, https: 8443, stats: 8002 }],
    [
      { httpPort: 8002, httpAddress: "127.0.0.2", statsAddress: "127.0.0.1" },
      [],
      { http: 8002, https: 8443, stats: 8002 },
    ],
    [{ metrics: { port: 8443 } }, ["metrics.port"], { http: 8080, https: 8443, stats: 8002 }],
    [
      { omEnforcedHealth: { port: 8080 } },
      ["omEnforcedHealth.port"],
      { http: 8080, https: 8443, stats: 8002 },
    ],
  ])("refuses ports of traffic listeners for other listeners: %j", (input, paths, ports) => {
    const { settings, findings } = parseSettings(input);
    expect(findings.map(({ path }) => path)).toEqual(paths);
    const { http, https, stats } = settings.spec;
    expect({ http: http.port, https: https.port, stats: stats.port }).toEqual(ports);
    const { metrics, omEnforcedHealth } = readAdminEndpoints(settings.spec).endpoints;
    expect(metrics?.port).toBe(8002);
    expect(omEnforcedHealth).toBeUndefined();
  });

  it("warns of a traffic class on an IPv4 listener", () => {
    const listener = { "socket-options": { "traffic-class": 1 } };
    const path = "listener.socketOptions.trafficClass";
    expect(parseSettings({ listener, httpAddress: "::" }).findings).toMatchObject([
      { severity: "warning", reason: "NoEffect", path },
    ]);
    expect(parseSettings({ listener, httpAddress: "::", httpsAddress: "::" }).findings).toEqual([]);
  });

  it("keeps valid settings beside wrong ones, and refuses values that are not a map", () => {
    const { settings, findings } = parseSettings({
      httpPort: 80,
      httpsPort: "x",
      timeouts: { requestTimeout: "x", streamIdleTimeout: "5s" },
    });
    expect(settings.spec).toMatchObject({
      http: { port: 80 },
      https: { port: 8443 },
      timeouts: { streamIdleTimeout: "5s" },
    });
    expect(findings).toHaveLength(2);
    expect(parseSettings([1]).findings).toHaveLength(1);
    expect(parseSettings("x").settings.spec).toEqual(defaultSettings);
  });
});
