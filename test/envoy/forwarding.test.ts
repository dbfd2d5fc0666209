import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request, webSocket } from "../support/http.js";
import { type Handler, type HttpBackend, startHttp } from "../support/http-server.js";
import { type Rig, startRig } from "../support/isoline.js";
import { startAuthorization, startCollector, startRateLimitService } from "../support/services.js";

const services = [{ name: "b", port: 80 }];

/** A rig with one backend, and a host `b.test` with routes to it. */
async function rigOf(
  handle: Handler,
  routes: readonly Manifest[],
  settings: Manifest = {},
): Promise<{ rig: Rig; backend: HttpBackend }> {
  const backend = await startHttp("b", handle);
  const proxy = httpProxy("default", "b", { virtualhost: { fqdn: "b.test" }, routes });
  return { backend, rig: await startRig({ backends: [], objects: [...backend.objects, proxy], settings }) };
}

const ask = (rig: Rig, path = "/", headers: Record<string, string> = {}) =>
  request({ port: rig.httpPort, host: "b.test", path, headers });

const text = "all the same, ".repeat(200);
const texts: Handler = ({ path }, response) => {
  response.writeHead(200, { "content-type": path === "/image" ? "image/png" : "text/plain" });
  response.end(text);
};

test.each([
  { compression: "gzip", encoding: "gzip", decode: gunzipSync },
  { compression: "brotli", encoding: "br", decode: brotliDecompressSync },
  { compression: "disabled", encoding: undefined, decode: (bytes: Buffer) => bytes },
])("compression $compression: $encoding for text, and clients that accept it", async (way) => {
  const { rig } = await rigOf(texts, [{ services }], { compression: way.compression });

  const answer = await ask(rig, "/", { "accept-encoding": "gzip, br, zstd" });
  expect(answer.headers["content-encoding"]).toBe(way.encoding);
  expect(way.decode(answer.bytes).toString()).toBe(text);
  expect((await ask(rig)).body).toBe(text);
  expect(
    (await ask(rig, "/image", { "accept-encoding": "gzip, br" })).headers["content-encoding"],
  ).toBeUndefined();
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("compression is switched by host, route and annotation without a change of a listener", async () => {
  const backend = await startHttp("b", texts);
  const off = { compressionPolicy: { disabled: true } };
  const on = { compressionPolicy: { disabled: false } };
  const at = (prefix: string, rest: Manifest): Manifest => ({ conditions: [{ prefix }], services, ...rest });
  const hostOff = httpProxy("default", "off", {
    virtualhost: { fqdn: "off.test", ...off },
    routes: [{ services }, at("/on", on)],
    includes: [{ name: "included", conditions: [{ prefix: "/included" }] }],
  });
  const annotation = "isoline.dev/compression";
  const proxyWith = (name: string, annotations: Manifest, spec: Manifest): Manifest => ({
    ...httpProxy("default", name, spec),
    metadata: { name, namespace: "default", annotations },
  });
  const included = proxyWith(
    "included",
    { [annotation]: "enabled" },
    { routes: [{ services }, at("/off", off)] },
  );
  const answer = {
    conditions: [{ prefix: "/answer" }],
    directResponsePolicy: { statusCode: 200, body: text },
  };
  const hostOn = (annotations: Manifest) =>
    proxyWith("on", annotations, {
      virtualhost: { fqdn: "on.test" },
      routes: [
        { services },
        at("/off", off),
        answer,
        { ...answer, conditions: [{ prefix: "/answer/off" }], ...off },
      ],
    });
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "i", namespace: "default", annotations: { [annotation]: "disabled" } },
    spec: {
      rules: [
        {
          host: "ingress.test",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: { service: { name: "b", port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  };
  const others = [...backend.objects, hostOff, included, ingress];
  const rig = await startRig({ backends: [], objects: [...others, hostOn({})] });

  const isCompressed = async (host: string, path = "/"): Promise<boolean> => {
    const headers = { "accept-encoding": "gzip" };
    const got = await request({ port: rig.httpPort, host, path, headers });
    const encoded = got.headers["content-encoding"] === "gzip";
    expect((encoded ? gunzipSync(got.bytes) : got.bytes).toString()).toBe(text);
    return encoded;
  };
  const seen = async (...places: readonly (readonly [string, string])[]): Promise<boolean[]> => {
    const found: boolean[] = [];
    for (const [host, path] of places) found.push(await isCompressed(host, path));
    return found;
  };
  const places = [
    ["off.test", "/"],
    ["off.test", "/on"],
    ["off.test", "/included"],
    ["off.test", "/included/off"],
    ["on.test", "/"],
    ["on.test", "/off"],
    ["on.test", "/answer"],
    ["on.test", "/answer/off"],
    ["ingress.test", "/"],
  ] as const;
  expect(await seen(...places)).toEqual([false, true, true, false, true, false, true, false, false]);

  const listenerChanges = async () => [
    ...(await rig.envoy.stats(/listener_manager\.listener_(added|modified)$/)),
  ];
  const before = await listenerChanges();
  await rig.isoline.apply("objects", ...others, hostOn({ [annotation]: "disabled" }));
  await eventually(async () => !(await isCompressed("on.test")), "the annotation of the root has an effect");
  expect(await isCompressed("on.test", "/answer")).toBe(false);
  expect(await listenerChanges()).toEqual(before);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("redirects of a backend are followed: by status, up to a number, within the scheme, no route twice", async () => {
  const route = (prefix: string, internalRedirectPolicy?: Manifest): Manifest => ({
    conditions: [{ prefix }],
    services,
    ...(internalRedirectPolicy ? { internalRedirectPolicy } : {}),
  });
  const redirect: Handler = ({ path }, response) => {
    const url = new URL(path, "http://b.test");
    const location = url.searchParams.get("to");
    const left = Number(url.searchParams.get("left") ?? 0);
    const target = left > 0 ? `http://b.test${url.pathname}?left=${left - 1}` : location;
    if (target) response.writeHead(Number(url.searchParams.get("status") ?? 302), { location: target });
    response.end(path);
  };
  const { rig } = await rigOf(redirect, [
    route("/none"),
    route("/end"),
    route("/one", {}),
    route("/three", { maxInternalRedirects: 3 }),
    route("/308", { redirectResponseCodes: [308] }),
    route("/cross", { allowCrossSchemeRedirect: "Always" }),
    route("/safe", { allowCrossSchemeRedirect: "SafeOnly" }),
    route("/again", { maxInternalRedirects: 5, denyRepeatedRouteRedirect: true }),
    route("/other", { maxInternalRedirects: 5, denyRepeatedRouteRedirect: true }),
  ]);
  const end = encodeURIComponent("http://b.test/end");
  const got = async (path: string): Promise<unknown> => {
    const { status, body } = await ask(rig, path);
    return status === 200 ? body : status;
  };

  expect(await got(`/none?to=${end}`)).toBe(302);
  expect(await got(`/one?to=${end}`)).toBe("/end");
  expect(await got("/one?left=2")).toBe(302);
  expect(await got("/three?left=3")).toBe("/three?left=0");
  expect(await got("/three?left=4")).toBe(302);
  expect(await got(`/308?to=${end}`)).toBe(302);
  expect(await got(`/308?to=${end}&status=308`)).toBe("/end");
  expect(await got(`/one?to=${encodeURIComponent("http://unknown.test/")}`)).toBe(302);
  expect(await got("/again?left=1")).toBe("/again?left=0");
  expect(await got("/again?left=2")).toBe(302);
  expect(await got(`/again?to=${encodeURIComponent(`http://b.test/other?to=${end}`)}`)).toBe("/end");

  const secure = encodeURIComponent("https://b.test/end");
  expect(await got(`/one?to=${secure}`)).toBe(302);
  expect(await got(`/safe?to=${secure}`)).toBe(302);
  expect(await got(`/cross?to=${secure}`)).toBe("/end");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("response timeouts: 504 after the time of a route, and none for infinity", async () => {
  const held: (() => void)[] = [];
  const hold: Handler = (_, response) => void held.push(() => response.end("late"));
  const { rig } = await rigOf(hold, [
    { services, timeoutPolicy: { response: "150ms" } },
    { conditions: [{ prefix: "/infinite" }], services, timeoutPolicy: { response: "infinity" } },
  ]);

  expect((await ask(rig)).status).toBe(504);
  const waiting = ask(rig, "/infinite");
  await eventually(async () => held.length === 2, "the backend was asked");
  expect((await ask(rig)).status).toBe(504);
  held[1]?.();
  expect((await waiting).body).toBe("late");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("the request timeout of the settings ends an endless request with 408", async () => {
  const { rig } = await rigOf(texts, [{ services }], { timeouts: { requestTimeout: "700ms" } });

  const slow = await request({
    port: rig.httpPort,
    host: "b.test",
    method: "POST",
    headers: { "content-length": "5" },
  });
  expect(slow.status).toBe(408);
  expect((await ask(rig)).status).toBe(200);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("retries: counted at the backend, by condition and status, each with its own timeout", async () => {
  const seen = new Map<string, number>();
  const failing: Handler = ({ path }, response) => {
    const url = new URL(path, "http://b.test");
    const times = (seen.get(url.pathname) ?? 0) + 1;
    seen.set(url.pathname, times);
    const fails = Number(url.searchParams.get("fails"));
    if (times > fails) response.end("ok");
    else if (url.pathname.startsWith("/slow")) return;
    else {
      response.statusCode = Number(url.searchParams.get("status") ?? 503);
      response.end();
    }
  };
  const route = (prefix: string, more: Manifest): Manifest => ({
    conditions: [{ prefix }],
    services,
    ...more,
  });
  const { rig } = await rigOf(failing, [
    route("/none", {}),
    route("/default", { retryPolicy: {} }),
    route("/off", { retryPolicy: { count: -1 } }),
    route("/three", { retryPolicy: { count: 3 } }),
    route("/codes", {
      retryPolicy: { count: 2, retryOn: ["retriable-status-codes"], retriableStatusCodes: [418] },
    }),
    route("/slow", { retryPolicy: { count: 2, perTryTimeout: "400ms" } }),
  ]);
  const got = async (path: string): Promise<unknown> => {
    const { status } = await ask(rig, path);
    return [status, seen.get(new URL(path, "http://b.test").pathname)];
  };

  expect(await got("/none?fails=1")).toEqual([503, 1]);
  expect(await got("/default?fails=1")).toEqual([200, 2]);
  expect(await got("/off?fails=1")).toEqual([503, 1]);
  expect(await got("/three?fails=3")).toEqual([200, 4]);
  expect(await got("/three/more?fails=9")).toEqual([503, 4]);
  expect(await got("/three/4xx?fails=1&status=404")).toEqual([404, 1]);
  expect(await got("/codes?fails=2&status=418")).toEqual([200, 3]);
  expect(await got("/codes/other?fails=1&status=503")).toEqual([503, 1]);
  expect(await got("/slow?fails=2")).toEqual([200, 3]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a websocket works with every policy of a route", async () => {
  const auth = await startAuthorization(() => ({ allow: true }));
  const limiter = await startRateLimitService(() => true);
  const proxy = httpProxy("default", "ws", {
    virtualhost: {
      fqdn: "ws.test",
      corsPolicy: { allowOrigin: ["*"], allowMethods: ["GET"] },
      rateLimitPolicy: {
        local: { requests: 100, unit: "second" },
        global: { descriptors: [{ entries: [{ remoteAddress: {} }] }] },
      },
      ipAllowPolicy: [{ source: "Peer", cidr: "127.0.0.0/8" }],
    },
    routes: [
      {
        enableWebsockets: true,
        services: [{ name: "a", port: 80 }],
        cookieRewritePolicies: [{ name: "x", secure: true }],
        timeoutPolicy: { response: "1s" },
        retryPolicy: { count: 2 },
        loadBalancerPolicy: { strategy: "Cookie" },
        requestHeadersPolicy: { set: [{ name: "x-a", value: "1" }] },
        internalRedirectPolicy: {},
      },
    ],
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [proxy, ...auth.objects, ...limiter.objects],
    settings: {
      globalExtAuth: { extensionService: "infra/auth" },
      rateLimitService: { extensionService: "infra/rls" },
    },
  });

  const answer = await webSocket(rig.httpPort, "ws.test", "/", "hello");
  expect(answer).toEqual({ status: 101, service: "a", echo: "hello" });
  expect([auth.requests.length, limiter.requests.length]).toEqual([1, 1]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("spans reach an OpenTelemetry collector, with their tags", async () => {
  const collector = await startCollector();
  const backend = await startHttp("b");
  const proxy = httpProxy("default", "b", { virtualhost: { fqdn: "b.test" }, routes: [{ services }] });
  const rig = await startRig({
    backends: [],
    objects: [...backend.objects, ...collector.objects, proxy],
    settings: {
      tracing: {
        extensionService: "infra/otel",
        serviceName: "edge-of-tests",
        includePodDetail: false,
        customTags: [
          { tagName: "team", literal: "web-team" },
          { tagName: "id", requestHeaderName: "x-id" },
        ],
      },
    },
  });

  for (let i = 0; i < 6; i += 1) await ask(rig, `/path-${i}`, { "x-id": `id-${i}` });
  const sent = (): string => Buffer.concat(collector.requests).toString("latin1");
  await eventually(async () => sent().includes("id-0"), "the first span has arrived");
  for (const what of ["edge-of-tests", "web-team", "path-0", "b.test"]) expect(sent()).toContain(what);
  expect(backend.requests[0]?.headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(await rig.envoy.rejected()).toEqual([]);
});
