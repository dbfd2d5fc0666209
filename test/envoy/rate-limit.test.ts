import { expect, test } from "vitest";
import { extensionService, hostProxy, httpProxy, type Manifest } from "../support/backend.js";
import { freePort, request } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { hasRatelimit, startRatelimit } from "../support/ratelimit.js";
import { startRateLimitService } from "../support/services.js";

const services = [{ name: "a", port: 80 }];

async function statuses(rig: Rig, host: string, path: string, times: number): Promise<number[]> {
  const seen: number[] = [];
  for (let i = 0; i < times; i += 1) seen.push((await request({ port: rig.httpPort, host, path })).status);
  return seen;
}

test("local rate limits: by host, by route instead, with its own status and headers", async () => {
  const proxy = httpProxy("default", "local", {
    virtualhost: { fqdn: "local.test", rateLimitPolicy: { local: { requests: 3, unit: "hour" } } },
    routes: [
      { services },
      {
        conditions: [{ prefix: "/route" }],
        services,
        rateLimitPolicy: {
          local: {
            requests: 1,
            unit: "hour",
            burst: 1,
            responseStatusCode: 503,
            responseHeadersToAdd: [{ name: "x-limited", value: "100%" }],
          },
        },
      },
      {
        conditions: [{ prefix: "/fixed" }],
        directResponsePolicy: { statusCode: 202 },
        rateLimitPolicy: { local: { requests: 1, unit: "minute" } },
      },
    ],
  });
  const rig = await startRig({ backends: ["a"], objects: [proxy, hostProxy("free.test", "a")] });

  expect(await statuses(rig, "local.test", "/", 5)).toEqual([200, 200, 200, 429, 429]);
  expect(await statuses(rig, "local.test", "/route", 2)).toEqual([200, 200]);
  const limited = await request({ port: rig.httpPort, host: "local.test", path: "/route" });
  expect([limited.status, limited.headers["x-limited"]]).toEqual([503, "100%"]);
  expect(await statuses(rig, "local.test", "/fixed", 2)).toEqual([202, 429]);
  expect(await statuses(rig, "free.test", "/", 10)).toEqual(new Array(10).fill(200));
  expect(rig.backends.of.get("a")?.count()).toBe(3 + 2 + 10);
  expect(await rig.envoy.rejected()).toEqual([]);
});

const genericKey = (value: string): Manifest => ({ descriptors: [{ entries: [{ genericKey: { value } }] }] });

