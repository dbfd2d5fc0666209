import { expect, test } from "vitest";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { startAuthorization } from "../support/services.js";

const services = [{ name: "a", port: 80 }];

const ingress: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "ingress" },
  spec: {
    rules: [
      {
        host: "ingress.test",
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
};

const secure = httpProxy("default", "secure", {
  virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
  routes: [{ services }, { conditions: [{ prefix: "/plain" }], services, permitInsecure: true }],
});

/** An ExtensionService with another name for the Service `infra/auth`. */
const extensionAlias = (name: string): Manifest => ({
  apiVersion: "projectcontour.io/v1alpha1",
  kind: "ExtensionService",
  metadata: { namespace: "infra", name },
  spec: { services: [{ name: "auth", port: 80 }], protocol: "h2c" },
});

const hosts = [tlsSecret("default", "secure"), hostProxy("plain.test", "a"), secure, ingress];

const plain = async (rig: Rig, host: string, path = "/", headers = {}): Promise<number> =>
  (await request({ port: rig.httpPort, host, path, headers })).status;
const overTls = async (rig: Rig, host: string, path = "/", headers = {}): Promise<number> =>
  (await request({ port: rig.httpsPort, sni: host, host, path, headers })).status;

test("globalExtAuth protects plain HTTP, HTTPS and Ingress; hosts and routes may be excluded or add context", async () => {
  const auth = await startAuthorization(({ headers }) =>
    headers["x-user"] ? { allow: true } : { allow: false, status: 401 },
  );
  const off = httpProxy("default", "off", {
    virtualhost: { fqdn: "off.test", authorization: { authPolicy: { disabled: true } } },
    routes: [{ services }, { conditions: [{ prefix: "/on" }], services, authPolicy: { disabled: false } }],
  });
  const more = httpProxy("default", "more", {
    virtualhost: { fqdn: "more.test", authorization: { authPolicy: { context: { host: "more" } } } },
    routes: [
      { services, authPolicy: { context: { route: "root" } } },
      { conditions: [{ prefix: "/off" }], services, authPolicy: { disabled: true } },
    ],
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [...hosts, off, more, ...auth.objects],
    settings: { globalExtAuth: { extensionService: "infra/auth", authPolicy: { context: { all: "yes" } } } },
  });
  const user = { "x-user": "eve" };

  expect(await plain(rig, "plain.test")).toBe(401);
  expect(await plain(rig, "plain.test", "/", user)).toBe(200);
  expect(auth.requests.at(-1)?.context).toEqual({ all: "yes" });
  expect(await plain(rig, "ingress.test")).toBe(401);
  expect(await plain(rig, "ingress.test", "/", user)).toBe(200);
  expect(await overTls(rig, "secure.test")).toBe(401);
  expect(await overTls(rig, "secure.test", "/", user)).toBe(200);
  expect(await plain(rig, "secure.test", "/plain")).toBe(401);
  expect(await plain(rig, "secure.test", "/plain", user)).toBe(200);
  expect(await plain(rig, "secure.test")).toBe(301);

  expect(await plain(rig, "off.test")).toBe(200);
  expect(await plain(rig, "off.test", "/on")).toBe(401);
  expect(await plain(rig, "more.test", "/off")).toBe(200);
  expect(await plain(rig, "more.test")).toBe(401);
  expect(auth.requests.at(-1)?.context).toEqual({ host: "more", route: "root" });
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a globalExtAuth whose ExtensionService is missing: 403 on all hosts, and Envoy refuses nothing", async () => {
  const rig = await startRig({
    backends: ["a"],
    objects: hosts,
    settings: { globalExtAuth: { extensionService: "infra/nowhere" } },
  });

  expect(await plain(rig, "plain.test")).toBe(403);
  expect(await plain(rig, "ingress.test")).toBe(403);
  expect(await overTls(rig, "secure.test")).toBe(403);
  expect(await plain(rig, "secure.test", "/plain")).toBe(403);
  expect(rig.backends.of.get("a")?.count()).toBe(0);
  expect(await rig.envoy.rejected()).toEqual([]);

  expect(rig.isoline.log()).toContain("ExtensionServiceNotFound");

  const auth = await startAuthorization(() => ({ allow: true }));
  await rig.isoline.apply("auth", ...auth.objects);
  await rig.isoline.apply("nowhere", extensionAlias("nowhere"));
  await eventually(
    async () => (await plain(rig, "plain.test")) === 200,
    "the service is asked once it is there",
  );
  expect(await overTls(rig, "secure.test")).toBe(200);
  expect(await rig.envoy.rejected()).toEqual([]);
});
