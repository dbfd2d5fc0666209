import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import type { HostNode } from "../../src/explain/graph.js";
import { createApp } from "../../src/server/app.js";
import { type Authenticate, everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { metricDefinitions } from "../../src/server/metrics.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import {
  endpointSlice,
  extensionService,
  hostProxy,
  httpProxy,
  type Manifest,
  service,
  tlsSecret,
} from "../support/backend.js";
import { platform } from "../support/compile.js";
import { engineOf } from "../support/engine.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { classSettings, threeGateways } from "../support/gateways.js";

const secure = httpProxy("default", "secure", {
  virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
  routes: [
    {
      conditions: [{ prefix: "/api" }],
      services: [
        { name: "a", port: 80, weight: 90 },
        { name: "b", port: 80, weight: 10 },
      ],
      requestHeadersPolicy: {
        set: [
          { name: "Authorization", value: "Basic aHVudGVyMg==" },
          { name: "X-Color", value: "blue" },
        ],
      },
    },
    { requestRedirectPolicy: { hostname: "other.test" } },
  ],
});
const manifests: readonly Manifest[] = [
  service("default", "a"),
  service("default", "b"),
  endpointSlice("default", "a", 8081),
  tlsSecret("default", "secure"),
  secure,
  hostProxy("plain.test", "a"),
  httpProxy("default", "broken", {
    virtualhost: { fqdn: "broken.test" },
    routes: [{ services: [{ name: "gone", port: 80 }] }],
  }),
];

function rig(objects = manifests, settings: Manifest = {}, authenticate: Authenticate = everyone) {
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const store = createMemoryStore();
  const engine = engineOf(store, { outlet: hub, platform });
  const sources = new PushedSources(engine);
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    authenticate,
    status: () => statusReport(engine, sources),
  });
  const push = async (all: readonly Manifest[]): Promise<number> => {
    const spec = { allowLoopbackEndpoints: true, ...settings };
    const body = JSON.stringify([...all, { kind: "IsolineSettings", spec }]);
    return (await app.request("/sources/main", { method: "PUT", body })).status;
  };
  const get = async (
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string; json: never }> => {
    const answer = await app.request(path, { headers });
    const text = await answer.text();
    return { status: answer.status, text, json: (text.startsWith("{") ? JSON.parse(text) : {}) as never };
  };
  return { app, get, push: () => push(objects) };
}

const key = /PRIVATE KEY|inline_bytes|LS0tLS1CRUdJTi/;

