import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";

const proxy = (spec: unknown) => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: "web", namespace: "shop" },
  spec,
});

function problems(spec: unknown): string[] {
  const parsed = parseObject(proxy(spec));
  return "findings" in parsed ? parsed.findings.map(({ path }) => path ?? "") : [];
}

function specOf(spec: unknown): unknown {
  const parsed = parseObject(proxy(spec));
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object.spec;
}

const host = (fields: Record<string, unknown>) => ({ virtualhost: { fqdn: "a.example.com", ...fields } });
const route = (fields: Record<string, unknown>) => ({ routes: [fields] });
const service = (fields: Record<string, unknown>) =>
  route({ services: [{ name: "s", port: 80, ...fields }] });
const cors = (fields: Record<string, unknown>) =>
  host({ corsPolicy: { allowOrigin: ["*"], allowMethods: ["GET"], ...fields } });
const jwks = { uri: "https://a/jwks" };
const validation = (fields: Record<string, unknown>) =>
  service({ validation: { caSecret: "ca", subjectName: "a", ...fields } });

describe("rules of HTTPProxy's CRD", () => {
  it.each<[string, unknown]>([
    ["spec.virtualhost.fqdn", { virtualhost: {} }],
    ["spec.virtualhost.fqdn", { virtualhost: { fqdn: "" } }],
    ["spec.virtualhost.fqdn", { virtualhost: { fqdn: "A.example.com" } }],
    ["spec.virtualhost.fqdn", { virtualhost: { fqdn: "a.*.com" } }],
    ["spec.virtualhost.fqdn", { virtualhost: { fqdn: "a..b" } }],
    ["spec.virtualhost.corsPolicy.allowOrigin", cors({ allowOrigin: [] })],
    ["spec.virtualhost.corsPolicy.allowMethods", host({ corsPolicy: { allowOrigin: ["*"] } })],
    ["spec.virtualhost.corsPolicy.allowHeaders", cors({ allowHeaders: [] })],
    ["spec.virtualhost.corsPolicy.exposeHeaders[0]", cors({ exposeHeaders: ["a b"] })],
    ["spec.virtualhost.corsPolicy.maxAge", cors({ maxAge: "-1s" })],
    ["spec.virtualhost.corsPolicy.maxAge", cors({ maxAge: "9999999h" })],
    ["spec.virtualhost.jwtProviders[0]", host({ jwtProviders: [{ name: "a" }] })],
    [
      "spec.virtualhost.jwtProviders[0]",
      host({ jwtProviders: [{ name: "a", remoteJWKS: jwks, localJWKS: { secretName: "s", key: "k" } }] }),
    ],
    [
      "spec.virtualhost.jwtProviders[0].remoteJWKS.timeout",
      host({ jwtProviders: [{ name: "a", remoteJWKS: { ...jwks, timeout: "infinity" } }] }),
    ],
    [
      "spec.virtualhost.jwtProviders[0].remoteJWKS.cacheDuration",
      host({ jwtProviders: [{ name: "a", remoteJWKS: { ...jwks, cacheDuration: "9999999h" } }] }),
    ],
    [
      "spec.virtualhost.jwtProviders[0].remoteJWKS.dnsLookupFamily",
      host({ jwtProviders: [{ name: "a", remoteJWKS: { ...jwks, dnsLookupFamily: "all" } }] }),
    ],
    ["spec.virtualhost.authorization.serviceType", host({ authorization: { serviceType: "tcp" } })],
    ["spec.virtualhost.authorization.httpSettings", host({ authorization: { httpSettings: {} } })],
    [
      "spec.virtualhost.authorization.httpSettings.allowedUpstreamHeaders[0]",
      host({
        authorization: {
          serviceType: "http",
          httpSettings: { allowedUpstreamHeaders: [{ exact: "a", prefix: "b" }] },
        },
      }),
    ],
    [
      "spec.virtualhost.authorization.withRequestBody.maxRequestBytes",
      host({ authorization: { withRequestBody: { maxRequestBytes: 0 } } }),
    ],
    ["spec.virtualhost.authorization.responseTimeout", host({ authorization: { responseTimeout: "5" } })],
    [
      "spec.virtualhost.ipAllowPolicy[0].source",
      host({ ipAllowPolicy: [{ source: "peer", cidr: "10.0.0.0/8" }] }),
    ],
    [
      "spec.virtualhost.rateLimitPolicy.local.requests",
      host({ rateLimitPolicy: { local: { requests: 0, unit: "second" } } }),
    ],
    [
      "spec.virtualhost.rateLimitPolicy.local.unit",
      host({ rateLimitPolicy: { local: { requests: 1, unit: "day" } } }),
    ],
    [
      "spec.virtualhost.rateLimitPolicy.local.responseStatusCode",
      host({ rateLimitPolicy: { local: { requests: 1, unit: "hour", responseStatusCode: 200 } } }),
    ],
    [
      "spec.virtualhost.rateLimitPolicy.global.descriptors",
      host({ rateLimitPolicy: { global: { descriptors: [] } } }),
    ],
    [
      "spec.virtualhost.rateLimitPolicy.global.descriptors[0].entries",
      host({ rateLimitPolicy: { global: { descriptors: [{ entries: [] }] } } }),
    ],
    ["spec.includes[0].name", { includes: [{ name: "" }] }],
    ["spec.routes[0].conditions[0].header.name", route({ conditions: [{ header: { name: "" } }] })],
    ["spec.routes[0].services[0].port", service({ port: 0 })],
    ["spec.routes[0].services[0].port", service({ port: 65536 })],
    ["spec.routes[0].services[0].port", service({ port: "80" })],
    ["spec.routes[0].services[0].port", service({ port: 80.5 })],
    ["spec.routes[0].services[0].healthPort", service({ healthPort: 0 })],
    ["spec.routes[0].services[0].weight", service({ weight: -1 })],
    ["spec.routes[0].services[0].protocol", service({ protocol: "h3" })],
    ["spec.routes[0].services[0].validation.subjectNames", validation({ subjectNames: [] })],
    ["spec.routes[0].services[0].validation.subjectNames", validation({ subjectNames: Array(9).fill("a") })],
    ["spec.routes[0].services[0].validation", validation({ subjectNames: ["b", "a"] })],
    ["spec.routes[0].services[0].validation.caSecret", validation({ caSecret: "" })],
    [
      "spec.routes[0].services[0].slowStartPolicy.aggression",
      service({ slowStartPolicy: { window: "5s", aggression: "1." } }),
    ],
    [
      "spec.routes[0].services[0].slowStartPolicy.window",
      service({ slowStartPolicy: { window: "infinity" } }),
    ],
    [
      "spec.routes[0].services[0].slowStartPolicy.window",
      service({ slowStartPolicy: { window: "9999999h" } }),
    ],
    [
      "spec.routes[0].services[0].slowStartPolicy.minWeightPercent",
      service({ slowStartPolicy: { window: "5s", minWeightPercent: 101 } }),
    ],
    ["spec.routes[0].timeoutPolicy.response", route({ timeoutPolicy: { response: "0" } })],
    ["spec.routes[0].timeoutPolicy.idle", route({ timeoutPolicy: { idle: "10 s" } })],
    ["spec.routes[0].timeoutPolicy.idleConnection", route({ timeoutPolicy: { idleConnection: "1d" } })],
    ["spec.routes[0].retryPolicy.count", route({ retryPolicy: { count: -2 } })],
    ["spec.routes[0].retryPolicy.retryOn[1]", route({ retryPolicy: { retryOn: ["5xx", "always"] } })],
    ["spec.routes[0].healthCheckPolicy.path", route({ healthCheckPolicy: {} })],
    [
      "spec.routes[0].healthCheckPolicy.unhealthyThresholdCount",
      route({ healthCheckPolicy: { path: "/", unhealthyThresholdCount: -1 } }),
    ],
    [
      "spec.routes[0].healthCheckPolicy.expectedStatuses[0].end",
      route({ healthCheckPolicy: { path: "/", expectedStatuses: [{ start: 200, end: 601 }] } }),
    ],
    ["spec.routes[0].directResponsePolicy.statusCode", route({ directResponsePolicy: { statusCode: 100 } })],
    ["spec.routes[0].requestRedirectPolicy.scheme", route({ requestRedirectPolicy: { scheme: "ftp" } })],
    ["spec.routes[0].requestRedirectPolicy.hostname", route({ requestRedirectPolicy: { hostname: "*.a" } })],
    ["spec.routes[0].requestRedirectPolicy.port", route({ requestRedirectPolicy: { port: 0 } })],
    [
      "spec.routes[0].requestRedirectPolicy.statusCode",
      route({ requestRedirectPolicy: { statusCode: 305 } }),
    ],
    ["spec.routes[0].requestRedirectPolicy.path", route({ requestRedirectPolicy: { path: "a" } })],
    ["spec.routes[0].requestRedirectPolicy.prefix", route({ requestRedirectPolicy: { prefix: "/a\nb" } })],
    [
      "spec.routes[0].internalRedirectPolicy.allowCrossSchemeRedirect",
      route({ internalRedirectPolicy: { allowCrossSchemeRedirect: "no" } }),
    ],
    [
      "spec.routes[0].internalRedirectPolicy.redirectResponseCodes[0]",
      route({ internalRedirectPolicy: { redirectResponseCodes: [304] } }),
    ],
    ["spec.routes[0].cookieRewritePolicies[0].name", route({ cookieRewritePolicies: [{ name: "a=b" }] })],
    [
      "spec.routes[0].cookieRewritePolicies[0].pathRewrite.value",
      route({ cookieRewritePolicies: [{ name: "a", pathRewrite: { value: "/;" } }] }),
    ],
    [
      "spec.routes[0].cookieRewritePolicies[0].sameSite",
      route({ cookieRewritePolicies: [{ name: "a", sameSite: "lax" }] }),
    ],
    [
      "spec.routes[0].requestHeadersPolicy.set[0].value",
      route({ requestHeadersPolicy: { set: [{ name: "a", value: "" }] } }),
    ],
    [
      "spec.routes[0].responseHeadersPolicy.set[0].value",
      route({ responseHeadersPolicy: { set: [{ name: "a", value: "b\r\nc: d" }] } }),
    ],
    [
      "spec.routes[0].pathRewritePolicy.replacePrefix[0].replacement",
      route({ pathRewritePolicy: { replacePrefix: [{ prefix: "/" }] } }),
    ],
    [
      "spec.routes[0].loadBalancerPolicy.requestHashPolicies[0].headerHashOptions.headerName",
      route({ loadBalancerPolicy: { requestHashPolicies: [{ headerHashOptions: {} }] } }),
    ],
    ["spec.tcpproxy.include.name", { tcpproxy: { include: {} } }],
  ])("%s", (path, spec) => {
    expect(problems(spec)).toEqual([path]);
  });

  it("collects every problem of an object, with the correction", () => {
    const parsed = parseObject(proxy(route({ services: [{ port: 70000 }], enableWebsockets: "yes" })));
    expect(parsed).toMatchObject({
      ref: "HTTPProxy/shop/web",
      findings: [
        {
          path: "spec.routes[0].services[0].name",
          message: "is missing; it must be text",
        },
        { path: "spec.routes[0].services[0].port", message: "must be at most 65535, found 70000" },
        { path: "spec.routes[0].enableWebsockets", message: 'must be true or false, found "yes"' },
      ],
    });
  });

  it("fills in the defaults", () => {
    const spec = {
      ...host({
        authorization: { withRequestBody: {} },
        rateLimitPolicy: {
          global: {
            descriptors: [{ entries: [{ requestHeaderValueMatch: { value: "v" } }, { remoteAddress: {} }] }],
          },
        },
      }),
      routes: [
        { retryPolicy: {}, requestRedirectPolicy: {}, internalRedirectPolicy: {} },
        { services: [{ name: "s", port: 80, slowStartPolicy: { window: "5s" } }] },
      ],
    };
    expect(specOf(spec)).toEqual({
      virtualhost: {
        fqdn: "a.example.com",
        authorization: { serviceType: "grpc", withRequestBody: { maxRequestBytes: 1024 } },
        rateLimitPolicy: {
          global: {
            descriptors: [
              {
                entries: [
                  { requestHeaderValueMatch: { value: "v", expectMatch: true } },
                  { remoteAddress: {} },
                ],
              },
            ],
          },
        },
      },
      routes: [
        {
          retryPolicy: { count: 1 },
          requestRedirectPolicy: { statusCode: 302 },
          internalRedirectPolicy: { allowCrossSchemeRedirect: "Never" },
        },
        {
          services: [
            {
              name: "s",
              port: 80,
              slowStartPolicy: { window: "5s", aggression: "1.0", minWeightPercent: 10 },
            },
          ],
        },
      ],
    });
  });

  it("drops unknown fields", () => {
    expect(specOf({ ...host({ future: 1 }), more: {} })).toEqual({ virtualhost: { fqdn: "a.example.com" } });
  });

  it.each(["15s", "1h2m3.5s", ".5s", "100ms", "1µs", "infinity", "infinite"])(
    "accepts the timeout %j",
    (response) => {
      expect(problems(route({ timeoutPolicy: { response } }))).toEqual([]);
    },
  );

  it.each(["", "0", "-1s", "1", "s"])("refuses the timeout %j", (response) => {
    expect(problems(route({ timeoutPolicy: { response } }))).toEqual([
      "spec.routes[0].timeoutPolicy.response",
    ]);
  });
});

it("parses ten thousand", () => {
  const many = Array.from({ length: 10_000 }, (_, i) => ({
    ...proxy({
      ...host({}),
      routes: [{ conditions: [{ prefix: "/" }], services: [{ name: "s", port: 80 }] }],
    }),
    metadata: { name: `p${i}` },
  }));
  expect(many.filter((input) => "object" in parseObject(input))).toHaveLength(10_000);
});
