import { expect, onTestFinished, test } from "vitest";
import { startEcho } from "../../src/dev/echo.js";
import {
  askMany,
  endpointSlice,
  httpProxy,
  ingressRoute,
  type Manifest,
  service,
} from "../support/backend.js";
import { request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

/** A Service `many` with this many endpoints, each an echo backend that returns its number. */
async function startMany(count: number): Promise<readonly Manifest[]> {
  const servers = await Promise.all(Array.from({ length: count }, (_, i) => startEcho(`endpoint-${i}`)));
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
  return [
    service("default", "many"),
    ...servers.map(({ port }, i) => endpointSlice("default", "many", port, String(i))),
  ];
}

const many = [{ name: "many", port: 80 }];
const values = Array.from({ length: 24 }, (_, i) => `value-${i}`);

/** Sends three requests for each value: the responding endpoints, one for each value if it is sticky. */
async function endpoints(ask: (value: string) => Promise<string>): Promise<readonly (readonly string[])[]> {
  const found: string[][] = [];
  for (const value of values) {
    found.push([...new Set([await ask(value), await ask(value), await ask(value)])]);
  }
  return found;
}

const sticks = (found: readonly (readonly string[])[]): void => {
  expect(found.filter((each) => each.length !== 1)).toEqual([]);
  expect(new Set(found.flat()).size).toBeGreaterThan(2);
};

const by = (prefix: string, ...requestHashPolicies: readonly Manifest[]): Manifest => ({
  conditions: [{ prefix }],
  services: many,
  loadBalancerPolicy: { strategy: "RequestHash", requestHashPolicies },
});

async function answering(
  rig: Rig,
  path: string,
  more: { headers?: Record<string, string>; from?: string } = {},
) {
  return (await request({ port: rig.httpPort, host: "hash.test", path, ...more })).echo().service;
}

test("requests stick to an endpoint by header, query parameter, source address and cookie", async () => {
  const header = { headerHashOptions: { headerName: "x-user" } };
  const query = { queryParameterHashOptions: { parameterName: "user" } };
  const proxy = httpProxy("default", "hash", {
    virtualhost: { fqdn: "hash.test" },
    routes: [
      by("/header", header),
      by("/query", query),
      by("/source", { hashSourceIP: true }),
      by("/first", { ...header, terminal: true }, query),
      { conditions: [{ prefix: "/cookie" }], services: many, loadBalancerPolicy: { strategy: "Cookie" } },
      { conditions: [{ prefix: "/any" }], services: many },
    ],
  });
  const rig = await startRig({ backends: [], objects: [...(await startMany(4)), proxy] });

  sticks(await endpoints((user) => answering(rig, "/header", { headers: { "x-user": user } })));
  sticks(await endpoints((user) => answering(rig, `/query?x=${Math.random()}&user=${user}`)));
  const addresses = new Map(values.map((value, i) => [value, `127.0.1.${i + 1}`]));
  sticks(await endpoints((value) => answering(rig, "/source", { from: addresses.get(value) ?? "" })));

  const terminal = (user: string) =>
    answering(rig, `/first?user=${Math.random()}`, { headers: { "x-user": user } });
  sticks(await endpoints(terminal));
  sticks(await endpoints((user) => answering(rig, `/first?user=${user}`)));

  const first = await request({ port: rig.httpPort, host: "hash.test", path: "/cookie" });
  const set = first.headers["set-cookie"]?.[0] ?? "";
  expect(set).toMatch(/^X-Contour-Session-Affinity="?[0-9a-f]+"?; Path=\/; HttpOnly$/);
  const cookie = set.split(";")[0] ?? "";
  const again = await askMany(
    { port: rig.httpPort, host: "hash.test", path: "/cookie", headers: { cookie } },
    20,
  );
  expect([...again]).toEqual([[first.echo().service, 20]]);
  sticks(
    await endpoints((id) =>
      answering(rig, "/cookie", { headers: { cookie: `X-Contour-Session-Affinity="${id}"` } }),
    ),
  );
  expect((await askMany({ port: rig.httpPort, host: "hash.test", path: "/any" }, 40)).size).toBe(4);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("affinity holds over several Services with weights, by cookie, header, query parameter and address", async () => {
  const blueGreen = ["blue", "green"].map((name) => ({ name, port: 80, weight: 50 }));
  const hashed = (prefix: string, policy: Manifest): Manifest => ({
    ...by(prefix, policy),
    services: blueGreen,
  });
  const proxy = httpProxy("default", "hash", {
    virtualhost: { fqdn: "hash.test" },
    routes: [
      {
        conditions: [{ prefix: "/cookie" }],
        services: blueGreen,
        loadBalancerPolicy: { strategy: "Cookie" },
      },
      hashed("/header", { headerHashOptions: { headerName: "x-user" } }),
      hashed("/query", { queryParameterHashOptions: { parameterName: "user" } }),
      hashed("/source", { hashSourceIP: true }),
      { conditions: [{ prefix: "/any" }], services: blueGreen },
    ],
  });
  const old = ingressRoute("default", "old", {
    virtualhost: { fqdn: "old.test" },
    routes: [{ match: "/", services: blueGreen.map((each) => ({ ...each, strategy: "Cookie" })) }],
  });
  const rig = await startRig({ backends: ["blue", "green"], objects: [proxy, old] });

  const spreads = (found: readonly (readonly string[])[]): void => {
    expect(found.filter((each) => each.length !== 1)).toEqual([]);
    expect(new Set(found.flat())).toEqual(new Set(["blue", "green"]));
  };
  spreads(await endpoints((user) => answering(rig, "/header", { headers: { "x-user": user } })));
  spreads(await endpoints((user) => answering(rig, `/query?user=${user}`)));
  const addresses = new Map(values.map((value, i) => [value, `127.0.1.${i + 1}`]));
  spreads(await endpoints((value) => answering(rig, "/source", { from: addresses.get(value) ?? "" })));

  /** The endpoint that responds to a client with its cookie. */
  const session = async (host: string, path: string): Promise<readonly string[]> => {
    const first = await request({ port: rig.httpPort, host, path });
    const cookie = first.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
    return [...(await askMany({ port: rig.httpPort, host, path, headers: { cookie } }, 10)).keys()];
  };
  for (const [host, path] of [
    ["hash.test", "/cookie"],
    ["old.test", "/"],
  ] as const) {
    const sessions: (readonly string[])[] = [];
    for (let client = 0; client < 24; client++) sessions.push(await session(host, path));
    spreads(sessions);
  }
  expect((await askMany({ port: rig.httpPort, host: "hash.test", path: "/any" }, 40)).size).toBe(2);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("weights are accurate within 5 % over 2,000 requests; 0 receives nothing, and missing weights are equal", async () => {
  const weighted = (fqdn: string, weights: Readonly<Record<string, number>>): Manifest =>
    httpProxy("default", fqdn.replaceAll(".", "-"), {
      virtualhost: { fqdn },
      routes: [{ services: Object.entries(weights).map(([name, weight]) => ({ name, port: 80, weight })) }],
    });
  const objects = [weighted("uneven.test", { a: 70, b: 30, c: 0 }), weighted("even.test", { a: 0, b: 0 })];
  const rig = await startRig({ backends: ["a", "b", "c"], objects });

  const uneven = await askMany({ port: rig.httpPort, host: "uneven.test" }, 2000);
  expect(Math.abs((uneven.get("a") ?? 0) / 2000 - 0.7)).toBeLessThan(0.05);
  expect((uneven.get("a") ?? 0) + (uneven.get("b") ?? 0)).toBe(2000);
  const even = await askMany({ port: rig.httpPort, host: "even.test" }, 2000);
  expect(Math.abs((even.get("a") ?? 0) / 2000 - 0.5)).toBeLessThan(0.05);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("strategies and slow start are accepted, and serve from all endpoints", async () => {
  const slowStartPolicy = { window: "2s", aggression: "1.5", minWeightPercent: 20 };
  const route = (prefix: string, strategy: string, more: Manifest = {}): Manifest => ({
    conditions: [{ prefix }],
    services: [{ name: "many", port: 80, ...more }],
    loadBalancerPolicy: { strategy },
  });
  const proxy = httpProxy("default", "strategies", {
    virtualhost: { fqdn: "strategies.test" },
    routes: [
      route("/robin", "RoundRobin", { slowStartPolicy }),
      route("/least", "WeightedLeastRequest", { slowStartPolicy }),
      route("/random", "Random"),
    ],
  });
  const rig = await startRig({ backends: [], objects: [...(await startMany(3)), proxy] });

  for (const path of ["/robin", "/least", "/random"]) {
    expect((await askMany({ port: rig.httpPort, host: "strategies.test", path }, 60)).size).toBe(3);
  }
  const dump = JSON.stringify(await rig.envoy.configDump());
  expect(dump.match(/"slow_start_window":"2s"/g)?.length).toBe(2);
  expect(await rig.envoy.rejected()).toEqual([]);
});
