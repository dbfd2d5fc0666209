import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { envoyVersion, findEnvoy } from "../../src/dev/envoy.js";
import { nginxAnnotations } from "../../src/schema/ingress-nginx.js";
import { isAtLeast } from "../../src/xds/envoy-version.js";
import { endpointSlice, type Manifest, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import {
  askProbe,
  nginxIngress,
  type Probe,
  probeObjects,
  probeSettings,
  probes,
  seen,
  wanted,
} from "../support/nginx-probes.js";

/** What an authorization service was asked. */
interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

const slowMs = 16_000;

/** An authorization service that answers what the request's `x-auth` says, and a backend that takes its time. */
async function startServers(): Promise<{
  objects: readonly Manifest[];
  asked: Asked[];
  stopAuth(): Promise<void>;
}> {
  const asked: Asked[] = [];
  const auth = createServer(({ method, url, headers }, response) => {
    asked.push({ method, url, headers });
    const user = headers["x-auth-user"];
    if (user) response.setHeader("x-user", user);
    response.statusCode = Number(headers["x-auth"] ?? 200);
    response.end();
  });
  const slow = createServer((_, response) => void sleep(slowMs).then(() => response.end("late")));
  const objects: Manifest[] = [service("default", "empty")];
  for (const [name, server] of [
    ["auth", auth],
    ["slow", slow],
  ] as const) {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    onTestFinished(() => void server.close());
    objects.push(
      service("default", name),
      endpointSlice("default", name, (server.address() as AddressInfo).port),
    );
  }
  const stopAuth = (): Promise<void> =>
    new Promise((done) => {
      auth.closeAllConnections();
      auth.close(() => done());
    });
  return { objects, asked, stopAuth };
}

/** What the authorization service is asked, and what becomes of its answers. */
async function checkQuestions(rig: Rig, asked: Asked[], stopAuth: () => Promise<void>): Promise<void> {
  // 20e: the service gets the method of the request, and no body.
  asked.length = 0;
  await askProbe(rig, { host: "q.test", method: "POST", path: "/p?x=1", body: "text" });
  expect(asked[0]).toMatchObject({
    url: "/check",
    headers: {
      host: expect.any(String) as string,
      "x-original-method": "POST",
      "x-original-url": "http://q.test/p?x=1",
      "content-length": "0",
    },
  });

  // 20d: what is neither 2xx nor 401 nor 403 lets no request through.
  const statusOf = async (auth: string): Promise<number> =>
    (await request({ port: rig.httpPort, host: "q.test", headers: { "x-auth": auth } })).status;
  expect([await statusOf("302"), await statusOf("500"), await statusOf("403")]).toEqual([302, 500, 403]);
  await stopAuth();
  expect(await statusOf("200")).toBe(500);
}

test("answers the requests of the table as ingress-nginx does", async () => {
  const { objects, asked, stopAuth } = await startServers();
  const rig = await startRig({
    backends: ["web", "api", "new"],
    objects: [...objects, ...probeObjects],
    settings: probeSettings,
  });
  const late = request({ port: rig.httpPort, host: "af.test" });

  const found: Partial<Probe>[] = [];
  for (const probe of probes) found.push(seen(probe, await askProbe(rig, probe)));
  // An Envoy before 1.40 refuses without a question.
  const asks = isAtLeast(await envoyVersion(await findEnvoy(() => {})), { major: 1, minor: 40 });
  const expected = probes.map((probe) =>
    asks || probe.host !== "q.test" ? probe : { id: probe.id, host: probe.host, status: 500 },
  );
  const isRefused = new Set(asks ? [] : expected.filter(({ host }) => host === "q.test").map(({ id }) => id));
  expect(
    found.map((one) => (isRefused.has(one.id ?? "") ? { id: one.id, status: one.status } : one)),
  ).toEqual(expected.map(wanted));

  if (asks) await checkQuestions(rig, asked, stopAuth);

  // 28a: five at once from one address.
  const rates = await Promise.all(
    Array.from({ length: 5 }, () => request({ port: rig.httpPort, host: "x.test" })),
  );
  expect(rates.map(({ status }) => status).sort()).toEqual([200, 200, 200, 503, 503]);
  expect((await request({ port: rig.httpPort, host: "x.test", from: "127.0.0.9" })).status).toBe(200);

  // 40a: without a certificate the handshake ends.
  await expect(askProbe(rig, { host: "ak.test", tls: true })).rejects.toThrow();

  // 35a: an answer may take longer than Envoy's default of 15 s.
  expect((await late).status).toBe(200);
  expect(await rig.envoy.rejected()).toEqual([]);
}, 60_000);

/** What makes others of their family have an effect. */
const companions: readonly (readonly [RegExp, Readonly<Record<string, string>>])[] = [
  [/^cors-/, { "enable-cors": "true", "cors-allow-origin": "https://*.x.test" }],
  [/^(?:session-cookie|affinity)/, { affinity: "cookie" }],
  [/^auth-(?:response|signin|request|cache|method)/, { "auth-url": "http://web/check" }],
  [/^auth-(?:realm|secret|type)/, { "auth-type": "basic", "auth-secret": "pw" }],
  [/^auth-tls-/, { "auth-tls-secret": "default/ca" }],
  [/^proxy-ssl-/, { "backend-protocol": "HTTPS", "proxy-ssl-secret": "default/ca" }],
  [/^limit-/, { "limit-rps": "5" }],
  [/^permanent-/, { "permanent-redirect": "https://x.test/a" }],
  [/^temporal-/, { "temporal-redirect": "https://x.test/a" }],
  [/^x-forwarded-prefix|^rewrite/, { "rewrite-target": "/y" }],
];

const oddities = [
  "x",
  "a".repeat(9000),
  "%REQ(X)% %%% %",
  "(a{100}){100}",
  `"quotes" \\ 'and' {braces}`,
  "line\nbreak\0",
  "é\ud83d\ude00",
  "$1$2$host",
  "$http_x$arg_y$cookie_z$host$request_uri$remote_addr",
  "999999999",
  "-1",
  "https://1.2.3.4.5/x",
  "https://a.test:99999/",
  "http://web:99999/x",
  Array.from({ length: 400 }, (_, i) => `https://*.a${i}.test`).join(","),
  'more_set_headers "A: %REQ(B)%" "C: d";',
];

test("sends Envoy nothing that it refuses, whatever annotations say", async () => {
  const odd = Object.keys(nginxAnnotations).flatMap((name, i) =>
    oddities.flatMap((text, j): readonly Manifest[] => {
      const host = `h${i}-${j}.test`;
      const more = companions.find(([family]) => family.test(name))?.[1] ?? {};
      const annotations = { ...more, [name]: text };
      if (!name.startsWith("canary")) return [nginxIngress({ name: `o${i}-${j}`, host, annotations })];
      return [
        nginxIngress({ name: `m${i}-${j}`, host }),
        nginxIngress({
          name: `o${i}-${j}`,
          host,
          annotations: { "canary-by-header": "X-C", canary: "true", [name]: text },
        }),
      ];
    }),
  );
  const rig = await startRig({
    backends: ["web"],
    objects: [...probeObjects.slice(0, 4), nginxIngress({ name: "good", host: "good.test" }), ...odd],
    settings: { ...probeSettings, routeShards: 1 },
  });
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "good.test" })).status === 200,
    "another host is served",
  );
  expect(await rig.envoy.rejected()).toEqual([]);
}, 120_000);
