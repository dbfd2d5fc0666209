import { expect, onTestFinished, test } from "vitest";
import { endpointSlice, hostProxy, service, startTlsEcho, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import {
  backendRefs,
  gateway,
  gatewayRoute,
  gatewaySettings,
  listener,
  onPort,
  type TestListener,
} from "../support/gateway.js";
import { freePort, request, tcpExchange, tlsExchange } from "../support/http.js";
import { startRig } from "../support/isoline.js";

/** The service that responds, or the status without one. */
async function served(
  { port }: TestListener,
  host: string,
  path = "/",
  more: { sni?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  const answer = await request({ port, host, path, ...more });
  return answer.status === 200 ? answer.echo().service : String(answer.status);
}

const route = (hosts: readonly string[], to: string, section?: string) =>
  gatewayRoute(
    "HTTPRoute",
    `${to}-${hosts.join("-").replaceAll("*", "any")}`,
    { hostnames: hosts, rules: [{ backendRefs: backendRefs(to) }] },
    section,
  );

test("a route moves from one listener to another, and a listener from one hostname to another", async () => {
  const one = await listener("one", "HTTP");
  const two = await listener("two", "HTTP");
  const { isoline, envoy } = await startRig({
    backends: ["a", "b"],
    objects: [...gateway(one.spec, two.spec), route(["both.test"], "b"), hostProxy("proxy.test", "a")],
    settings: gatewaySettings,
  });
  await isoline.apply("mover", route(["moves.test"], "a", "one"));
  await eventually(async () => (await served(one, "moves.test")) === "a", "the route on one");
  expect(await served(two, "moves.test")).toBe("404");
  expect(await served(two, "both.test")).toBe("b");

  await isoline.apply("mover", route(["moves.test"], "a", "two"));
  await eventually(async () => (await served(two, "moves.test")) === "a", "the route on two");
  await eventually(async () => (await served(one, "moves.test")) === "404", "nothing more on one");
  expect(await envoy.rejected()).toEqual([]);
});

test("filters: headers, redirects, rewrites, mirrors; and requests with an unknown filter are not forwarded", async () => {
  const web = await listener("web", "HTTP");
  const filter = (type: string, of: object) => {
    const field = type === "URLRewrite" ? "urlRewrite" : `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
    return { type, [field]: of };
  };
  const rule = (path: string, filters: readonly object[], more: object = {}) => ({
    matches: [{ path: { type: "PathPrefix", value: path } }],
    filters,
    backendRefs: backendRefs("a"),
    ...more,
  });
  const { envoy, backends } = await startRig({
    backends: ["a", "b"],
    objects: [
      ...gateway(web.spec),
      gatewayRoute("HTTPRoute", "filters", {
        hostnames: ["f.test"],
        rules: [
          rule("/headers", [
            filter("RequestHeaderModifier", {
              set: [{ name: "X-Set", value: "100%" }],
              add: [{ name: "X-Add", value: "more" }],
              remove: ["X-Gone"],
            }),
            filter("ResponseHeaderModifier", { set: [{ name: "X-Answer", value: "yes" }] }),
          ]),
          rule("/moved", [
            filter("RequestRedirect", {
              hostname: "new.test",
              statusCode: 301,
              path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" },
            }),
          ]),
          rule("/strip", [
            filter("URLRewrite", {
              hostname: "inside.test",
              path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" },
            }),
          ]),
          rule("/whole", [
            filter("URLRewrite", { path: { type: "ReplaceFullPath", replaceFullPath: "/back\\1slash" } }),
          ]),
          rule("/mirror", [filter("RequestMirror", { backendRef: { name: "b", port: 80 } })]),
          rule("/unknown", [{ type: "ExtensionRef", extensionRef: { group: "x", kind: "Auth", name: "y" } }]),
          rule("/missing", [], { backendRefs: backendRefs("nobody") }),
        ],
      }),
    ],
    settings: gatewaySettings,
  });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    request({ port: web.port, host: "f.test", path, headers });
  const changed = await ask("/headers", { "x-gone": "1", "x-add": "one", "x-set": "old" });
  expect(changed.headers["x-answer"]).toBe("yes");
  expect(changed.echo().headers).toMatchObject({ "x-set": "100%", "x-add": "one, more" });
  expect(changed.echo().headers["x-gone"]).toBeUndefined();
  const moved = await ask("/moved//x?q=1");
  expect([moved.status, moved.headers.location]).toEqual([301, `http://new.test:${web.port - 8000}/x?q=1`]);
  expect((await ask("/strip/x")).echo()).toMatchObject({ path: "/x", host: "inside.test" });
  expect((await ask("/strip")).echo().path).toBe("/");
  expect((await ask("/whole/x?q=1")).echo().path).toBe("/back\\1slash?q=1");
  const before = backends.of.get("b")?.count();
  expect((await ask("/mirror")).echo().service).toBe("a");
  await eventually(async () => backends.of.get("b")?.count() === (before ?? 0) + 1, "the copy");
  expect((await ask("/unknown")).status).toBe(500);
  expect((await ask("/missing")).status).toBe(500);
  expect(await envoy.rejected()).toEqual([]);
});

test("TLS: a certificate per listener, SNI and Host must agree, TLSRoutes, TCPRoutes and an invalid listener beside valid ones", async () => {
  const echo = await startTlsEcho("pass");
  onTestFinished(() => echo.close());
  const secure = await listener("secure", "HTTPS");
  const tls = (name: string, namespace?: string) => ({
    tls: { certificateRefs: [{ name, ...(namespace ? { namespace } : {}) }] },
  });
  const at = (name: string, protocol: string, more: object) =>
    onPort(secure.port, name, protocol, { ...more });
  const tcp = await listener("plain", "TCP");
  const { envoy } = await startRig({
    backends: ["a", "b", "tcp-echo"],
    objects: [
      tlsSecret("infra", "secure"),
      tlsSecret("far", "tcp"),
      ...gateway(
        at("exact", "HTTPS", { hostname: "secure.test", ...tls("secure") }),
        at("far", "HTTPS", { hostname: "*.far.test", ...tls("tcp", "far") }),
        at("not-granted", "HTTPS", { hostname: "stolen.test", ...tls("other", "far") }),
        at("missing", "HTTPS", { hostname: "missing.test", ...tls("nobody") }),
        at("pass", "TLS", { hostname: "pass.test", tls: { mode: "Passthrough" } }),
        tcp.spec,
      ),
      {
        apiVersion: "gateway.networking.k8s.io/v1beta1",
        kind: "ReferenceGrant",
        metadata: { namespace: "far", name: "certificate" },
        spec: {
          from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "infra" }],
          to: [{ group: "", kind: "Secret", name: "tcp" }],
        },
      },
      route(["secure.test", "x.far.test", "missing.test", "stolen.test"], "a"),
      gatewayRoute("TLSRoute", "pass", {
        hostnames: ["pass.test"],
        rules: [{ backendRefs: backendRefs("pass-echo") }],
      }),
      gatewayRoute("TCPRoute", "plain", { rules: [{ backendRefs: backendRefs("tcp-echo") }] }, "plain"),
      service("default", "pass-echo"),
      endpointSlice("default", "pass-echo", echo.port),
    ],
    settings: gatewaySettings,
  });
  const ask = (host: string, sni = host) => request({ port: secure.port, host, sni });
  const exact = await ask("secure.test");
  expect([exact.certificate, exact.echo().service]).toEqual(["secure.test", "a"]);
  expect((await ask("x.far.test")).certificate).toBe("tcp.test");
  expect((await ask("x.far.test", "secure.test")).status).toBe(421);
  await expect(ask("missing.test")).rejects.toThrow();
  await expect(ask("stolen.test")).rejects.toThrow();
  expect(await tlsExchange(secure.port, "pass.test", "ping")).toEqual({
    certificate: "pass.test",
    received: "pass\nping",
  });
  expect(await tcpExchange(tcp.port, "ping")).toBe("tcp-echo\nping");
  expect(await envoy.rejected()).toEqual([]);
});

test("a Gateway of a class: hosts belong to their listener, over plain HTTP and behind TLS", async () => {
  const [web, secure] = [await freePort(), await freePort()];
  const controllerName = "isoline.dev/gateway-controller";
  const all = { namespaces: { from: "All" } };
  const https = (name: string, hostname?: string) => ({
    name,
    protocol: "HTTPS",
    port: secure,
    allowedRoutes: all,
    tls: { certificateRefs: [{ name: "secure" }] },
    ...(hostname ? { hostname } : {}),
  });
  const [, edge] = gateway(
    { name: "web", protocol: "HTTP", port: web, allowedRoutes: all },
    { name: "closed", protocol: "HTTP", port: web, allowedRoutes: all, hostname: "*.closed.test" },
    https("any"),
    https("wild", "*.wild.test"),
  );
  const { envoy } = await startRig({
    backends: ["a", "b"],
    objects: [
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "GatewayClass",
        metadata: { name: "contour" },
        spec: { controllerName },
      },
      { ...edge, spec: { ...(edge?.spec as object), addresses: [{ value: "127.0.0.1" }] } },
      tlsSecret("infra", "secure"),
      route(["a.test"], "a"),
      route(["a.closed.test"], "a", "web"),
      route(["b.wild.test"], "b", "wild"),
    ],
    settings: { gateway: { controllerName, staticAddresses: ["127.0.0.0/8"] } },
  });
  const over = async (sni: string | undefined, host: string): Promise<string> =>
    served({ port: sni === undefined ? web : secure, spec: {} }, host, "/", sni === undefined ? {} : { sni });
  await eventually(async () => (await over(undefined, "a.test")) === "a", "the Gateway is served");
  await eventually(async () => (await over("b.wild.test", "b.wild.test")) === "b", "its TLS, too");
  expect(await over(undefined, "a.closed.test")).toBe("404");
  expect(await over(undefined, "nobody.test")).toBe("404");
  expect(await over("a.test", "a.test")).toBe("a");
  expect(await over("other.test", "a.test")).toBe("a");
  expect(await over("", "a.test")).toBe("a");
  expect(await over("a.test", "b.wild.test")).toBe("421");
  expect(await over("b.wild.test", "a.test")).toBe("421");
  expect(await over("c.wild.test", "b.wild.test")).toBe("b");
  expect(await over("c.wild.test", "c.wild.test")).toBe("404");
  expect(await envoy.rejected()).toEqual([]);
});