describe.each([["sds"], ["inline"]])("GET /explain (%s secrets)", (secrets) => {
  it("tells where a request goes, and why, as the command does", async () => {
    const { get, push } = rig(manifests, { secrets });
    expect((await get("/explain?url=http://plain.test/")).status).toBe(503);
    await push();
    const query = new URLSearchParams({ method: "POST", url: "https://secure.test/api/x" });
    const { status, json, text } = await get(`/explain?${query}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      outcome: "forward",
      route: { index: 0, origin: { ref: "HTTPProxy/default/secure", field: "spec.routes[0]" } },
      backends: [
        { percent: 90, endpoints: 1 },
        { percent: 10, endpoints: 0 },
      ],
    });
    expect(text).toContain("X-Color: blue");
    expect(text).not.toContain("aHVudGVyMg==");
    expect(text).not.toMatch(key);
  });

  it("tells of hosts that are not served, and of requests that are none", async () => {
    const { get, push } = rig(manifests, { secrets });
    await push();
    const missing = await get("/explain?url=http://broken.test/");
    expect(missing.json).toMatchObject({ outcome: expect.stringMatching(/respond|not-found/) });
    expect(missing.text).toContain("gone");
    expect((await get("/explain?url=http://plain.tset/")).text).toContain("plain.test");
    expect((await get("/explain?url=nonsense")).status).toBe(400);
    expect((await get("/explain?url=http://a.test/&header=x")).status).toBe(400);
  });
});

describe("GET /graph", () => {
  it.each([[1], [16]])(
    "shows hosts, routes, clusters and endpoints, and no key (%i parts)",
    async (routeShards) => {
      const { get, push } = rig(manifests, { routeShards, secrets: "inline" });
      await push();
      const { json, text } = await get("/graph?host=secure.test");
      const [host] = (json as { hosts: HostNode[] }).hosts;
      expect(Object.keys(host?.tables ?? {})).toEqual(["ingress_http", "ingress_https"]);
      expect(host?.tls?.facts).toContainEqual({ what: "TLS", value: "1.2 to 1.3" });
      const [api, redirect] = host?.tables.ingress_https ?? [];
      expect(api?.origin).toEqual({ ref: "HTTPProxy/default/secure", field: "spec.routes[0]" });
      expect(
        api?.clusters.map(({ cluster, weight, endpoints }) => [cluster.split("/")[1], weight, endpoints]),
      ).toEqual([
        ["a", 90, ["127.0.0.1:8081"]],
        ["b", 10, []],
      ]);
      expect(redirect?.facts).toContainEqual({
        what: "redirect",
        value: expect.stringContaining("other.test"),
      });
      expect(text).not.toMatch(key);
      expect(text).not.toContain("aHVudGVyMg==");
      expect((await get("/graph?host=nobody.test")).status).toBe(404);
    },
  );

  it("comes in pages", async () => {
    const many = Array.from({ length: 7 }, (_, i) => hostProxy(`h${i}.test`, "a"));
    const { get, push } = rig([service("default", "a"), ...many]);
    await push();
    const names: string[] = [];
    let after: string | undefined = "";
    while (after !== undefined) {
      const page: { hosts: HostNode[]; next?: string } = (await get(`/graph?limit=3&after=${after}`)).json;
      names.push(...page.hosts.map(({ host }) => host));
      expect(page.hosts.length).toBeLessThanOrEqual(3);
      after = page.next;
    }
    expect(names).toEqual(many.map((_, i) => `h${i}.test`));
    for (const limit of ["0", "501", "x", "1e2"])
      expect((await get(`/graph?limit=${limit}`)).status).toBe(400);
  });
});

describe("values that headers and query parameters are compared with", () => {
  const header = (fields: Manifest): Manifest => ({ header: { name: "X-Gate", ...fields } });
  const guarded = (conditions: readonly Manifest[]): Manifest => ({
    conditions: [{ prefix: "/in" }, ...conditions],
    services: [{ name: "a", port: 80 }],
  });
  const proxy = httpProxy("default", "gate", {
    virtualhost: { fqdn: "gate.test" },
    routes: [
      guarded([header({ exact: "hush-1" })]),
      guarded([header({ notexact: "hush-2" }), header({ contains: "hush-3" })]),
      guarded([header({ notcontains: "hush-4" }), header({ regex: "hush-5.*" })]),
      guarded([{ queryParameter: { name: "gate", exact: "hush-6" } }]),
      guarded([{ queryParameter: { name: "gate", prefix: "hush-7" } }]),
      {
        services: [{ name: "a", port: 80 }],
        rateLimitPolicy: {
          global: {
            descriptors: [
              {
                entries: [
                  {
                    requestHeaderValueMatch: {
                      value: "matched",
                      headers: [{ name: "X-Gate", exact: "hush-8" }],
                    },
                  },
                ],
              },
            ],
          },
        },
      },
    ],
  });
  const route = gatewayRoute("HTTPRoute", "gate", {
    hostnames: ["route.test"],
    rules: [
      {
        matches: [
          {
            method: "PUT",
            headers: [{ name: "X-Gate", value: "hush-9" }],
            queryParams: [{ name: "gate", type: "RegularExpression", value: "hush-0" }],
          },
        ],
        backendRefs: backendRefs("a"),
      },
    ],
  });
  const limits: Manifest = { rateLimitService: { extensionService: "infra/rls" } };
  const objects = [
    service("default", "a"),
    proxy,
    ...gateway(onPort(8080, "web", "HTTP")),
    route,
    ...extensionService("rls", 8081),
  ];
  const all = ["/graph", "/graph?host=gate.test", "/graph?host=route.test"];
  for (const request of [
    "url=http://gate.test/in",
    "url=http://gate.test/",
    "method=PUT&url=http://route.test/",
  ])
    all.push(`/explain?${request}`, `/explain?${request}&header=X-Gate:wrong`);

  const asRole: Authenticate = (request) => {
    const role = request.headers.get("x-role") === "admin" ? "admin" : "read";
    return Promise.resolve([
      { role, name: "", id: "", fleet: "default" },
      { role: "publish", name: "", id: "", fleet: "default" },
    ]);
  };

  it("are for admins alone; what is compared is for readers, too", async () => {
    const { get, push } = rig(objects, { ...limits, ...gatewaySettings }, asRole);
    expect(await push()).toBe(200);
    const texts = async (role: string): Promise<string[]> =>
      Promise.all(
        all.map(async (path) => {
          const { status, text } = await get(path, { "x-role": role });
          expect(status, path).toBe(200);
          return text;
        }),
      );
    const [read, admin] = [await texts("read"), await texts("admin")];
    expect(read.filter((text) => text.includes("hush"))).toEqual([]);
    for (let i = 0; i < 10; i++) expect(admin.join(), `hush-${i}`).toContain(`hush-${i}`);
    const shown = read.join();
    for (const part of [
      "header x-gate is (hidden)",
      "header x-gate is not (hidden)",
      "query parameter gate is (hidden)",
      "header_match=matched if header x-gate is (hidden)",
      'header :method is \\"PUT\\"',
      'header x-gate is \\"wrong\\", which is not (hidden)',
    ])
      expect(shown).toContain(part);
  });
});

describe("GET /metrics", () => {
  it("counts what happens, in Prometheus's format", async () => {
    const { app, get, push } = rig();
    await push();
    const poll = { method: "POST", body: JSON.stringify({ node: { id: "envoy" } }) };
    for (let i = 0; i < 2; i++) await app.request("/v3/discovery:clusters", poll);
    const { text } = await get("/metrics");
    for (const line of [
      'isoline_polls_total{type="clusters",code="200"} 2',
      "isoline_publications_total 1",
      "isoline_nodes 1",
      'isoline_findings{severity="error"} 1',
      'isoline_resources{type="secrets"} 1',
      "isoline_polls_held 0",
    ])
      expect(text.split("\n")).toContain(line);
    const lines = text.trimEnd().split("\n");
    for (const line of lines)
      expect(line).toMatch(
        /^(# (HELP|TYPE) isoline_[a-z_]+ .+|isoline_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [\d.e+-]+)$/,
      );
    const helped = lines.filter((line) => line.startsWith("# TYPE")).map((line) => line.split(" ")[2]);
    expect(new Set(helped).size).toBe(helped.length);
  });

  it("are all in the document, with what they say", () => {
    const document = readFileSync(new URL("../../docs/monitoring.md", import.meta.url), "utf8");
    for (const { name, type, help } of metricDefinitions) {
      expect(document).toContain(`| \`${name}\` | ${type} | ${help} |`);
    }
  });
});

