import { describe, expect, it } from "vitest";
import { isWithin } from "../../src/graph/api/gateway/addresses.js";
import { hostUnit } from "../../src/graph/core/keys.js";
import { Infrastructure } from "../../src/status/write/infrastructure.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import type { Manifest } from "../support/backend.js";
import {
  app,
  conditionsOf,
  controllerName,
  gateway,
  gatewayClass,
  group,
  http,
  https,
  listenerSet,
  only,
  pair,
  parse,
  route,
  type Shown,
  settings,
  statusOf,
} from "../support/class-gateway.js";
import { compileAll, platform, protoErrors } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { fc } from "../support/fast-check.js";

/** What each host of a route table is answered: a status, `forward`, or 404 where no route is. */
function answers(store: Store, table: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const { name, json } of store.resources("virtual-host", table)) {
    const [first] = (JSON.parse(json) as { routes: { direct_response?: { status: number } }[] }).routes;
    found[name] = first ? (first.direct_response?.status ?? "forward") : 404;
  }
  return found;
}

describe("hosts of the listeners of a Gateway of a class", () => {
  const listeners = [https("any"), https("one", "one.test"), https("wild", "*.wild.test"), http];
  const store = compileAll(
    parse([
      gatewayClass,
      gateway("edge", listeners),
      pair,
      app,
      route(
        "any",
        { namespace: "infra", name: "edge", sectionName: "any" },
        { hostnames: ["a.test", "one.test"] },
      ),
      route("wild", "edge", { hostnames: ["a.wild.test"] }),
    ]),
  );

  it.each<[string, Record<string, unknown>]>([
    ["any", { "*": 404, "a.test": "forward", "one.test": 421, "*.wild.test": 421 }],
    ["one", { "one.test": 404, "*": 421 }],
    ["wild", { "*.wild.test": 404, "a.wild.test": "forward", "*": 421 }],
  ])("over TLS, of listener %s", (name, expected) => {
    expect(answers(store, `infra/edge/https-443:${name}`)).toEqual(expected);
  });

  it("are answered 421 by each other listener that no listener for any host covers", () => {
    const tables = (...hostnames: readonly string[]): Record<string, unknown>[] => {
      const many = hostnames.map((hostname, i) => https(`l${i}`, ...(hostname ? [hostname] : [])));
      const compiled = compileAll(parse([gatewayClass, gateway("edge", many), pair, app]));
      return many.map((_, i) => answers(compiled, `infra/edge/https-443:l${i}`));
    };
    expect(tables("a.test", "b.test")).toEqual([
      { "a.test": 404, "b.test": 421 },
      { "a.test": 421, "b.test": 404 },
    ]);
    expect(tables("", "*.test", "a.test", "*.b.test")).toEqual([
      { "*": 404, "*.test": 421, "a.test": 421, "*.b.test": 421 },
      { "*": 421, "*.test": 404, "a.test": 421, "*.b.test": 421 },
      { "*": 421, "a.test": 404 },
      { "*": 421, "*.b.test": 404 },
    ]);
    const sizes = [10, 50].map((count) => {
      const found = tables("", ...Array.from({ length: count }, (_, i) => `h${i}.test`));
      return found.reduce((sum, table) => sum + Object.keys(table).length, 0);
    });
    expect(sizes).toEqual([1 + 3 * 10, 1 + 3 * 50]);
  });

  it("have a filter chain for each hostname of a listener, and none for a route", () => {
    const chains = [...store.resources("filter-chain", "infra/edge/https-443")];
    expect(chains.map(({ name }) => name).sort()).toEqual(["*", "*.wild.test", "one.test"]);
    expect(protoErrors(store)).toEqual([]);
  });

  it("over plain HTTP are in one table", () => {
    expect(answers(store, "infra/edge/http-80")).toEqual({ "*": 404, "a.wild.test": "forward" });
  });
});

