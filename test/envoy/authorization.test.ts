import { expect, test } from "vitest";
import { extensionService, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { type Answer, freePort, request } from "../support/http.js";
import { startHttp } from "../support/http-server.js";
import { type Rig, startRig } from "../support/isoline.js";
import { startAuthorization } from "../support/services.js";

const services = [{ name: "a", port: 80 }];
const extensionRef = { name: "auth", namespace: "infra" };

/** A host over TLS with an authorization service, and its routes. */
const guarded = (
  fqdn: string,
  authorization: Manifest,
  routes: readonly Manifest[] = [{ services }],
): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn, tls: { secretName: "secure" }, authorization: { extensionRef, ...authorization } },
    routes,
  });

const ask = (
  rig: Rig,
  host: string,
  path = "/",
  more: { headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> =>
  request({ port: rig.httpsPort, sni: host, host, path, ...(more.body ? { method: "POST" } : {}), ...more });

test("gRPC: allowed, denied with the service's own response, context by host and route, disabled by route", async () => {
  const auth = await startAuthorization(({ headers }) =>
    headers["x-user"]
      ? { allow: true, headers: { "x-checked": "yes" } }
      : { allow: false, status: 401, body: "who?" },
  );
  const proxy = guarded("a.test", { authPolicy: { context: { host: "a", level: "low" } } }, [
    { services },
    { conditions: [{ prefix: "/high" }], services, authPolicy: { context: { level: "high" } } },
    { conditions: [{ prefix: "/open" }], services, permitInsecure: true, authPolicy: { disabled: true } },
    { conditions: [{ prefix: "/insecure" }], services, permitInsecure: true },
    { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 202 } },
  ]);
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("default", "secure"), proxy, ...auth.objects],
  });
  const user = { headers: { "x-user": "eve" } };

  const denied = await ask(rig, "a.test");
  expect([denied.status, denied.body]).toEqual([401, "who?"]);
  const allowed = await ask(rig, "a.test", "/x?y=1", user);
  expect([allowed.status, allowed.echo().headers["x-checked"]]).toEqual([200, "yes"]);
  expect(auth.requests.at(-1)).toMatchObject({
    host: "a.test",
    path: "/x?y=1",
    method: "GET",
    context: { host: "a", level: "low" },
  });
  expect((await ask(rig, "a.test", "/high", user)).status).toBe(200);
  expect(auth.requests.at(-1)?.context).toEqual({ host: "a", level: "high" });
  expect((await ask(rig, "a.test", "/fixed")).status).toBe(401);
  expect((await ask(rig, "a.test", "/fixed", user)).status).toBe(202);

  const asked = auth.requests.length;
  expect((await ask(rig, "a.test", "/open")).status).toBe(200);
  expect((await request({ port: rig.httpPort, host: "a.test", path: "/open" })).status).toBe(200);
  expect((await request({ port: rig.httpPort, host: "a.test", path: "/insecure" })).status).toBe(301);
  expect(auth.requests.length).toBe(asked);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("gRPC: the service receives the body up to its limit, as text or bytes", async () => {
  const auth = await startAuthorization(() => ({ allow: true }));
  const objects = [
    tlsSecret("default", "secure"),
    guarded("text.test", { withRequestBody: { maxRequestBytes: 8, allowPartialMessage: true } }),
    guarded("bytes.test", { withRequestBody: { maxRequestBytes: 8, packAsBytes: true } }),
    guarded("none.test", {}),
    ...auth.objects,
  ];
  const rig = await startRig({ backends: ["a"], objects });

  expect((await ask(rig, "text.test", "/", { body: "0123456789" })).status).toBe(200);
  expect(auth.requests.at(-1)?.body).toBe("01234567");
  expect((await ask(rig, "bytes.test", "/", { body: "012345" })).status).toBe(200);
  expect(auth.requests.at(-1)?.body).toBe("012345");
  expect((await ask(rig, "bytes.test", "/", { body: "0123456789" })).status).toBe(413);
  expect((await ask(rig, "none.test", "/", { body: "012345" })).status).toBe(200);
  expect(auth.requests.at(-1)?.body).toBe("");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("the service is unavailable or slow: 403, or 200 with failOpen", async () => {
  const slow = await startHttp("slow", () => undefined);
  const objects = [
    tlsSecret("default", "secure"),
    guarded("shut.test", {}),
    guarded("open.test", { failOpen: true }),
    guarded("slow.test", {
      serviceType: "http",
      responseTimeout: "100ms",
      extensionRef: { name: "slow", namespace: "infra" },
    }),
    ...extensionService("auth", await freePort()),
    ...extensionService("slow", slow.port, { protocol: "http/1.1" }),
  ];
  const rig = await startRig({ backends: ["a"], objects });

  expect((await ask(rig, "shut.test")).status).toBe(403);
  expect((await ask(rig, "open.test")).status).toBe(200);
  expect((await ask(rig, "slow.test")).status).toBe(403);
  expect(slow.requests.length).toBe(1);
  expect(rig.backends.of.get("a")?.count()).toBe(1);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("HTTP: the path prefix, the headers for the service, the headers for the backend", async () => {
  const auth = await startHttp("auth", ({ headers }, response) => {
    const allowed = headers.cookie === "token=good";
    response.writeHead(allowed ? 200 : 402, { "x-user": "eve", "x-role-name": "admin", "x-other": "1" });
    response.end(allowed ? "" : "pay first");
  });
  const proxy = guarded("http.test", {
    serviceType: "http",
    httpSettings: {
      pathPrefix: "/check",
      allowedAuthorizationHeaders: [{ exact: "cookie" }, { prefix: "X-Tell", ignoreCase: true }],
      allowedUpstreamHeaders: [{ suffix: "-user" }, { contains: "role" }],
    },
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [
      tlsSecret("default", "secure"),
      proxy,
      ...extensionService("auth", auth.port, { protocol: "http/1.1" }),
    ],
  });

  const headers = { cookie: "token=good", "x-tell-me": "1", "x-hidden": "1", authorization: "Basic x" };
  const allowed = await ask(rig, "http.test", "/a/b?c=d", { headers });
  expect(allowed.status).toBe(200);
  expect(allowed.echo().headers).toMatchObject({ "x-user": "eve", "x-role-name": "admin" });
  expect(allowed.echo().headers).not.toHaveProperty("x-other");
  const asked = auth.requests.at(-1);
  expect(asked?.path).toBe("/check/a/b?c=d");
  expect(asked?.headers).toMatchObject({ host: "http.test", cookie: "token=good", "x-tell-me": "1" });
  expect(asked?.headers).not.toHaveProperty("x-hidden");
  const denied = await ask(rig, "http.test");
  expect([denied.status, denied.body]).toEqual([402, "pay first"]);
  expect(rig.backends.of.get("a")?.count()).toBe(1);
  expect(await rig.envoy.rejected()).toEqual([]);
});
