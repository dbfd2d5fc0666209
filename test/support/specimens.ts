import { httpProxy, ingressRoute, type Manifest, tlsSecret } from "./backend.js";

const to = [{ name: "a", port: 80 }];

/** Objects that together use every field; all are valid. Names and hosts contain `id`. */
export function specimens(id: string): Manifest[] {
  const secret = {
    ...tlsSecret("default", "secure"),
    metadata: { name: `cert-${id}`, namespace: "default" },
  };
  const secure = { secretName: `cert-${id}` };
  return [
    secret,
    httpProxy("default", `routing-${id}`, {
      virtualhost: { fqdn: `routing-${id}.test` },
      includes: [
        {
          name: `child-${id}`,
          conditions: [{ prefix: "/child" }, { header: { name: "x-a", present: true } }],
        },
      ],
      routes: [
        { conditions: [{ prefix: "/" }], services: to },
        {
          conditions: [
            { regex: "/v[0-9]+/.*" },
            { header: { name: "x-b", contains: "b", ignoreCase: true } },
            { queryParameter: { name: "q", prefix: "a" } },
          ],
          services: [
            { name: "a", port: 80, weight: 3 },
            { name: "b", port: 80, weight: 1, requestHeadersPolicy: { set: [{ name: "x-b", value: "b" }] } },
          ],
          timeoutPolicy: { response: "5s", idle: "10s", idleConnection: "1m" },
          retryPolicy: { count: 2, perTryTimeout: "1s", retryOn: ["5xx"], retriableStatusCodes: [503] },
          loadBalancerPolicy: {
            strategy: "RequestHash",
            requestHashPolicies: [
              { headerHashOptions: { headerName: "x-id" }, terminal: true },
              { hashSourceIP: true },
            ],
          },
        },
        {
          conditions: [{ exact: "/moved" }],
          requestRedirectPolicy: {
            scheme: "https",
            hostname: "b.test",
            port: 8443,
            statusCode: 301,
            path: "/new",
          },
        },
        { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 200, body: "fixed" } },
        {
          conditions: [{ prefix: "/rewritten" }],
          services: [
            { name: "a", port: 80 },
            { name: "b", port: 80, mirror: true, weight: 10 },
          ],
          pathRewritePolicy: { replacePrefix: [{ prefix: "/rewritten", replacement: "/new" }] },
          requestHeadersPolicy: { set: [{ name: "x-a", value: "%REQ(x-b)%" }], remove: ["x-c"] },
          responseHeadersPolicy: { set: [{ name: "x-d", value: "d" }], remove: ["server"] },
          cookieRewritePolicies: [
            { name: "s", pathRewrite: { value: "/" }, domainRewrite: { value: "a.test" }, sameSite: "Lax" },
          ],
          internalRedirectPolicy: {
            maxInternalRedirects: 3,
            redirectResponseCodes: [302],
            allowCrossSchemeRedirect: "Always",
          },
        },
      ],
    }),
    httpProxy("default", `child-${id}`, { routes: [{ conditions: [{ prefix: "/deep" }], services: to }] }),
    httpProxy("default", `secured-${id}`, {
      virtualhost: {
        fqdn: `secured-${id}.test`,
        tls: {
          ...secure,
          minimumProtocolVersion: "1.3",
          clientValidation: { skipClientCertValidation: true, forwardClientCertificate: { subject: true } },
        },
        corsPolicy: {
          allowOrigin: ["https://[a-z]+"],
          allowMethods: ["GET"],
          allowHeaders: ["x-a"],
          maxAge: "10m",
        },
        rateLimitPolicy: {
          local: {
            requests: 1000,
            unit: "second",
            burst: 5,
            responseStatusCode: 429,
            responseHeadersToAdd: [{ name: "x-r", value: "r" }],
          },
          global: {
            descriptors: [{ entries: [{ genericKey: { key: "k", value: "v" } }, { remoteAddress: {} }] }],
          },
        },
        ipAllowPolicy: [{ source: "Peer", cidr: "127.0.0.0/8" }],
        jwtProviders: [
          {
            name: "p",
            default: true,
            issuer: "i",
            audiences: ["a"],
            remoteJWKS: { uri: "https://keys.test/jwks", timeout: "1s", cacheDuration: "5m" },
          },
        ],
      },
      routes: [
        {
          services: [
            { name: "a", port: 80, protocol: "h2", slowStartPolicy: { window: "3s", aggression: "1.0" } },
          ],
          healthCheckPolicy: {
            path: "/ready",
            host: "h",
            intervalSeconds: 5,
            expectedStatuses: [{ start: 200, end: 300 }],
          },
          jwtVerificationPolicy: { require: "p" },
          rateLimitPolicy: { local: { requests: 3, unit: "minute" } },
        },
      ],
    }),
    httpProxy("default", `tcp-${id}`, {
      virtualhost: { fqdn: `tcp-${id}.test`, tls: secure },
      tcpproxy: { services: [{ name: "a", port: 80, weight: 1 }], healthCheckPolicy: { intervalSeconds: 5 } },
    }),
    ingressRoute("default", `route-${id}`, {
      virtualhost: { fqdn: `route-${id}.test`, tls: { ...secure, minimumProtocolVersion: "1.2" } },
      routes: [
        {
          match: "/",
          services: [{ name: "a", port: 80, weight: 2, strategy: "Cookie", healthCheck: { path: "/ready" } }],
          prefixRewrite: "/new",
          timeoutPolicy: { request: "3s" },
          retryPolicy: { count: 1, perTryTimeout: "1s" },
          enableWebsockets: true,
        },
      ],
    }),
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        name: `ingress-${id}`,
        namespace: "default",
        annotations: { "projectcontour.io/response-timeout": "3s", "projectcontour.io/retry-on": "5xx" },
      },
      spec: {
        tls: [{ hosts: [`ingress-${id}.test`], secretName: `cert-${id}` }],
        rules: [
          {
            host: `ingress-${id}.test`,
            http: {
              paths: [
                { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } },
                {
                  path: "/[a-z]+",
                  pathType: "ImplementationSpecific",
                  backend: { service: { name: "a", port: { name: "http" } } },
                },
              ],
            },
          },
        ],
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: `svc-${id}`,
        namespace: "default",
        annotations: { "projectcontour.io/max-connections": "5" },
      },
      spec: { ports: [{ name: "http", port: 80, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `slice-${id}`,
        namespace: "default",
        labels: { "kubernetes.io/service-name": `svc-${id}` },
      },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: ["10.9.9.9"], conditions: { ready: true } }],
    },
    httpProxy("default", `to-svc-${id}`, {
      virtualhost: { fqdn: `to-svc-${id}.test` },
      routes: [{ services: [{ name: `svc-${id}`, port: 80 }] }],
    }),
  ];
}