it("a host of a listener has the routes of the oldest one's kind, and the others are told", () => {
  const older = { creationTimestamp: "2026-01-01T00:00:00Z" };
  const grpc = { ...route("grpc", "edge", { hostnames: ["a.test"] }), kind: "GRPCRoute" };
  const store = compileAll(
    parse([
      gatewayClass,
      gateway("edge", [http]),
      app,
      { ...grpc, metadata: { namespace: "shop", name: "grpc", ...older } },
      {
        ...route("http", "edge", { hostnames: ["a.test", "b.test"] }),
        metadata: { namespace: "shop", name: "http", creationTimestamp: "2026-01-02T00:00:00Z" },
      },
    ]),
  );
  const [parent = {}] = statusOf(store, "HTTPRoute/shop/http").parents ?? [];
  expect(conditionsOf(parent as Shown)).toMatchObject({ Accepted: "False KindConflict" });
  const [other = {}] = statusOf(store, "GRPCRoute/shop/grpc").parents ?? [];
  expect(conditionsOf(other as Shown)).toMatchObject({ Accepted: "True Accepted" });
  const origins = store.unit(hostUnit("a.test"))?.origins ?? [];
  expect(origins.map(({ routes }) => routes).join()).not.toContain("HTTPRoute");
});

describe("an explanation of a request to a Gateway of a class", () => {
  const explained = explainer(
    parse([
      gatewayClass,
      gateway("edge", [http, https("any"), https("one", "one.test")]),
      pair,
      app,
      route("a", "edge", { hostnames: ["a.test"] }),
    ]),
  );

  it.each<[string, object]>([
    ["http://a.test/", { outcome: "forward", listener: { name: "infra/edge/http-80" } }],
    ["https://a.test/", { outcome: "forward", listener: { name: "infra/edge/https-443" } }],
    ["https://one.test/", { status: 404 }],
    ["http://b.test/", { status: 404, listener: { name: "infra/edge/http-80" } }],
  ])("%s", (url, expected) => {
    expect(explained("GET", url)).toMatchObject(expected);
  });
});

