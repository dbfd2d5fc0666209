import { expect, test } from "vitest";
import { hostProxy, httpProxy, ingressRoute, type Manifest } from "../support/backend.js";
import { isOpen, request, webSocket } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const to = (name: string): readonly Manifest[] => [{ name, port: 80 }];

async function answeredBy(rig: Rig, host: string, path: string): Promise<string> {
  const answer = await request({ port: rig.httpPort, host, path });
  return answer.status === 200 ? answer.echo().service : String(answer.status);
}

test("HTTPProxy: prefixes, exact paths, header conditions, rewrites, header policies, includes", async () => {
  const root = httpProxy("default", "root", {
    virtualhost: { fqdn: "proxy.test" },
    includes: [{ name: "child", conditions: [{ prefix: "/child" }] }],
    routes: [
      { services: to("a") },
      { conditions: [{ prefix: "/b" }], services: to("b") },
      { conditions: [{ exact: "/b/exact" }], services: to("a") },
      { conditions: [{ prefix: "/b" }, { header: { name: "x-to", exact: "a" } }], services: to("a") },
      {
        conditions: [{ prefix: "/api" }],
        services: to("b"),
        pathRewritePolicy: { replacePrefix: [{ replacement: "/v1" }] },
        requestHeadersPolicy: { set: [{ name: "x-api", value: "100%" }] },
        responseHeadersPolicy: { set: [{ name: "x-answer", value: "yes" }] },
      },
    ],
  });
  const child = httpProxy("default", "child", { routes: [{ services: to("b") }] });
  const rig = await startRig({ backends: ["a", "b"], objects: [root, child] });

  expect(await answeredBy(rig, "proxy.test", "/")).toBe("a");
  expect(await answeredBy(rig, "proxy.test", "/b/deeper")).toBe("b");
  expect(await answeredBy(rig, "proxy.test", "/b/exact")).toBe("a");
  expect(await answeredBy(rig, "proxy.test", "/child/x")).toBe("b");
  expect(await answeredBy(rig, "PROXY.test:1234", "/b")).toBe("b");
  expect(await answeredBy(rig, "unknown.test", "/")).toBe("404");
  const byHeader = await request({
    port: rig.httpPort,
    host: "proxy.test",
    path: "/b",
    headers: { "x-to": "a" },
  });
  expect(byHeader.echo().service).toBe("a");
  const api = await request({ port: rig.httpPort, host: "proxy.test", path: "/api/x" });
  expect(api.echo()).toMatchObject({ service: "b", path: "/v1/x", headers: { "x-api": "100%" } });
  expect(api.headers["x-answer"]).toBe("yes");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("HTTPProxy: a regular expression rewrites the path of any condition, and keeps the query", async () => {
  const route = (conditions: readonly Manifest[], regex: string, replacement: string): Manifest => ({
    conditions,
    services: to("a"),
    pathRewritePolicy: { replaceRegex: { regex, replacement } },
  });
  const proxy = httpProxy("default", "rewritten", {
    virtualhost: { fqdn: "rewritten.test" },
    routes: [
      route([{ regex: "/api/v[0-9]+/.*" }], "^/api/(v[0-9]+)/(.*)$", "/\\2/\\1"),
      route([{ exact: "/one" }], "^.*$", "/other"),
      route([{ prefix: "/Under" }], "(?i)_u", "/u"),
      route([{ prefix: "/cut" }], "^/cut(/.*)", "\\1"),
    ],
  });
  const rig = await startRig({ backends: ["a"], objects: [proxy] });
  const pathOf = async (path: string): Promise<string> =>
    (await request({ port: rig.httpPort, host: "rewritten.test", path })).echo().path;

  expect(await pathOf("/api/v2/items/1?q=/api/v3/x")).toBe("/items/1/v2?q=/api/v3/x");
  expect(await pathOf("/one")).toBe("/other");
  expect(await pathOf("/Under_Use_u")).toBe("/Under/use/u");
  expect(await pathOf("/cut/x")).toBe("/x");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("IngressRoute: routes, and a delegation to an object of another namespace", async () => {
  const root = ingressRoute("default", "root", {
    virtualhost: { fqdn: "route.test" },
    routes: [
      { match: "/", services: to("a") },
      { match: "/team", delegate: { name: "team", namespace: "default" } },
    ],
  });
  const team = ingressRoute("default", "team", { routes: [{ match: "/team", services: to("b") }] });
  const rig = await startRig({ backends: ["a", "b"], objects: [root, team] });

  expect(await answeredBy(rig, "route.test", "/x")).toBe("a");
  expect(await answeredBy(rig, "route.test", "/team/x")).toBe("b");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("Ingress: prefixes by segment, exact paths, a default backend", async () => {
  const backend = (name: string): Manifest => ({ service: { name, port: { number: 80 } } });
  const rules = [
    {
      host: "ingress.test",
      http: {
        paths: [
          { path: "/", pathType: "Prefix", backend: backend("a") },
          { path: "/b", pathType: "Prefix", backend: backend("b") },
          { path: "/b/exact", pathType: "Exact", backend: backend("a") },
        ],
      },
    },
  ];
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "default", name: "ingress" },
    spec: { defaultBackend: backend("b"), rules },
  };
  const rig = await startRig({ backends: ["a", "b"], objects: [ingress] });

  expect(await answeredBy(rig, "ingress.test", "/")).toBe("a");
  expect(await answeredBy(rig, "ingress.test", "/b/x")).toBe("b");
  expect(await answeredBy(rig, "ingress.test", "/bx")).toBe("a");
  expect(await answeredBy(rig, "ingress.test", "/b/exact")).toBe("a");
  expect(await answeredBy(rig, "any.test", "/")).toBe("b");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a websocket works only if the route allows it", async () => {
  const proxy = httpProxy("default", "ws", {
    virtualhost: { fqdn: "ws.test" },
    routes: [
      { conditions: [{ prefix: "/ws" }], enableWebsockets: true, services: to("a") },
      { conditions: [{ prefix: "/plain" }], services: to("a") },
    ],
  });
  const rig = await startRig({ backends: ["a"], objects: [proxy] });

  expect(await webSocket(rig.httpPort, "ws.test", "/ws", "hello")).toEqual({
    status: 101,
    service: "a",
    echo: "hello",
  });
  expect((await webSocket(rig.httpPort, "ws.test", "/plain", "hello")).status).toBe(403);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("an invalid object does not affect others, and a host without TLS opens no HTTPS port", async () => {
  const bad = httpProxy("default", "bad", {
    virtualhost: { fqdn: "bad.test" },
    routes: [{ conditions: [{ prefix: "no-slash" }], services: to("a") }],
  });
  const rig = await startRig({ backends: ["a"], objects: [bad, hostProxy("good.test", "a")] });

  expect(await answeredBy(rig, "good.test", "/")).toBe("a");
  expect(await answeredBy(rig, "bad.test", "/")).not.toBe("a");
  expect(await isOpen(rig.httpsPort)).toBe(false);
  expect(await rig.envoy.rejected()).toEqual([]);
});
