import { expect, test } from "vitest";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startRig } from "../support/isoline.js";
import { mutate, nastyValues, random } from "../support/nasty.js";
import { specimens } from "../support/specimens.js";

const batches = 20;
const sets = 100;

/** Waits until the complete batch is served. */
const marker = (batch: number): Manifest =>
  httpProxy("default", "marker", {
    virtualhost: { fqdn: "marker.test" },
    routes: [{ directResponsePolicy: { statusCode: 200, body: `batch ${batch}` } }],
  });

test("20,000 mutated objects: a real Envoy refuses nothing, and valid hosts stay served", async () => {
  const next = random(7);
  const rig = await startRig({ backends: ["a", "b"], objects: [hostProxy("good.test", "a")] });
  for (let batch = 0; batch < batches; batch++) {
    const objects: Manifest[] = [];
    for (let i = 0; i < sets; i++) {
      for (const object of specimens(`${batch}-${i}`)) objects.push(mutate(object, next));
    }
    await rig.isoline.apply("mutated", marker(batch), ...objects);
    await eventually(async () => {
      const answer = await request({ port: rig.httpPort, host: "marker.test" });
      return answer.body === `batch ${batch}`;
    }, `batch ${batch} is served`);
    const answer = await request({ port: rig.httpPort, host: "good.test" });
    expect(answer.status).toBe(200);
    expect(await rig.envoy.rejected(), `batch ${batch}`).toEqual([]);
  }
});

const to = { service: { name: "a", port: { number: 80 } } };

const hostFields: readonly ((value: unknown) => Manifest)[] = [
  (value) => ({ corsPolicy: { allowOrigin: [value], allowMethods: ["GET"], maxAge: value } }),
  (value) => ({
    corsPolicy: { allowOrigin: ["*"], allowMethods: [value], allowHeaders: [value], exposeHeaders: [value] },
  }),
  (value) => ({
    jwtProviders: [
      { name: value, issuer: value, audiences: [value], remoteJWKS: { uri: "https://k.test/" } },
    ],
  }),
  (value) => ({ jwtProviders: [{ name: "p", default: true, remoteJWKS: { uri: value } }] }),
  (value) => ({
    jwtProviders: [{ name: "p", remoteJWKS: { uri: `https://k.test/${value}`, timeout: value } }],
  }),
  (value) => ({ ipAllowPolicy: [{ source: "Remote", cidr: value }] }),
  (value) => ({
    rateLimitPolicy: { local: { requests: 1, unit: "hour", responseHeadersToAdd: [{ name: value, value }] } },
  }),
  (value) => ({
    rateLimitPolicy: { global: { descriptors: [{ entries: [{ genericKey: { key: value, value } }] }] } },
  }),
  (value) => ({
    rateLimitPolicy: {
      global: {
        descriptors: [{ entries: [{ requestHeader: { headerName: value, descriptorKey: value } }] }],
      },
    },
  }),
  (value) => ({ tls: { secretName: value, minimumProtocolVersion: value } }),
  (value) => ({ tls: { secretName: "secure", clientValidation: { caSecret: value, crlSecret: value } } }),
];

const ingress = (value: unknown, v: number): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name: `i-${v}`,
    namespace: "default",
    annotations: {
      "projectcontour.io/response-timeout": String(value),
      "projectcontour.io/retry-on": String(value),
      "projectcontour.io/num-retries": String(value),
      "projectcontour.io/per-try-timeout": String(value),
    },
  },
  spec: {
    rules: [
      {
        host: `i-${v}.test`,
        http: {
          paths: [
            { path: value, pathType: "Exact", backend: to },
            { path: `/${value}`, pathType: "Prefix", backend: to },
            { path: `/${value}`, pathType: "ImplementationSpecific", backend: to },
          ],
        },
      },
      { host: value, http: { paths: [{ path: "/", pathType: "Prefix", backend: to }] } },
    ],
  },
});

