import { expect, test } from "vitest";
import { certificate, certificateFile, type Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, listener } from "../support/gateway.js";
import { request } from "../support/http.js";
import { startHttp } from "../support/http-server.js";
import { startRig } from "../support/isoline.js";
import { startAuthorization } from "../support/services.js";

const auth = (fields: Manifest): Manifest => ({ type: "ExternalAuth", externalAuth: fields });

const rule = (path: string, filters: readonly Manifest[], more: Manifest = {}): Manifest => ({
  matches: [{ path: { type: "PathPrefix", value: path } }],
  filters,
  backendRefs: backendRefs("a"),
  ...more,
});

const httpAuth = (name: string, http: Manifest = {}, more: Manifest = {}): Manifest =>
  auth({ protocol: "HTTP", backendRef: { name, port: 80 }, http, ...more });

const grant: Manifest = {
  apiVersion: "gateway.networking.k8s.io/v1beta1",
  kind: "ReferenceGrant",
  metadata: { namespace: "infra", name: "auth" },
  spec: {
    from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default" }],
    to: [{ group: "", kind: "Service", name: "auth" }],
  },
};

test("ExternalAuth over HTTP: path, headers and bodies as asked, also for redirects; refused where it can't be asked", async () => {
  const web = await listener("web", "HTTP");
  const door = await startHttp("door", ({ headers }, response) => {
    const known = headers.authorization === "let me in" || headers["x-user"] === "eve";
    response.writeHead(known ? 200 : 401, { "x-checked": "yes", "x-more": "1", "content-type": "text/door" });
    response.end(known ? "" : "who?");
  });
  const tls = await startHttp("tls-door", (_, response) => void response.end(), certificate("backend"));
  const rig = await startRig({
    backends: ["a"],
    objects: [
      ...door.objects,
      ...tls.objects,
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: "default", name: "ca" },
        data: { "ca.crt": certificateFile("ca.crt") },
      },
      {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "BackendTLSPolicy",
        metadata: { namespace: "default", name: "tls-door" },
        spec: {
          targetRefs: [{ group: "", kind: "Service", name: "tls-door" }],
          validation: {
            caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }],
            hostname: "backend.test",
          },
        },
      },
      ...gateway(web.spec),
      gatewayRoute("HTTPRoute", "auth", {
        hostnames: ["auth.test"],
        rules: [
          rule("/plain", [httpAuth("door")]),
          rule("/some", [
            httpAuth("door", {
              path: "/check",
              allowedHeaders: ["X-User"],
              allowedResponseHeaders: ["X-Checked"],
            }),
          ]),
          rule("/body", [httpAuth("door", { allowedHeaders: ["x-user"] }, { forwardBody: { maxSize: 10 } })]),
          rule(
            "/moved",
            [
              httpAuth("door"),
              { type: "RequestRedirect", requestRedirect: { hostname: "new.test", statusCode: 301 } },
            ],
            { backendRefs: [] },
          ),
          rule("/tls", [httpAuth("tls-door")]),
          rule("/missing", [httpAuth("nobody")]),
          rule("/", []),
        ],
      }),
    ],
    settings: gatewaySettings,
  });
  const ask = (path: string, headers: Record<string, string> = {}, body?: string) =>
    request({
      port: web.port,
      host: "auth.test",
      path,
      headers,
      ...(body === undefined ? {} : { method: "POST", body }),
    });
  const allowed = { authorization: "let me in" };

  const refused = await ask("/plain/x?y=1", { "x-user": "eve" });
  expect([refused.status, refused.body]).toEqual([401, "who?"]);
  expect(door.requests.at(-1)).toMatchObject({ method: "GET", path: "/plain/x?y=1" });
  expect(door.requests.at(-1)?.headers).toMatchObject({ host: "auth.test", "content-length": "0" });
  expect(door.requests.at(-1)?.headers["x-user"]).toBeUndefined();
  // The body of the client is its own, whatever length the answer of the service has.
  const plain = await ask("/plain", { ...allowed, "content-type": "text/own" }, "twelve bytes");
  expect(plain.echo().headers).toMatchObject({
    "x-checked": "yes",
    "x-more": "1",
    "content-length": "12",
    "content-type": "text/own",
  });
  expect(plain.echo().host).toBe("auth.test");

  const some = await ask("/some/x", { "x-user": "eve", "x-other": "1" });
  expect([some.status, door.requests.at(-1)?.path]).toEqual([200, "/check/some/x"]);
  expect(door.requests.at(-1)?.headers["x-other"]).toBeUndefined();
  expect([some.echo().headers["x-checked"], some.echo().headers["x-more"]]).toEqual(["yes", undefined]);

  expect((await ask("/body", { "x-user": "eve" }, "ten bytes!")).status).toBe(200);
  expect(door.requests.at(-1)?.body).toBe("ten bytes!");
  expect((await ask("/body", { "x-user": "eve" }, "eleven byte")).status).toBe(413);

  expect((await ask("/moved")).status).toBe(401);
  expect((await ask("/moved", allowed)).headers.location).toBe(`http://new.test:${web.port - 8000}/moved`);

  expect((await ask("/tls")).status).toBe(200);
  expect(tls.requests.at(-1)?.sni).toBe("backend.test");
  expect((await ask("/missing", allowed)).status).toBe(500);
  expect((await ask("/open")).status).toBe(200);

  const answered = door.requests.length;
  await rig.isoline.apply("moved", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "nobody" },
    spec: { ports: [{ port: 80, protocol: "TCP" }] },
  });
  // Without endpoints the service can't answer: requests stay refused.
  await eventually(async () => (await ask("/missing", allowed)).status === 500, "refused");
  expect(door.requests.length).toBe(answered);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("ExternalAuth over gRPC: all headers or those of a list, with a ReferenceGrant", async () => {
  const web = await listener("web", "HTTP");
  const service = await startAuthorization(({ headers }) =>
    headers["x-user"]
      ? { allow: true, headers: { "x-checked": "yes" } }
      : { allow: false, status: 401, body: "who?" },
  );
  const of = (grpc: Manifest) =>
    auth({ protocol: "GRPC", backendRef: { namespace: "infra", name: "auth", port: 80 }, grpc });
  const rig = await startRig({
    backends: ["a"],
    objects: [
      ...service.objects,
      ...gateway(web.spec),
      gatewayRoute("HTTPRoute", "auth", {
        hostnames: ["grpc.test"],
        rules: [rule("/all", [of({})]), rule("/one", [of({ allowedHeaders: ["x-user"] })])],
      }),
    ],
    settings: gatewaySettings,
  });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    request({ port: web.port, host: "grpc.test", path, headers });
  expect((await ask("/all")).status).toBe(500);
  await rig.isoline.apply("grant", grant);
  await eventually(async () => (await ask("/all")).body === "who?", "the granted service");
  const allowed = await ask("/all", { "x-user": "eve", "x-other": "1" });
  expect([allowed.status, allowed.echo().headers["x-checked"]]).toEqual([200, "yes"]);
  expect(service.requests.at(-1)?.headers).toMatchObject({ "x-user": "eve", "x-other": "1" });
  expect((await ask("/one", { "x-user": "eve", "x-other": "1" })).status).toBe(200);
  expect(service.requests.at(-1)?.headers["x-other"]).toBeUndefined();

  await rig.isoline.remove("grant");
  await eventually(
    async () => (await ask("/all", { "x-user": "eve" })).status === 500,
    "refused without the grant",
  );
  expect(await rig.envoy.rejected()).toEqual([]);
});
