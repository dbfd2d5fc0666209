import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  certificateFile,
  endpointSlice,
  type Manifest,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { gateway, gatewayClass, route, settings } from "../support/class-gateway.js";
import { eventually } from "../support/envoy.js";
import { freePort, tlsExchange } from "../support/http.js";
import { startRig } from "../support/isoline.js";

const all = { namespaces: { from: "All" } };
const group = "gateway.networking.k8s.io";

/** Settings with addresses of loopback for Gateways. */
const onLoopback = (more: Manifest = {}): Manifest => ({
  gateway: { ...settings.gateway, staticAddresses: ["127.0.0.0/8"], ...more },
});

/** The status that an address answers for a host; undefined if nothing listens there. */
async function statusAt(address: string, port: number, host: string): Promise<number | undefined> {
  const { request } = await import("node:http");
  return new Promise((done) => {
    const sent = request({ host: address, port, headers: { host }, agent: false }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
    sent.on("error", () => done(undefined));
    sent.end();
  });
}

test("two fleets of Envoys serve the Gateways that their selectors choose, of the same class and cluster", async () => {
  const port = await freePort();
  const addresses = { a: "127.0.9.1", b: "127.0.9.2" };
  const gatewayOf = (fleet: "a" | "b"): Manifest =>
    gateway(
      `edge-${fleet}`,
      [{ name: "http", port, protocol: "HTTP", allowedRoutes: all }],
      { addresses: [{ value: addresses[fleet] }] },
      { labels: { fleet } },
    );
  const routeOf = (fleet: "a" | "b"): Manifest => ({
    ...route(`of-${fleet}`, `edge-${fleet}`, {
      hostnames: ["fleet.test"],
      rules: [{ backendRefs: [{ name: fleet, port: 80 }] }],
    }),
    metadata: { namespace: "default", name: `of-${fleet}` },
  });
  const objects = [gatewayClass, gatewayOf("a"), gatewayOf("b"), routeOf("a"), routeOf("b")];
  const start = (fleet: string) =>
    startRig({
      backends: ["a", "b"],
      objects,
      settings: onLoopback({ selector: { matchLabels: { fleet } } }),
    });
  const a = await start("a");
  await eventually(async () => (await statusAt(addresses.a, port, "fleet.test")) === 200, "the fleet a");
  expect(await statusAt(addresses.b, port, "fleet.test")).toBeUndefined();
  const b = await start("b");
  await eventually(async () => (await statusAt(addresses.b, port, "fleet.test")) === 200, "the fleet b");

  await b.envoy.stop();
  expect(await statusAt(addresses.b, port, "fleet.test")).toBeUndefined();
  expect(await statusAt(addresses.a, port, "fleet.test")).toBe(200);
  expect(await a.envoy.rejected()).toEqual([]);
});

test("a TLSRoute is encrypted again for a backend with a BackendTLSPolicy where TLS ends, and passes unchanged elsewhere", async () => {
  const echo = await startTlsEcho("pass");
  onTestFinished(() => echo.close());
  const [port, passing] = [await freePort(), await freePort()];
  const tls = (name: string, at: number, mode: Manifest): Manifest => ({
    name,
    port: at,
    protocol: "TLS",
    tls: mode,
    allowedRoutes: all,
  });
  const rig = await startRig({
    backends: [],
    objects: [
      gatewayClass,
      gateway(
        "edge",
        [
          tls("ends", port, { certificateRefs: [{ name: "secure" }] }),
          tls("passes", passing, { mode: "Passthrough" }),
        ],
        { addresses: [{ value: "127.0.0.1" }] },
      ),
      tlsSecret("infra", "secure"),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace: "default", name: "echo" },
        spec: { ports: [{ port: 80, appProtocol: "https" }] },
      },
      endpointSlice("default", "echo", echo.port),
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { namespace: "default", name: "ca" },
        data: { "ca.crt": certificateFile("pass.crt") },
      },
      {
        apiVersion: `${group}/v1`,
        kind: "BackendTLSPolicy",
        metadata: { namespace: "default", name: "echo" },
        spec: {
          targetRefs: [{ group: "", kind: "Service", name: "echo" }],
          validation: {
            caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }],
            hostname: "pass.test",
          },
        },
      },
      {
        apiVersion: `${group}/v1`,
        kind: "TLSRoute",
        metadata: { namespace: "default", name: "echo" },
        spec: {
          parentRefs: [{ namespace: "infra", name: "edge" }],
          hostnames: ["secure.test"],
          rules: [{ backendRefs: [{ name: "echo", port: 80 }] }],
        },
      },
    ],
    settings: onLoopback(),
  });
  await eventually(
    async () => (await tlsExchange(port, "secure.test", "hello")).received.includes("hello"),
    "the echo",
  );
  expect((await tlsExchange(port, "secure.test", "hello")).certificate).toBe("secure.test");
  expect((await tlsExchange(passing, "secure.test", "hello")).certificate).toBe("pass.test");
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a UDPRoute drops the share of datagrams of a missing backend", async () => {
  const backend = createSocket("udp4");
  backend.on("message", (data, from) => backend.send(data, from.port, from.address));
  backend.bind(0, "127.0.0.1");
  await once(backend, "listening");
  onTestFinished(() => void backend.close());
  const port = await freePort();
  const dns = (weights: Readonly<Record<string, number>>): Manifest => ({
    apiVersion: `${group}/v1`,
    kind: "UDPRoute",
    metadata: { namespace: "default", name: "dns" },
    spec: {
      parentRefs: [{ namespace: "infra", name: "edge" }],
      rules: [{ backendRefs: Object.entries(weights).map(([name, weight]) => ({ name, port: 53, weight })) }],
    },
  });
  const rig = await startRig({
    backends: [],
    objects: [
      gatewayClass,
      gateway("edge", [{ name: "dns", port, protocol: "UDP", allowedRoutes: all }], {
        addresses: [{ value: "127.0.0.1" }],
      }),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace: "default", name: "dns" },
        spec: { ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
      },
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: { namespace: "default", name: "dns-1", labels: { "kubernetes.io/service-name": "dns" } },
        addressType: "IPv4",
        endpoints: [{ addresses: ["127.0.0.1"] }],
        ports: [{ name: "dns", port: (backend.address() as AddressInfo).port, protocol: "UDP" }],
      },
    ],
    settings: onLoopback(),
  });
  /** How many of 40 clients get an answer. */
  const answered = async (): Promise<number> => {
    const clients = Array.from({ length: 40 }, () => createSocket("udp4"));
    let count = 0;
    for (const client of clients) {
      client.on("message", () => void count++);
      client.on("error", () => undefined);
      client.send("question", port, "127.0.0.1");
    }
    await new Promise((done) => setTimeout(done, 500));
    for (const client of clients) client.close();
    return count;
  };
  await rig.isoline.apply("route", dns({ dns: 1 }));
  await eventually(async () => (await answered()) === 40, "all answers");
  await rig.isoline.apply("route", dns({ dns: 1, nobody: 1 }));
  await eventually(async () => (await answered()) < 40, "the share of the missing backend");
  const some = await answered();
  expect(some).toBeGreaterThan(5);
  expect(some).toBeLessThan(35);
  expect(await rig.envoy.rejected()).toEqual([]);
});