test("global rate limits: descriptors as written, 429 over the limit, routes that opt out, the settings' default", async () => {
  const limiter = await startRateLimitService(({ descriptors }) =>
    descriptors.flat().every(([, value]) => value !== "over"),
  );
  const own = httpProxy("default", "own", {
    virtualhost: { fqdn: "own.test", rateLimitPolicy: { global: genericKey("own-host") } },
    routes: [
      {
        services,
        rateLimitPolicy: {
          global: {
            descriptors: [
              {
                entries: [
                  { genericKey: { key: "kind", value: "route" } },
                  { requestHeader: { headerName: "x-id", descriptorKey: "id" } },
                  { remoteAddress: {} },
                ],
              },
              {
                entries: [
                  {
                    requestHeaderValueMatch: {
                      headers: [{ name: "x-kind", exact: "gold" }],
                      expectMatch: false,
                      value: "not-gold",
                    },
                  },
                ],
              },
            ],
          },
        },
      },
      { conditions: [{ prefix: "/host" }], services },
      { conditions: [{ prefix: "/free" }], services, rateLimitPolicy: { global: { disabled: true } } },
      { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 202 } },
    ],
  });
  const off = httpProxy("default", "off", {
    virtualhost: { fqdn: "off.test", rateLimitPolicy: { global: { disabled: true } } },
    routes: [{ services }],
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [own, off, hostProxy("standard.test", "a"), ...limiter.objects],
    settings: {
      rateLimitService: {
        extensionService: "infra/rls",
        domain: "edge",
        enableXRateLimitHeaders: true,
        defaultGlobalRateLimitPolicy: genericKey("standard"),
      },
    },
  });
  const ask = async (host: string, path = "/", headers = {}): Promise<[number, unknown, unknown]> => {
    const before = limiter.requests.length;
    const { status, headers: answered } = await request({ port: rig.httpPort, host, path, headers });
    return [status, limiter.requests.slice(before), answered["x-ratelimit-remaining"]];
  };
  const edge = (...descriptors: [string, string][][]): unknown => [{ domain: "edge", descriptors }];

  const full: [string, string][] = [
    ["kind", "route"],
    ["id", "7"],
    ["remote_address", "127.0.0.1"],
  ];
  const notGold: [string, string][] = [["header_match", "not-gold"]];
  expect(await ask("own.test", "/", { "x-id": "7" })).toEqual([200, edge(full, notGold), "3"]);
  expect(await ask("own.test", "/", { "x-id": "7", "x-kind": "gold" })).toEqual([200, edge(full), "3"]);
  expect(await ask("own.test", "/", { "x-kind": "gold" })).toEqual([200, [], undefined]);
  const over: [string, string][] = [
    ["kind", "route"],
    ["id", "over"],
    ["remote_address", "127.0.0.1"],
  ];
  expect(await ask("own.test", "/", { "x-id": "over" })).toEqual([429, edge(over, notGold), "3"]);
  const byHost: [string, string][] = [["generic_key", "own-host"]];
  expect(await ask("own.test", "/host")).toEqual([200, edge(byHost), "3"]);
  expect(await ask("own.test", "/free")).toEqual([200, [], undefined]);
  // Envoy's filter calls the service for forwarded requests only.
  expect(await ask("own.test", "/fixed")).toEqual([202, [], undefined]);
  expect(await ask("standard.test")).toEqual([200, edge([["generic_key", "standard"]]), "3"]);
  expect(await ask("off.test")).toEqual([200, [], undefined]);
  expect(rig.backends.of.get("a")?.count()).toBe(7);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test.each([
  { failOpen: true, status: 200 },
  { failOpen: false, status: 500 },
])(
  "the rate limit service is down, failOpen $failOpen: $status, and only where there is a limit",
  async (way) => {
    const limited = httpProxy("default", "limited", {
      virtualhost: { fqdn: "limited.test", rateLimitPolicy: { global: genericKey("any") } },
      routes: [
        { services },
        { conditions: [{ prefix: "/free" }], services, rateLimitPolicy: { global: { disabled: true } } },
      ],
    });
    const rig = await startRig({
      backends: ["a"],
      objects: [limited, hostProxy("free.test", "a"), ...extensionService("rls", await freePort())],
      settings: { rateLimitService: { extensionService: "infra/rls", failOpen: way.failOpen } },
    });

    expect(await statuses(rig, "limited.test", "/", 1)).toEqual([way.status]);
    expect(await statuses(rig, "limited.test", "/free", 1)).toEqual([200]);
    expect(await statuses(rig, "free.test", "/", 1)).toEqual([200]);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);

test.skipIf(!hasRatelimit)("limits of Envoy's reference rate limit service, counted in Redis", async () => {
  const objects = await startRatelimit(`
domain: edge
descriptors:
  - key: generic_key
    value: host
    descriptors:
      - key: user
        rate_limit: {unit: hour, requests_per_unit: 2}
`);
  const entries = [
    { genericKey: { value: "host" } },
    { requestHeader: { headerName: "x-user", descriptorKey: "user" } },
  ];
  const limited = httpProxy("default", "limited", {
    virtualhost: { fqdn: "limited.test", rateLimitPolicy: { global: { descriptors: [{ entries }] } } },
    routes: [
      { services },
      { conditions: [{ prefix: "/free" }], services, rateLimitPolicy: { global: { disabled: true } } },
    ],
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [limited, ...objects],
    settings: {
      rateLimitService: { extensionService: "infra/rls", domain: "edge", enableXRateLimitHeaders: true },
    },
  });
  const ask = async (user: string, path = "/"): Promise<unknown> => {
    const { status, headers } = await request({
      port: rig.httpPort,
      host: "limited.test",
      path,
      headers: { "x-user": user },
    });
    return [status, headers["x-ratelimit-remaining"]];
  };

  expect([await ask("one"), await ask("one"), await ask("one")]).toEqual([
    [200, "1"],
    [200, "0"],
    [429, "0"],
  ]);
  expect(await ask("two")).toEqual([200, "1"]);
  expect(await ask("one", "/free")).toEqual([200, undefined]);
  expect(await rig.envoy.rejected()).toEqual([]);
});