describe("addresses", () => {
  const addressesOf = (store: Store): Map<string, string> => {
    const found = new Map<string, string>();
    for (const { name, json } of store.resources("listener", "http")) {
      if (!name.startsWith("infra/")) continue;
      const { address } = JSON.parse(json) as { address: { socket_address: { address: string } } };
      found.set(name.replace(/\/http-80$/, ""), address.socket_address.address);
    }
    return found;
  };
  const named = (names: Iterable<string>, spec: Manifest = {}) =>
    [...names].map((name, i) =>
      gateway(name, [http], spec, { creationTimestamp: `2026-01-01T00:00:${String(10 + i)}Z` }),
    );

  it("of a pool are different ones of it, and those of older Gateways stay when a younger one comes", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(
        names,
        fc.constantFrom("10.79.0.0/24", "10.79.0.16/28", "fd00::/120"),
        (some, addressPool) => {
          const own = { gateway: { controllerName, addressPool } };
          const before = addressesOf(compileAll(parse([gatewayClass, ...named(some.slice(0, -1))], own)));
          const after = addressesOf(compileAll(parse([gatewayClass, ...named(some)], own)));
          expect(new Set(after.values()).size).toBe(some.length);
          for (const address of after.values()) expect(isWithin(address, addressPool), address).toBe(true);
          for (const [name, address] of before)
            if (name !== "ingress_http") expect(after.get(name)).toBe(address);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that a Gateway asks for are those of the setting", () => {
    const asked = [{ value: "10.80.0.7" }, { value: "10.80.0.8" }];
    const store = compileAll(parse([gatewayClass, gateway("edge", [http], { addresses: asked })]));
    expect(addressesOf(store).get("infra/edge")).toBe("10.80.0.7");
    const [one] = [...store.resources("listener", "http")].filter(({ name }) => name.startsWith("infra/"));
    expect(one?.json).toContain(
      '"additional_addresses":[{"address":{"socket_address":{"address":"10.80.0.8"',
    );
  });

  it.each<[string, Manifest, Manifest]>([
    ["of another block", { addresses: [{ value: "192.0.2.1" }] }, { Programmed: "False AddressNotUsable" }],
    ["that is none", { addresses: [{ value: "edge" }] }, { Programmed: "False AddressNotUsable" }],
    [
      "of another type",
      { addresses: [{ type: "Hostname", value: "a.test" }] },
      { Accepted: "False UnsupportedAddress" },
    ],
  ])("%s leave the Gateway without listeners", (_, spec, expected) => {
    const store = compileAll(parse([gatewayClass, gateway("edge", [http], spec)]));
    expect([...addressesOf(store).keys()]).not.toContain("infra/edge");
    expect(conditionsOf(statusOf(store, "Gateway/infra/edge"))).toMatchObject(expected);
  });

  it("run out", () => {
    const own = { gateway: { controllerName, addressPool: "10.79.0.0/30" } };
    const store = compileAll(parse([gatewayClass, ...named(["a", "b", "c"])], own));
    expect(conditionsOf(statusOf(store, "Gateway/infra/c"))).toMatchObject({
      Programmed: "False AddressNotAssigned",
    });
    expect(conditionsOf(statusOf(store, "Gateway/infra/a"))).toMatchObject({ Programmed: "True Programmed" });
  });
});

describe("statuses of Gateways of a class", () => {
  const store = compileAll(
    parse([
      gatewayClass,
      { ...gatewayClass, metadata: { name: "foreign" }, spec: { controllerName: "example.com/other" } },
      gateway(
        "edge",
        [http, { ...https("broken", "a.test"), tls: { certificateRefs: [{ name: "nobody" }] } }],
        {
          allowedListeners: { namespaces: { from: "Same" } },
        },
      ),
      { ...gateway("foreign", [http]), spec: { gatewayClassName: "foreign", listeners: [http] } },
      listenerSet("good", [{ ...http, hostname: "set.test" }]),
      listenerSet("conflicting", [http]),
      listenerSet("refused", [{ ...http, hostname: "b.test" }], "shop"),
      pair,
      app,
      route("one", "edge"),
      route("broken", { namespace: "infra", name: "edge", sectionName: "broken" }),
      route("elsewhere", "foreign"),
      route("partly", "edge", {
        hostnames: ["p.test"],
        rules: [
          { backendRefs: [{ name: "app", port: 80 }] },
          { matches: [{ path: { value: "/x" } }], filters: [{ type: "ExtensionRef" }] },
        ],
      }),
      route("set", { kind: "ListenerSet", namespace: "infra", name: "good" }),
    ]),
  );

  it("of the class: its features; of another controller's class nothing", () => {
    const status = statusOf(store, "GatewayClass//isoline");
    expect(status).toMatchObject({
      conditions: [{ type: "Accepted", status: "True", observedGeneration: 4 }],
    });
    const names = (status.supportedFeatures as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(statusOf(store, "GatewayClass//foreign")).toEqual({});
    expect(statusOf(store, "Gateway/infra/foreign")).toEqual({});
    expect(statusOf(store, "HTTPRoute/shop/elsewhere")).toEqual({});
  });

  it("of the Gateway and its listeners, with the routes that are attached to each", () => {
    const status = statusOf(store, "Gateway/infra/edge");
    expect(conditionsOf(status)).toEqual({
      Accepted: "True Accepted",
      Programmed: "True Programmed",
      ResolvedRefs: "False ListenersNotResolved",
    });
    expect(status).toMatchObject({ attachedListenerSets: 1, addresses: [{ type: "IPAddress" }] });
    expect(status.listeners?.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
      ["http", 2],
      ["broken", 2],
    ]);
  });

  it.each([
    ["good", { Accepted: "True Accepted", Programmed: "True Programmed" }],
    ["conflicting", { Accepted: "False ListenersNotValid", Programmed: "False ListenersNotValid" }],
  ])("of the ListenerSet %s", (name, expected) => {
    expect(conditionsOf(statusOf(store, `ListenerSet/infra/${name}`))).toEqual(expected);
  });

  it("of a ListenerSet that is not let in", () => {
    expect(conditionsOf(statusOf(store, "ListenerSet/shop/refused"))).toEqual({
      Accepted: "False NotAllowed",
      Programmed: "False NotAllowed",
    });
  });

  it("of routes: what is wrong with one rule leaves the others accepted", () => {
    const [parent = {}] = statusOf(store, "HTTPRoute/shop/partly").parents ?? [];
    expect(parent).toMatchObject({ controllerName });
    expect(conditionsOf(parent as Shown)).toMatchObject({
      Accepted: "True Accepted",
      PartiallyInvalid: "True UnsupportedValue",
    });
  });
});

it.each<[string, boolean]>([
  ["bank.test", false],
  ["*.test", false],
  ["www.bank.test", false],
  ["shop.example", true],
])("a ListenerSet of a tenant may not take hosts of other owners: %s", (hostname, allowed) => {
  const hostOwners = [
    { host: "bank.test", namespaces: ["bank"] },
    { host: "*.bank.test", namespaces: ["bank"] },
  ];
  const store = compileAll(
    parse(
      [
        gatewayClass,
        gateway("edge", [http], { allowedListeners: { namespaces: { from: "All" } } }),
        listenerSet("set", [{ ...http, hostname }], "shop"),
      ],
      {
        ...settings,
        hostOwners,
      },
    ),
  );
  expect(Object.keys(answers(store, "infra/edge/http-80")).includes(hostname)).toBe(allowed);
  expect(conditionsOf(statusOf(store, "ListenerSet/shop/set"))).toMatchObject({
    Accepted: allowed ? "True Accepted" : "False ListenersNotValid",
  });
});

describe("the work for one edit", () => {
  const count = 60;
  const manifests = [
    gatewayClass,
    app,
    ...Array.from({ length: 5 }, (_, g) => gateway(`g${g}`, [http])),
    ...Array.from({ length: count }, (_, i) => route(`r${i}`, `g${i % 5}`, { hostnames: [`h${i}.test`] })),
  ];

  it.each<[string, Manifest, number]>([
    ["of a route: its host", route("r1", "g1", { hostnames: ["h1.test"], rules: [] }), 1],
    // The listeners, the host of each listener, and the hosts of its routes.
    ["of a Gateway: its own hosts", gateway("g1", [{ ...http, port: 81 }]), 2 + count / 5],
  ])("is %s", (_, edited, units) => {
    const store = compileAll(parse(manifests));
    expect(update(store, only(edited), platform).units).toBe(units);
  });
});

describe("the ServiceAccount of a Gateway", () => {
  const own = { gateway: { ...settings.gateway, infrastructure: "serviceAccount" } };
  const raw = { metadata: { uid: "u-1" } };

  async function written(manifests: readonly Manifest[], fail = 0, given: object = own): Promise<Manifest[]> {
    const bodies: Manifest[] = [];
    const end = new AbortController();
    let failures = fail;
    const infrastructure = new Infrastructure({
      store: compileAll(parse(manifests, given)),
      manager: "isoline",
      leads: () => true,
      log: () => undefined,
      sleep: (ms) =>
        ms > 1e6
          ? new Promise((done) => end.signal.addEventListener("abort", () => done()))
          : Promise.resolve(),
      transport: {
        send: async ({ path, body = "" }) => {
          if (failures-- > 0) return { status: 500, body: (async function* () {})() };
          bodies.push({ path, ...(JSON.parse(body) as Manifest) });
          return {
            status: 200,
            body: (async function* () {
              yield new TextEncoder().encode("{}");
            })(),
          };
        },
      },
    });
    infrastructure.observe("Gateway/infra/edge", raw);
    const run = infrastructure.run(end.signal);
    await new Promise((done) => setTimeout(done, 20));
    infrastructure.observe("Gateway/infra/edge", raw);
    await new Promise((done) => setTimeout(done, 20));
    end.abort();
    await run;
    return bodies;
  }
  const edge = gateway("edge", [http], {
    infrastructure: { labels: { team: "web" }, annotations: { cost: "low" } },
  });

  it("has the labels and annotations, belongs to the Gateway, and is written once", async () => {
    const bodies = await written([gatewayClass, edge], 1);
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).toMatchObject({
      kind: "ServiceAccount",
      metadata: {
        namespace: "infra",
        name: "edge-isoline",
        labels: { team: "web", [`${group}/gateway-name`]: "edge" },
        annotations: { cost: "low" },
        ownerReferences: [{ kind: "Gateway", name: "edge", uid: "u-1" }],
      },
    });
  });

  it.each<[string, readonly Manifest[], object]>([
    ["without the setting", [gatewayClass, edge], settings],
    [
      "of another controller",
      [{ ...gatewayClass, spec: { controllerName: "example.com/other" } }, edge],
      own,
    ],
  ])("is not there for a Gateway %s", async (_, manifests, given) => {
    expect(await written(manifests, 0, given)).toEqual([]);
  });
});
