import { expect, test } from "vitest";
import { extensionService, hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const extension = { extensionService: "infra/service" };

/** A rig with a host over HTTP and one over HTTPS, and the statuses of their responses. */
async function rigOf(settings: Manifest): Promise<{ rig: Rig; statuses(): Promise<readonly number[]> }> {
  const objects = [
    tlsSecret("default", "secure"),
    ...extensionService("service", await freePort()),
    hostProxy("plain.test", "a"),
    httpProxy("default", "secure", {
      virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    }),
  ];
  const rig = await startRig({ backends: ["a"], objects, settings });
  const statuses = async (): Promise<readonly number[]> => {
    const plain = await request({ port: rig.httpPort, host: "plain.test" });
    const secure = await request({ port: rig.httpsPort, sni: "secure.test", host: "secure.test" });
    return [plain.status, secure.status];
  };
  return { rig, statuses };
}

test.each<[what: string, settings: Manifest]>([
  ["a rate limit service without domain", { rateLimitService: { ...extension, domain: "" } }],
  [
    "a tag of two lines",
    { tracing: { ...extension, customTags: [{ tagName: "a", requestHeaderName: "x\ny" }] } },
  ],
  [
    "long paths in spans",
    { tracing: { ...extension, maxPathTagLength: 4294967295, overallSampling: "0.0000001" } },
  ],
  ["too many streams", { listener: { httpMaxConcurrentStreams: 4294967295 } }],
  ["a cipher suite that nobody knows", { tls: { cipherSuites: ["NOPE"] } }],
  [
    "two cipher suites as one",
    { tls: { cipherSuites: ["[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]"] } },
  ],
  [
    "the longest timeouts",
    { timeouts: { requestTimeout: "876000h", streamIdleTimeout: "876000h", connectTimeout: "876000h" } },
  ],
])("extreme settings: %s", async (_, settings) => {
  const { rig, statuses } = await rigOf(settings);

  expect(await statuses()).toEqual([200, 200]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test.each<[what: string, globalExtAuth: unknown]>([
  ["a timeout that is none", { ...extension, responseTimeout: "soon" }],
  [
    "a context for an HTTP service",
    { ...extension, serviceType: "http", authPolicy: { context: { a: "b" } } },
  ],
  ["a limit below one", { ...extension, failOpen: true, withRequestBody: { maxRequestBytes: 0 } }],
  ["text", "infra/service"],
])("an invalid globalExtAuth allows no requests: %s", async (_, globalExtAuth) => {
  const { rig, statuses } = await rigOf({ globalExtAuth });

  expect(await statuses()).toEqual([403, 403]);
  expect(rig.isoline.log()).toContain("all requests are refused");
  expect(await rig.envoy.rejected()).toEqual([]);
});
