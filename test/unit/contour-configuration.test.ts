import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { defaultSettings, parseSettings } from "../../src/schema/settings.js";

const whole = `
apiVersion: projectcontour.io/v1alpha1
kind: ContourConfiguration
metadata: {name: contour, namespace: projectcontour}
spec:
  ingress: {classNames: [a, b], statusAddress: 192.0.2.1}
  httpproxy:
    disablePermitInsecure: true
    rootNamespaces: [roots]
    fallbackCertificate: {namespace: roots, name: fallback}
  enableExternalNameService: true
  envoy:
    http: {address: "::", port: 80, accessLog: /http.log}
    https: {address: "::", port: 443, accessLog: /https.log}
    health: {address: 127.0.0.1, port: 8012}
    metrics: {address: 127.0.0.1, port: 8022, tls: {caFile: /ca, certFile: /crt, keyFile: /key}}
    omEnforcedHealth: {address: 127.0.0.1, port: 8032}
    listener:
      useProxyProtocol: true
      compression: {algorithm: zstd}
      disableAllowChunkedLength: true
      disableMergeSlashes: true
      serverHeaderTransformation: pass_through
      connectionBalancer: exact
      maxRequestsPerConnection: 1
      per-connection-buffer-limit-bytes: 2
      tls:
        minimumProtocolVersion: "1.3"
        maximumProtocolVersion: "1.3"
        cipherSuites: [AES128-SHA]
        ecdhCurves: [P-256]
        fingerprint: {ja3: true, ja4: true}
      socketOptions: {tos: 3, trafficClass: 4}
      maxRequestsPerIOCycle: 5
      httpMaxConcurrentStreams: 6
      maxConnectionsPerListener: 7
      maxConnectionsToAcceptPerSocketEvent: 8
    clientCertificate: {namespace: roots, name: client}
    logging:
      accessLogFormat: json
      accessLogFormatString: "%DURATION%\\n"
      accessLogJSONFields: [method]
      accessLogLevel: error
    defaultHTTPVersions: [HTTP/2]
    timeouts:
      requestTimeout: 1s
      connectionIdleTimeout: 2s
      streamIdleTimeout: 3s
      maxConnectionDuration: 4s
      delayedCloseTimeout: 5s
      connectionShutdownGracePeriod: 6s
      connectTimeout: 7s
    cluster:
      dnsLookupFamily: v6
      maxRequestsPerConnection: 9
      per-connection-buffer-limit-bytes: 10
      circuitBreakers:
        {maxConnections: 11, maxPendingRequests: 12, maxRequests: 13, maxRetries: 14, perHostMaxConnections: 15}
      upstreamTLS:
        minimumProtocolVersion: "1.2"
        maximumProtocolVersion: "1.2"
        cipherSuites: [AES256-SHA]
        ecdhCurves: [P-521]
    network: {numTrustedHops: 16, stripTrailingHostDot: true}
    runtimeSettings: {a: "1"}
  policy:
    requestHeaders: {set: {x-a: "1"}, remove: [x-b]}
    responseHeaders: {set: {x-c: "1"}, remove: [x-d]}
    applyToIngress: true
`;

const expected = {
  ...defaultSettings,
  ingressClassNames: ["a", "b"],
  ingressStatusAddress: "192.0.2.1",
  rootNamespaces: ["roots"],
  disablePermitInsecure: true,
  enableExternalNameService: true,
  disableMergeSlashes: true,
  disableAllowChunkedLength: true,
  stripTrailingHostDot: true,
  useProxyProtocol: true,
  xffNumTrustedHops: 16,
  serverHeaderTransformation: "pass_through",
  compression: "zstd",
  dnsLookupFamily: "v6",
  httpVersions: ["HTTP/2"],
  http: { address: "::", port: 80, accessLog: "/http.log" },
  https: { address: "::", port: 443, accessLog: "/https.log" },
  health: { address: "127.0.0.1", port: 8012 },
  metrics: {
    address: "127.0.0.1",
    port: 8022,
    tls: { certFile: "/crt", keyFile: "/key", caFile: "/ca" },
  },
  omEnforcedHealth: { address: "127.0.0.1", port: 8032 },
  accessLog: { format: "json", formatString: "%DURATION%\n", jsonFields: ["method"], level: "error" },
  tls: {
    minimumProtocolVersion: "1.3",
    maximumProtocolVersion: "1.3",
    cipherSuites: ["AES128-SHA"],
    ecdhCurves: ["P-256"],
    fingerprint: { ja3: true, ja4: true },
    fallbackCertificate: { namespace: "roots", name: "fallback" },
    envoyClientCertificate: { namespace: "roots", name: "client" },
  },
  timeouts: {
    requestTimeout: "1s",
    connectionIdleTimeout: "2s",
    streamIdleTimeout: "3s",
    maxConnectionDuration: "4s",
    delayedCloseTimeout: "5s",
    connectionShutdownGracePeriod: "6s",
    connectTimeout: "7s",
  },
  listener: {
    connectionBalancer: "exact",
    maxRequestsPerConnection: 1,
    perConnectionBufferLimitBytes: 2,
    httpMaxConcurrentStreams: 6,
    maxRequestsPerIOCycle: 5,
    maxConnectionsPerListener: 7,
    maxConnectionsToAcceptPerSocketEvent: 8,
    socketOptions: { tos: 3, trafficClass: 4 },
  },
  cluster: {
    maxRequestsPerConnection: 9,
    perConnectionBufferLimitBytes: 10,
    circuitBreakers: {
      maxConnections: 11,
      maxPendingRequests: 12,
      maxRequests: 13,
      maxRetries: 14,
      perHostMaxConnections: 15,
    },
    upstreamTls: {
      minimumProtocolVersion: "1.2",
      maximumProtocolVersion: "1.2",
      cipherSuites: ["AES256-SHA"],
      ecdhCurves: ["P-521"],
    },
  },
  policy: {
    requestHeaders: { set: { "x-a": "1" }, remove: ["x-b"] },
    responseHeaders: { set: { "x-c": "1" }, remove: ["x-d"] },
    applyToIngress: true,
  },
  runtimeSettings: { a: "1" },
};

