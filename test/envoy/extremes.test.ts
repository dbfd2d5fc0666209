import { expect, test } from "vitest";
import {
  extensionService,
  hostProxy,
  httpProxy,
  type Manifest,
  secret,
  tlsSecret,
} from "../support/backend.js";
import { freePort, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];
const longest = "876000h";
const many = (count: number, make: (i: number) => unknown): readonly unknown[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Routes that the schema allows, and that Envoy could refuse. */
const routes: Readonly<Record<string, Manifest>> = {
  "local limit, 11 headers": {
    services,
    rateLimitPolicy: {
      local: {
        requests: 1,
        unit: "second",
        responseHeadersToAdd: many(11, (i) => ({ name: `x-${i}`, value: "1" })),
      },
    },
  },
  "local limit, long header": {
    services,
    rateLimitPolicy: {
      local: {
        requests: 1,
        unit: "second",
        responseHeadersToAdd: [{ name: "x", value: "x".repeat(20_000) }],
      },
    },
  },
  "local limit, most": { services, rateLimitPolicy: { local: { requests: 4294967295, unit: "hour" } } },
  "descriptor, header with space": {
    services,
    rateLimitPolicy: {
      global: { descriptors: [{ entries: [{ requestHeader: { headerName: "x y", descriptorKey: "k" } }] }] },
    },
  },
  "descriptor, header without name": {
    services,
    rateLimitPolicy: {
      global: { descriptors: [{ entries: [{ requestHeader: { headerName: "", descriptorKey: "k" } }] }] },
    },
  },
  "descriptor, match without name": {
    services,
    rateLimitPolicy: {
      global: {
        descriptors: [
          { entries: [{ requestHeaderValueMatch: { headers: [{ name: "", present: true }], value: "v" } }] },
        ],
      },
    },
  },
  "hash, header with space": {
    services,
    loadBalancerPolicy: {
      strategy: "RequestHash",
      requestHashPolicies: [{ headerHashOptions: { headerName: "x y" } }],
    },
  },
  "1,001 headers": {
    services,
    requestHeadersPolicy: { set: many(1001, (i) => ({ name: `x-${i}`, value: "1" })) },
  },
  "1,001 answers' headers": {
    services,
    responseHeadersPolicy: { set: many(1001, (i) => ({ name: `x-${i}`, value: "1" })) },
  },
  "1,001 headers of a service": {
    services: [
      {
        name: "a",
        port: 80,
        requestHeadersPolicy: { set: many(1001, (i) => ({ name: `x-${i}`, value: "1" })) },
      },
    ],
  },
  "five headers of Envoy's own": {
    services,
    requestHeadersPolicy: {
      set: [":path", "x-envoy-a", "connection", "te", "host"].map((name) => ({ name, value: "1" })),
    },
  },
  "a header of operators": {
    services,
    requestHeadersPolicy: {
      set: [{ name: "x", value: "%REQ()% %REQ(:path)% %DOWNSTREAM_PEER_CERT_V_START% %HOSTNAME%" }],
    },
  },
  "Host of a header": { services, requestHeadersPolicy: { set: [{ name: "Host", value: "%REQ(x-h)%" }] } },
  "Host of a service": {
    services: [
      { name: "a", port: 80, requestHeadersPolicy: { set: [{ name: "Host", value: "x".repeat(9000) }] } },
    ],
  },
  "retries of all kinds": {
    services,
    retryPolicy: {
      retryOn: ["retriable-headers", "cancelled", "http3-post-connect-failure"],
      retriableStatusCodes: many(200, () => 500),
    },
  },
  "many mirrors' weights": {
    services: [
      { name: "a", port: 80, weight: 4294967295 },
      { name: "a", port: 80, weight: 4294967295 },
    ],
  },
  "mirror, most": {
    services: [
      { name: "a", port: 80 },
      { name: "a", port: 80, mirror: true, weight: 4294967295 },
    ],
  },
  "six redirect codes": {
    services,
    internalRedirectPolicy: { redirectResponseCodes: [301, 302, 303, 307, 308, 308] },
  },
  "most redirects": { services, internalRedirectPolicy: { maxInternalRedirects: 4294967295 } },
  "body of many bytes": { directResponsePolicy: { statusCode: 200, body: "é".repeat(4096) } },
  "longest timeouts": {
    services,
    timeoutPolicy: { response: longest, idle: longest, idleConnection: longest },
    retryPolicy: { count: 4294967295, perTryTimeout: longest },
  },
  "health check, most": {
    services,
    healthCheckPolicy: {
      path: "/",
      intervalSeconds: 4294967295,
      timeoutSeconds: 4294967295,
      unhealthyThresholdCount: 4294967295,
      healthyThresholdCount: 4294967295,
    },
  },
  "health check, lines": { services, healthCheckPolicy: { path: "/a\nb", host: "a\nb" } },
  "health check, host with space": { services, healthCheckPolicy: { path: "/a b?c#d", host: "a b" } },
  "slow start, most": {
    services: [
      {
        name: "a",
        port: 80,
        slowStartPolicy: { window: longest, aggression: "9".repeat(40), minWeightPercent: 0 },
      },
    ],
  },
  "slow start, least": {
    services: [
      {
        name: "a",
        port: 80,
        slowStartPolicy: { window: "1ns", aggression: "0.000000001", minWeightPercent: 100 },
      },
    ],
  },
  "rewrite to nothing": {
    conditions: [{ prefix: "/r" }],
    services,
    pathRewritePolicy: { replacePrefix: [{ replacement: "" }] },
  },
  "redirect to odd places": { requestRedirectPolicy: { path: "/a b\u00e9", statusCode: 308 } },
  "odd host": { services, requestHeadersPolicy: { set: [{ name: "Host", value: "a b\u00e9" }] } },
  "odd cookie": {
    services,
    cookieRewritePolicies: [
      { name: "__proto__", pathRewrite: { value: "/é%" } },
      { name: "constructor", secure: true },
    ],
  },
  "odd values": {
    services,
    requestHeadersPolicy: { set: [{ name: "x-a", value: "%REQ(x)% %START_TIME% %%% é" }] },
    responseHeadersPolicy: { set: [{ name: "x-a", value: "%PROTOCOL% %NOPE%" }], remove: ["x-b"] },
  },
};

const secure = (validation: Manifest): Manifest => ({ tls: { secretName: "secure" }, ...validation });
const authorization = (more: Manifest): Manifest => ({
  extensionRef: { name: "auth", namespace: "infra" },
  ...more,
});
const http = (httpSettings: Manifest): Manifest => authorization({ serviceType: "http", httpSettings });
const local = (more: Manifest): Manifest => ({
  name: "p",
  default: true,
  localJWKS: { secretName: "keys", key: "jwks" },
  ...more,
});
const remote = (more: Manifest): Manifest => ({
  name: "p",
  default: true,
  remoteJWKS: { uri: "http://127.0.0.1:1/", ...more },
});

/** The same for virtual hosts. */
const hosts: Readonly<Record<string, Manifest>> = {
  "path prefix without slash": secure({ authorization: http({ pathPrefix: "check" }) }),
  "path prefix with lines": secure({ authorization: http({ pathPrefix: "/a\nb" }) }),
  "empty prefix of headers": secure({
    authorization: http({ allowedAuthorizationHeaders: [{ prefix: "" }] }),
  }),
  "empty suffix of headers": secure({ authorization: http({ allowedUpstreamHeaders: [{ suffix: "" }] }) }),
  "empty part of headers": secure({ authorization: http({ allowedUpstreamHeaders: [{ contains: "" }] }) }),
  "empty header": secure({ authorization: http({ allowedUpstreamHeaders: [{ exact: "" }] }) }),
  "most body": secure({ authorization: authorization({ withRequestBody: { maxRequestBytes: 4294967295 } }) }),
  "longest answer": secure({ authorization: authorization({ responseTimeout: longest }) }),
  "longest HTTP answer": secure({
    authorization: authorization({ serviceType: "http", responseTimeout: longest }),
  }),
  "endless HTTP answer": secure({
    authorization: authorization({ serviceType: "http", responseTimeout: "infinity" }),
  }),
  "odd context": secure({
    authorization: authorization({ authPolicy: { context: { "": "", __proto__x: "é" } } }),
  }),
  "longest JWKS": secure({ jwtProviders: [remote({ timeout: longest, cacheDuration: longest })] }),
  "shortest JWKS": secure({ jwtProviders: [remote({ timeout: "1ns", cacheDuration: "1ns" })] }),
  "odd JWKS": secure({ jwtProviders: [remote({ uri: "HTTP://127.0.0.1" })] }),
  "odd path of JWKS": secure({ jwtProviders: [remote({ uri: 'http://a.test/é"<>{}|' })] }),
  "long JWKS": secure({ jwtProviders: [remote({ uri: `http://${"a".repeat(70)}.test/` })] }),
  "percent of JWKS": secure({ jwtProviders: [remote({ uri: "http://a.test/%zz?a[]=1&b='" })] }),
  "port of JWKS": secure({ jwtProviders: [remote({ uri: "http://a.test:/" })] }),
  "IPv6 JWKS": secure({ jwtProviders: [remote({ uri: "http://[::1]:80?x" })] }),
  "no such address": secure({ jwtProviders: [remote({ uri: "http://999.1.1.1/" })] }),
  "odd name of JWKS": secure({ jwtProviders: [remote({ uri: "http://-._/" })] }),
  "bad IPv6 JWKS": secure({ jwtProviders: [remote({ uri: "http://[:::]/" })] }),
  "odd provider": secure({ jwtProviders: [local({ name: "é %\n", issuer: "é\n", audiences: ["", "é\n"] })] }),
  "provider of no name": secure({ jwtProviders: [local({ name: "__proto__" })] }),
  origins: {
    corsPolicy: { allowOrigin: ["*", ".*", "(a|b)+", "http://é.test"], allowMethods: ["*"], maxAge: longest },
  },
  ranges: {
    ipAllowPolicy: [
      { source: "Peer", cidr: "0.0.0.0/0" },
      { source: "Remote", cidr: "::/0" },
      { source: "Remote", cidr: "::ffff:1.2.3.4" },
    ],
  },
};

test("extreme values do not affect other hosts: Envoy refuses nothing", async () => {
  const objects = [
    tlsSecret("default", "secure"),
    secret("default", "keys", { jwks: '{"keys":[{"kty":"oct","k":"AA"}]}' }),
    ...extensionService("auth", await freePort(), {
      timeoutPolicy: { response: longest, idleConnection: longest },
    }),
    ...Object.values(routes).map((route, i) =>
      httpProxy("default", `route-${i}`, { virtualhost: { fqdn: `r${i}.test` }, routes: [route] }),
    ),
    ...Object.values(hosts).map((virtualhost, i) =>
      httpProxy("default", `host-${i}`, {
        virtualhost: { fqdn: `h${i}.test`, ...virtualhost },
        routes: [{ services }],
      }),
    ),
    hostProxy("plain.test", "a"),
    httpProxy("default", "open", {
      virtualhost: { fqdn: "open.test", tls: { secretName: "secure" } },
      routes: [{ services }],
    }),
  ];
  const settings = { rateLimitService: { extensionService: "infra/auth" } };
  const rig = await startRig({ backends: ["a"], objects, settings });

  expect(await rig.envoy.rejected()).toEqual([]);
  expect((await request({ port: rig.httpPort, host: "plain.test" })).status).toBe(200);
  expect((await request({ port: rig.httpsPort, sni: "open.test", host: "open.test" })).status).toBe(200);
});
