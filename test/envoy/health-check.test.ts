import { expect, onTestFinished, test } from "vitest";
import { startTcpEcho } from "../../src/dev/echo.js";
import { endpointSlice, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request, tlsExchange } from "../support/http.js";
import { type Handler, startHttp } from "../support/http-server.js";
import { startRig } from "../support/isoline.js";

const fast = { intervalSeconds: 1, timeoutSeconds: 1, unhealthyThresholdCount: 1, healthyThresholdCount: 1 };

test("HTTP checks: an endpoint with an unexpected status receives no requests until it recovers", async () => {
  const statusOf: Record<string, number> = { one: 202, two: 200 };
  const handler =
    (name: string): Handler =>
    ({ path }, response) => {
      response.statusCode = path === "/healthz" ? (statusOf[name] ?? 500) : 200;
      response.end(name);
    };
  const [one, two] = [await startHttp("one", handler("one")), await startHttp("two", handler("two"))];
  const expectedStatuses = [{ start: 201, end: 203 }];
  const proxy = httpProxy("default", "checked", {
    virtualhost: { fqdn: "checked.test" },
    routes: [
      {
        services: [{ name: "both", port: 80 }],
        healthCheckPolicy: { path: "/healthz", host: "health.test", ...fast, expectedStatuses },
      },
    ],
  });
  const zero = await startHttp("zero", handler("one"));
  const both = service("default", "both");
  const rig = await startRig({
    backends: [],
    objects: [both, endpointSlice("default", "both", zero.port, "zero"), proxy],
  });
  const answering = async (): Promise<string> => {
    const found = new Set<string>();
    for (let i = 0; i < 10; i += 1) {
      const { status, body } = await request({ port: rig.httpPort, host: "checked.test" });
      found.add(status === 200 ? body : String(status));
    }
    return [...found].sort().join();
  };

  // Envoy repeats its checks only every minute while a cluster has no traffic.
  expect((await request({ port: rig.httpPort, host: "checked.test" })).status).toBe(200);
  await rig.isoline.apply(
    "objects",
    both,
    endpointSlice("default", "both", one.port, "one"),
    endpointSlice("default", "both", two.port, "two"),
    proxy,
  );
  const checked = (): boolean => [one, two].every(({ requests }) => requests.length > 0);
  await eventually(
    async () => checked() && (await answering()) === "one",
    "both are checked, and one is good",
  );
  expect(one.requests.find(({ path }) => path === "/healthz")?.headers.host).toBe("health.test");
  statusOf.one = 503;
  statusOf.two = 201;
  await eventually(
    async () => (await answering()) === "two",
    "the second endpoint takes over from the first",
  );
  statusOf.two = 200;
  await eventually(async () => (await answering()) === "503", "no endpoint is left");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("checks use the health port and the default Host", async () => {
  const app = await startHttp("app");
  const health = await startHttp("health");
  const ports = [
    { name: "http", port: 80, protocol: "TCP" },
    { name: "health", port: 81, protocol: "TCP" },
  ];
  const slice = {
    ...endpointSlice("default", "app", app.port),
    ports: [
      { name: "http", port: app.port, protocol: "TCP" },
      { name: "health", port: health.port, protocol: "TCP" },
    ],
  };
  const proxy = httpProxy("default", "port", {
    virtualhost: { fqdn: "port.test" },
    routes: [
      {
        services: [{ name: "app", port: 80, healthPort: 81 }],
        healthCheckPolicy: { path: "/healthz", ...fast },
      },
    ],
  });
  const rig = await startRig({
    backends: [],
    objects: [{ ...service("default", "app"), spec: { ports } }, slice, proxy],
  });

  expect((await request({ port: rig.httpPort, host: "port.test" })).status).toBe(200);
  expect(app.requests.map(({ path }) => path)).toEqual(["/"]);
  expect(health.requests[0]).toMatchObject({ path: "/healthz" });
  expect(health.requests[0]?.headers.host).toBe("contour-envoy-healthcheck");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("TCP checks: connections go only to endpoints that accept them", async () => {
  const echo = await startTcpEcho("echo");
  onTestFinished(() => echo.close());
  const tcp = (fqdn: string, more: Manifest): Manifest =>
    httpProxy("default", fqdn.replaceAll(".", "-"), {
      virtualhost: { fqdn, tls: { secretName: "tcp" } },
      tcpproxy: { services: [{ name: "both", port: 80 }], ...more },
    });
  const objects = [
    tlsSecret("default", "tcp"),
    service("default", "both"),
    endpointSlice("default", "both", echo.port, "alive"),
    endpointSlice("default", "both", await freePort(), "dead"),
    tcp("checked.test", { healthCheckPolicy: fast }),
    tcp("blind.test", {}),
  ];
  const rig = await startRig({ backends: [], objects });
  const served = async (sni: string): Promise<number> => {
    const tries = Array.from({ length: 10 }, () => tlsExchange(rig.httpsPort, sni, "ping"));
    return (await Promise.allSettled(tries)).filter(({ status }) => status === "fulfilled").length;
  };

  expect(await served("checked.test")).toBe(10);
  expect(await served("blind.test")).toBeLessThan(10);
  expect(await rig.envoy.rejected()).toEqual([]);
});