test("each nasty value in each place for text of users: Envoy refuses nothing", async () => {
  const rig = await startRig({ backends: ["a", "b"], objects: [hostProxy("good.test", "a")] });
  const places: readonly ((value: unknown) => Manifest)[] = [
    (value) => ({ conditions: [{ prefix: value }] }),
    (value) => ({ conditions: [{ exact: value }] }),
    (value) => ({ conditions: [{ regex: value }] }),
    (value) => ({ conditions: [{ header: { name: "x-a", exact: value } }] }),
    (value) => ({ conditions: [{ header: { name: value, present: true } }] }),
    (value) => ({ conditions: [{ header: { name: "x-a", regex: value } }] }),
    (value) => ({ conditions: [{ queryParameter: { name: value, exact: value } }] }),
    (value) => ({ requestHeadersPolicy: { set: [{ name: "x-a", value }] } }),
    (value) => ({ requestHeadersPolicy: { set: [{ name: "Host", value }] } }),
    (value) => ({ requestHeadersPolicy: { set: [{ name: value, value: "a" }] } }),
    (value) => ({ responseHeadersPolicy: { remove: [value] } }),
    (value) => ({ pathRewritePolicy: { replacePrefix: [{ replacement: value }] } }),
    (value) => ({ timeoutPolicy: { response: value } }),
    (value) => ({ retryPolicy: { count: value, perTryTimeout: value, retriableStatusCodes: [value] } }),
    (value) => ({ healthCheckPolicy: { path: value, host: value, intervalSeconds: value } }),
    (value) => ({ cookieRewritePolicies: [{ name: value, pathRewrite: { value } }] }),
    (value) => ({
      rateLimitPolicy: { local: { requests: value, unit: "second", responseStatusCode: value } },
    }),
    (value) => ({ ipDenyPolicy: [{ source: "Peer", cidr: value }] }),
    (value) => ({
      loadBalancerPolicy: {
        strategy: "RequestHash",
        requestHashPolicies: [{ headerHashOptions: { headerName: value } }],
      },
    }),
    (value) => ({
      services: [
        { name: "a", port: 80, weight: value, slowStartPolicy: { window: value, aggression: value } },
      ],
    }),
    (value) => ({
      services: undefined,
      requestRedirectPolicy: { path: value, hostname: value, port: value },
    }),
    (value) => ({ services: undefined, directResponsePolicy: { statusCode: value, body: value } }),
  ];
  const objects = nastyValues.flatMap((value, v) =>
    places.map((place, p) => {
      const route = { services: [{ name: "a", port: 80 }], ...place(value) };
      return httpProxy("default", `n-${v}-${p}`, {
        virtualhost: { fqdn: `n-${v}-${p}.test` },
        routes: [route],
      });
    }),
  );
  const hosts = nastyValues.map((value, v) =>
    httpProxy("default", `h-${v}`, {
      virtualhost: { fqdn: value },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    }),
  );
  const secured = nastyValues.flatMap((value, v) =>
    hostFields.map((fields, f) =>
      httpProxy("default", `s-${v}-${f}`, {
        virtualhost: { fqdn: `s-${v}-${f}.test`, tls: { secretName: "secure" }, ...fields(value) },
        routes: [{ services: [{ name: "a", port: 80 }] }],
      }),
    ),
  );
  const ingresses = nastyValues.map((value, v) => ingress(value, v));
  const secrets = nastyValues.map((value, v) => ({
    ...tlsSecret("default", "secure"),
    metadata: { name: `secret-${v}`, namespace: "default" },
    stringData: { "tls.crt": value, "tls.key": value, "ca.crt": value, "crl.pem": value },
  }));
  await rig.isoline.apply("secure", tlsSecret("default", "secure"), ...secrets);
  await rig.isoline.apply("nasty", ...objects, ...hosts, ...secured, ...ingresses);
  await rig.isoline.apply("last", marker(0));
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "marker.test" })).body === "batch 0",
    "all is served",
  );
  await eventually(async () => {
    const answer = await request({ port: rig.isoline.port, path: "/status" });
    return (JSON.parse(answer.body) as { phase: string }).phase === "settled";
  }, "the publication is over");
  expect((await request({ port: rig.httpPort, host: "good.test" })).status).toBe(200);
  expect(await rig.envoy.rejected()).toEqual([]);
});