const configuration = (spec: object): object => ({
  apiVersion: "projectcontour.io/v1alpha1",
  kind: "ContourConfiguration",
  spec,
});

describe("a ContourConfiguration", () => {
  it("has a setting for each of its keys", () => {
    const { settings, findings } = parseSettings(parse(whole));
    expect(settings.spec).toEqual(expected);
    const errors = findings.filter(({ reason }) => reason !== "NoEffect");
    expect(errors).toEqual([]);
  });

  it("gives extension services the form of the file, for authorization, rate limits and tracing", () => {
    const extensionService = { namespace: "auth", name: "server" };
    const { settings } = parseSettings(
      configuration({
        globalExtAuth: { extensionRef: extensionService },
        rateLimitService: { extensionService, domain: "d" },
        tracing: { extensionService, serviceName: "s" },
      }),
    );
    expect(settings.spec).toMatchObject({
      globalExtAuth: { extensionRef: extensionService },
      rateLimitService: { extensionService: "auth/server", domain: "d" },
      tracing: { extensionService: "auth/server", serviceName: "s" },
    });
  });

  it("warns about keys for Contour itself, and about unknown keys", () => {
    const { settings, findings } = parseSettings(
      configuration({
        xdsServer: { port: 8001 },
        health: { port: 8000 },
        metrics: { port: 8000 },
        envoy: {
          service: { name: "envoy" },
          network: { adminPort: 9001 },
          endpoints: "eds",
          http: { prot: 1 },
        },
        endpoints: "eds",
      }),
    );
    expect(settings.spec).toEqual(defaultSettings);
    expect(findings.map(({ reason, path }) => `${reason} ${path}`)).toEqual([
      "NoEffect spec.xdsServer",
      "NoEffect spec.health",
      "NoEffect spec.metrics",
      "NoEffect spec.envoy.service",
      "NoEffect spec.envoy.network.adminPort",
      "UnknownKey spec.envoy.endpoints",
      "UnknownKey spec.envoy.http.prot",
      "UnknownKey spec.endpoints",
    ]);
  });

  it("reports wrong values with their path in the object", () => {
    const { findings } = parseSettings(
      configuration({ envoy: { listener: { socketOptions: { tos: 256 } } } }),
    );
    expect(findings).toMatchObject([{ severity: "error", path: "spec.envoy.listener.socketOptions.tos" }]);
  });

  it("is overridden without a warning", () => {
    const { settings, findings } = parseSettings(configuration({ envoy: { http: { port: 80 } } }), {
      httpPort: 81,
      statsPort: 82,
    });
    expect(settings.spec).toMatchObject({ http: { port: 81 }, stats: { port: 82 } });
    expect(findings).toEqual([]);
  });

  it("is recognized only by kind and group", () => {
    for (const other of [
      { kind: "ContourConfiguration" },
      { kind: "Other", apiVersion: "projectcontour.io/v1" },
    ])
      expect(parseSettings({ ...other, spec: { envoy: {} } }).findings.length).toBeGreaterThan(0);
    expect(parseSettings({ ...configuration({}), spec: null }).settings.spec).toEqual(defaultSettings);
    expect(parseSettings(configuration([])).findings).toHaveLength(1);
  });
});