describe("hosts of several Gateways", () => {
  interface Row {
    readonly host: string;
    readonly gateway?: string;
    readonly owners: readonly string[];
    readonly services: readonly string[];
    readonly listeners: readonly { readonly listener: string; readonly addresses: readonly string[] }[];
  }
  const pushed = async (more: readonly Manifest[] = []) => {
    const { get, push } = rig([...threeGateways(), ...more], classSettings);
    expect(await push()).toBe(200);
    return get;
  };
  const rowsOf = async (query: string): Promise<readonly Row[]> => {
    const { json } = await (await pushed())(`/hosts${query}`);
    return (json as { readonly hosts: readonly Row[] }).hosts;
  };

  it("GET /hosts has a row for each Gateway of a host, with its own routes, Services, listener and addresses", async () => {
    const rows = (await rowsOf("")).filter(({ host }) => host === "www.test");
    expect(
      rows.map(({ gateway, owners, services, listeners }) => [
        gateway,
        owners,
        services,
        listeners[0]?.addresses,
      ]),
    ).toEqual([
      ["infra/admin", ["HTTPRoute/shop/admin"], ["shop/admin"], ["10.80.0.3"]],
      ["infra/private", ["HTTPRoute/shop/inner"], ["shop/inner"], ["10.80.0.2"]],
      ["infra/public", ["HTTPRoute/shop/outer"], ["shop/web"], ["10.80.0.1"]],
    ]);
  });

  it("GET /hosts keeps the rows of a Gateway or an address", async () => {
    const names = async (query: string): Promise<string[]> => (await rowsOf(query)).map(({ host }) => host);
    expect(await names("?gateway=infra/private")).toEqual(["*", "set.test", "www.test"]);
    expect(await names("?address=10.80.0.2")).toEqual(["*", "set.test", "www.test"]);
    expect(await names("?gateway=infra/gone")).toEqual([]);
  });

  it("the row of TCP and UDP listeners names both", async () => {
    const [row] = await rowsOf("?address=10.80.0.1");
    expect(row?.listeners.map(({ listener }) => listener).sort()).toEqual(["db", "dns", "http"]);
    expect(row?.owners).toEqual(["Gateway/infra/public"]);
  });

  it("GET /hosts/HOST asks for the Gateway where several serve the host", async () => {
    const get = await pushed();
    const asked = await get("/hosts/www.test");
    expect(asked).toMatchObject({ status: 400, json: { code: "ambiguous", choices: { length: 3 } } });
    const { json } = await get("/hosts/www.test?gateway=infra/private");
    expect(json).toMatchObject({
      row: { gateway: "infra/private", owners: ["HTTPRoute/shop/inner"] },
      node: { gateway: "infra/private", listeners: { "infra/private/http-80": { listener: "http" } } },
    });
    expect((await get("/hosts/www.test?address=10.80.0.9")).status).toBe(404);
    expect((await get("/hosts/set.test")).json).toMatchObject({ row: { gateway: "infra/private" } });
  });

  it("a host of an HTTPProxy and a Gateway has an address for the row without a Gateway", async () => {
    const get = await pushed([service("default", "a"), hostProxy("www.test", "a")]);
    const { json } = await get("/hosts/www.test");
    const { choices } = json as { readonly choices: readonly { readonly address?: string }[] };
    expect(choices[0]).toEqual({ address: "0.0.0.0" });
    expect((await get("/hosts/www.test?address=0.0.0.0")).json).toMatchObject({
      row: { owners: ["HTTPProxy/default/www-test"] },
    });
  });

  it("GET /explain asks for the Gateway with the choices, and takes it or an address", async () => {
    const get = await pushed();
    expect(await get("/explain?url=http://www.test/")).toMatchObject({
      status: 400,
      json: {
        code: "ambiguous",
        choices: [
          { gateway: "infra/private", addresses: ["10.80.0.2"] },
          { gateway: "infra/public", addresses: ["10.80.0.1"] },
        ],
      },
    });
    const chosen = await get("/explain?url=http://www.test/&gateway=infra/private");
    expect(chosen.json).toMatchObject({ summary: "goes to shop/inner/80" });
    expect((await get("/explain?url=udp://10.80.0.1:53")).json).toMatchObject({ outcome: "udp" });
  });

  it("each request of the graph reaches its route", async () => {
    const get = await pushed();
    const { json } = await get("/graph?requests&limit=100");
    const { hosts } = json as { readonly hosts: readonly HostNode[] };
    const routes = hosts.flatMap(({ tables }) => Object.values(tables).flat());
    expect(routes).toHaveLength(4);
    for (const { request, origin } of routes) {
      const { gateway = "", url = "" } = request ?? {};
      const query = new URLSearchParams({ url, gateway });
      expect((await get(`/explain?${query}`)).json).toMatchObject({ route: { origin } });
    }
    const text = (await get("/graph?format=text&gateway=infra/public")).text;
    expect(text).toContain(
      "connections of infra/public/udp-53  (listener dns at 10.80.0.1)  (UDPRoute/shop/dns spec.rules[0])",
    );
  });

  it("GET /overview has the Gateways with their addresses and listeners", async () => {
    const get = await pushed();
    expect((await get("/overview")).json).toMatchObject({
      hosts: 5,
      gatewayCount: 3,
      gateways: [
        { name: "infra/admin", addresses: ["10.80.0.3"], listeners: ["http 8080"], hosts: 2 },
        { name: "infra/private", listeners: ["http 80", "http 8081"] },
        { name: "infra/public", listeners: ["http 80", "https 8443", "tcp 5432", "udp 53"] },
      ],
    });
  });
});
