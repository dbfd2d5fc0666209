import { expect, test } from "vitest";
import { httpProxy, type Manifest } from "../support/backend.js";
import { type Answer, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

const services = [{ name: "a", port: 80 }];
const host = (fqdn: string, corsPolicy: Manifest): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn, corsPolicy },
    routes: [{ services }],
  });

test("CORS: responses to preflights by Envoy, headers on simple requests; exact, regex and any origins", async () => {
  const allowMethods = ["GET", "PUT"];
  const rig = await startRig({
    backends: ["a"],
    objects: [
      host("exact.test", {
        allowOrigin: ["https://one.test:8443", "http://two.test"],
        allowMethods,
        allowHeaders: ["x-a", "x-b"],
        exposeHeaders: ["x-c"],
        maxAge: "10m",
        allowCredentials: true,
        allowPrivateNetwork: true,
      }),
      host("regex.test", { allowOrigin: ["https://[a-z]+\\.one\\.test"], allowMethods, maxAge: "0s" }),
      host("any.test", { allowOrigin: ["*"], allowMethods }),
    ],
  });
  const ask = (fqdn: string, origin: string, method = "GET", headers = {}): Promise<Answer> =>
    request({ port: rig.httpPort, host: fqdn, method, headers: { origin, ...headers } });
  const preflight = (fqdn: string, origin: string, headers = {}): Promise<Answer> =>
    ask(fqdn, origin, "OPTIONS", { "access-control-request-method": "PUT", ...headers });
  const told = ({ headers }: Answer): Record<string, unknown> =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")));
  const served = (): number => rig.backends.of.get("a")?.count() ?? 0;

  const network = { "access-control-request-private-network": "true" };
  const full = await preflight("exact.test", "https://one.test:8443", network);
  expect([full.status, served()]).toEqual([200, 0]);
  expect(told(full)).toEqual({
    "access-control-allow-origin": "https://one.test:8443",
    "access-control-allow-methods": "GET,PUT",
    "access-control-allow-headers": "x-a,x-b",
    "access-control-expose-headers": "x-c",
    "access-control-max-age": "600",
    "access-control-allow-credentials": "true",
    "access-control-allow-private-network": "true",
  });
  const simple = await ask("exact.test", "http://two.test");
  expect([simple.status, simple.echo().service]).toEqual([200, "a"]);
  expect(told(simple)).toEqual({
    "access-control-allow-origin": "http://two.test",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "x-c",
  });
  expect(told(await ask("exact.test", "https://one.test"))).toEqual({});
  expect(told(await ask("exact.test", "http://two.test.evil.test"))).toEqual({});

  const short = await preflight("regex.test", "https://sub.one.test");
  expect(told(short)).toEqual({
    "access-control-allow-origin": "https://sub.one.test",
    "access-control-allow-methods": "GET,PUT",
    "access-control-max-age": "0",
  });
  for (const origin of ["https://sub.one.test.evil.test", "https://subXoneXtest", "https://one.test"]) {
    expect(told(await ask("regex.test", origin))).toEqual({});
  }

  const any = await preflight("any.test", "null");
  expect(told(any)).toMatchObject({ "access-control-allow-methods": "GET,PUT" });
  expect(told(any)["access-control-allow-origin"]).toMatch(/^(\*|null)$/);

  const before = served();
  const refused = await preflight("exact.test", "https://evil.test");
  expect(told(refused)).toEqual({});
  expect(served()).toBe(before + 1);
  expect(await rig.envoy.rejected()).toEqual([]);
});
