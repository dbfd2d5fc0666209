import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { isAtLeast } from "../../src/xds/envoy-version.js";
import { shardCount, shardHeader, shardName, shardOf } from "../../src/xds/route-shards.js";
import { hostProxy, httpProxy, type Manifest, startLoad, tlsSecret } from "../support/backend.js";
import { eventually, testedEnvoy } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

/** Older releases request whole tables. */
const inParts = isAtLeast(await testedEnvoy(), { major: 1, minor: 38 });

const hosts = [
  ...Array.from({ length: 40 }, (_, i) => `app-${i * 7}.team-${i % 3}.test`),
  "a.test",
  "xn--bcher-kva.test",
  "under-score.test",
  "9.9.test",
];
const wildcards: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "wild" },
  spec: {
    rules: [
      {
        host: "*.wild.test",
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "b", port: { number: 80 } } } },
          ],
        },
      },
    ],
  },
};
const secure = (to: string): Manifest =>
  httpProxy("default", "secure", {
    virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
    routes: [{ services: [{ name: to, port: 80 }] }],
  });

test("route tables in parts: every spelling of every host has its route, and a change affects one part", async () => {
  const rig = await startRig({
    backends: ["a", "b"],
    objects: [
      ...hosts.map((host) => hostProxy(host, "a")),
      wildcards,
      tlsSecret("default", "secure"),
      secure("a"),
    ],
    settings: { routeShards: 16 },
  });
  const service = async (host: string, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await request({ port: rig.httpPort, host, headers });
    if (answer.status !== 200) return String(answer.status);
    if (inParts) expect(Object.keys(answer.echo().headers)).not.toContain(shardHeader);
    return answer.echo().service;
  };
  const parts = new Set(hosts.map(shardOf));
  expect(parts.size).toBeGreaterThan(shardCount / 2);
  for (const host of hosts) {
    const foreign = shardName("ingress_http", (shardOf(host) + 1) % shardCount);
    expect(await service(host)).toBe("a");
    expect(await service(host.toUpperCase())).toBe("a");
    expect(await service(`${host}:8080`)).toBe("a");
    expect(await service(host, { [shardHeader]: foreign })).toBe("a");
  }
  for (const host of ["x.wild.test", "app-12.wild.test", "q9.wild.test:80", "z-z.wild.test"])
    expect(await service(host)).toBe("b");
  for (const host of ["none.test", "[::1]:80", "(odd).test"]) expect(await service(host)).toBe("404");

  const https = await request({ port: rig.httpsPort, sni: "secure.test", host: "secure.test" });
  expect([https.status, https.echo().service]).toEqual([200, "a"]);
  expect((await request({ port: rig.httpPort, host: "secure.test" })).status).toBe(301);
  expect((await request({ port: rig.httpsPort, sni: "secure.test", host: "a.test" })).status).toBe(421);

  const updates = async (): Promise<number> =>
    [...(await rig.envoy.stats(/rds\..*\.config_reload$/)).values()].reduce((sum, count) => sum + count, 0);
  const before = await updates();
  await rig.isoline.apply("more", hostProxy("more.test", "b"));
  await eventually(async () => (await service("more.test")) === "b", "a new host answers");
  expect((await updates()) - before).toBe(1);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("tables are split and joined while traffic flows", async () => {
  const rig = await startRig({ backends: ["a"], objects: [hostProxy("a.test", "a")] });
  const ask = async (): Promise<number> => (await request({ port: rig.httpPort, host: "a.test" })).status;
  const statuses = new Set<number>();
  for (const routeShards of [16, 1]) {
    await rig.setSettings({ routeShards });
    for (let i = 0; i < 150; i++) statuses.add(await ask());
    await eventually(async () => {
      const dump = JSON.stringify(await rig.envoy.configDump());
      return dump.includes("scoped_route_configs") === (routeShards === 16 && inParts) || routeShards === 1;
    }, `tables in ${routeShards}`);
  }
  expect([...statuses]).toEqual([200]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("auto splits a table once it has many hosts, and no request fails", async () => {
  const rig = await startRig({ backends: ["a"], objects: [hostProxy("a.test", "a")] });
  const statuses = new Set<number>();
  const asked: Promise<void>[] = [];
  let asking = true;
  for (let client = 0; client < 4; client++)
    asked.push(
      (async () => {
        while (asking) statuses.add((await request({ port: rig.httpPort, host: "a.test" })).status);
      })(),
    );
  const isSplit = async (): Promise<boolean> =>
    JSON.stringify(await rig.envoy.configDump()).includes('"ingress_http/0000"') === inParts;
  const many = Array.from({ length: 420 }, (_, i) => hostProxy(`many-${i}.test`, "a"));
  await rig.isoline.apply("many", ...many);
  await eventually(isSplit, "the table is in parts");
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "many-419.test" })).status === 200,
    "every host is there",
  );
  await rig.isoline.apply("many", ...many.slice(0, 10));
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "many-419.test" })).status === 404,
    "most hosts are gone",
  );
  asking = false;
  await Promise.all(asked);
  expect([...statuses]).toEqual([200]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("connections from before a table is joined stay served, also with later changes", async () => {
  const rig = await startRig({ backends: ["a", "b"], objects: [hostProxy("a.test", "a")] });
  const many = Array.from({ length: 420 }, (_, i) => hostProxy(`many-${i}.test`, "a"));
  await rig.isoline.apply("many", ...many);
  await eventually(
    async () => JSON.stringify(await rig.envoy.configDump()).includes('"ingress_http/0000"') === inParts,
    "the table is in parts",
  );
  const load = startLoad(rig.httpPort, ["a.test"], 4);
  await eventually(async () => load.total() > 20, "connections are made");
  await rig.isoline.apply("many", ...many.slice(0, 10));
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "many-419.test" })).status === 404,
    "most hosts are gone",
  );
  await sleep(3000);
  await rig.isoline.apply("objects", ...rig.backends.objects, hostProxy("a.test", "b"));
  await eventually(async () => load.last() === "b", "the kept connections follow a change");
  await sleep(2000);
  const { bad } = await load.stop();
  expect(bad).toEqual({});
  expect(await rig.envoy.rejected()).toEqual([]);
});
