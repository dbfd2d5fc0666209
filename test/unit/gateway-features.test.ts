import { describe, expect, it } from "vitest";
import { cookiePath } from "../../src/graph/api/gateway/session.js";
import { readTlsOptions } from "../../src/graph/api/gateway/tls-options.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { isOfAnotherFleet } from "../../src/status/write/fleet.js";
import { isOwnEntry } from "../../src/status/write/owned.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { allExcept } from "../../src/xds/policies/all-except.js";
import { certificateFile, type Manifest, service } from "../support/backend.js";
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

const backendRefs = [{ name: "app", port: 80 }];
const parentsOf = (store: Store, ref: string): readonly Shown[] => statusOf(store, ref).parents ?? [];
const firstParent = (store: Store, ref: string): Shown => parentsOf(store, ref)[0] ?? {};
const routesOf = (store: Store, host: string, table = "infra/edge/http-80"): Record<string, unknown>[] => {
  const found = [...store.resources("virtual-host", table)].find(({ name }) => name === host);
  return found ? (JSON.parse(found.json) as { routes: Record<string, unknown>[] }).routes : [];
};

describe("session persistence", () => {
  const compiled = (sessionPersistence: Manifest, more: Manifest = {}) =>
    compileAll(
      parse([
        gatewayClass,
        gateway("edge", [http]),
        app,
        service("shop", "other"),
        route("a", "edge", { hostnames: ["a.test"], rules: [{ backendRefs, sessionPersistence, ...more }] }),
      ]),
    );

  it.each<[string, Manifest, Manifest, string]>([
    [
      "a time limit of a header",
      { type: "Header", absoluteTimeout: "1h" },
      {},
      "have no time limit in Envoy",
    ],
    [
      "a header for several backends",
      { type: "Header" },
      { backendRefs: [...backendRefs, { name: "other", port: 80 }] },
      "can only have sessions of type Cookie",
    ],
    ["parts of seconds", { absoluteTimeout: "1500ms" }, {}, "must be whole seconds"],
    ["no time", { absoluteTimeout: "0s" }, {}, "must be whole seconds"],
    ["a name with a space", { sessionName: "a b" }, {}, "letters, digits and -"],
    ["a name of Envoy's", { type: "Header", sessionName: "Host" }, {}, "can't be set"],
  ])("that Envoy does not have is left out, and said: %s", (_, session, more, message) => {
    const store = compiled(session, more);
    const parent = firstParent(store, "HTTPRoute/shop/a");
    expect(conditionsOf(parent)).toMatchObject({
      Accepted: "True Accepted",
      PartiallyInvalid: "True UnsupportedValue",
    });
    expect(JSON.stringify(parent)).toContain(message);
    const [only, ...others] = routesOf(store, "a.test");
    expect(others).toEqual([]);
    expect(JSON.stringify(only)).not.toContain("stateful_session");
    expect(only).toHaveProperty("route");
  });

  it("of several backends has a route for the cookie of each, before the one by weight", () => {
    const store = compiled({}, { backendRefs: [...backendRefs, { name: "other", port: 80, weight: 0 }] });
    const routes = routesOf(store, "a.test");
    expect(routes.length).toBe(3);
    expect(routes.map(({ match }) => (match as { headers?: unknown[] }).headers?.length ?? 0)).toEqual([
      1, 1, 0,
    ]);
    expect(protoErrors(store)).toEqual([]);
  });

  it("has cookies of the same name when another backend is added or weights change", () => {
    const namesOf = (refs: readonly Manifest[]): readonly string[] =>
      [
        ...JSON.stringify(routesOf(compiled({}, { backendRefs: refs }), "a.test")).matchAll(
          /"cookie":\{"name":"([^"]+)"/g,
        ),
      ].map(([, name = ""]) => name);
    const [one] = namesOf(backendRefs);
    expect(namesOf([{ name: "other", port: 80, weight: 3 }, ...backendRefs])).toContain(one);
  });

  it.each<[Parameters<typeof cookiePath>[0], string]>([
    [{ kind: "prefix", value: "/" }, "/"],
    [{ kind: "segment", value: "/shop" }, "/shop"],
    [{ kind: "exact", value: "/shop/a" }, "/shop/a"],
    [{ kind: "exact", value: "/a;b/c" }, "/"],
    [{ kind: "regex", value: "/p1/p2/.*/p3" }, "/p1/p2"],
    [{ kind: "regex", value: "/p1/p2" }, "/p1/p2"],
    [{ kind: "regex", value: "/p1/p2?/x" }, "/p1"],
    [{ kind: "regex", value: "/p1/*" }, "/"],
    [{ kind: "regex", value: "/a/b|/c" }, "/"],
    [{ kind: "regex", value: "(?i)/a" }, "/"],
  ])("has the path of the match: %j", (match, path) => {
    expect(cookiePath(match)).toBe(path);
  });

  it("is in the explanation of a request", () => {
    const explained = explainer(
      parse([
        gatewayClass,
        gateway("edge", [http]),
        app,
        route("a", "edge", {
          hostnames: ["a.test"],
          rules: [{ backendRefs, sessionPersistence: { sessionName: "s", absoluteTimeout: "1h" } }],
        }),
      ]),
    );
    expect(JSON.stringify(explained("GET", "http://a.test/"))).toMatch(/cookie s-[0-9a-f]{8} for \/, 3600s/);
  });
});

describe("ExternalAuth", () => {
  const filter = {
    type: "ExternalAuth",
    externalAuth: { protocol: "HTTP", backendRef: { name: "door", port: 80 }, http: {} },
  };
  const manifests = (...more: readonly Manifest[]) =>
    parse([
      gatewayClass,
      gateway("edge", [http]),
      app,
      route("a", "edge", {
        hostnames: ["a.test"],
        rules: [
          { backendRefs, filters: [filter] },
          { matches: [{ path: { value: "/open" } }], backendRefs },
        ],
      }),
      ...more,
    ]);

  it("of a missing Service refuses the rule and no other", () => {
    const store = compileAll(manifests());
    expect(conditionsOf(firstParent(store, "HTTPRoute/shop/a"))).toMatchObject({
      Accepted: "True Accepted",
      ResolvedRefs: "False BackendNotFound",
    });
    expect(routesOf(store, "a.test").map((one) => Object.keys(one).filter((key) => key !== "match"))).toEqual(
      [["route"], ["direct_response"]],
    );
  });

  it("of a Service is enabled for the rule, and in the explanation", () => {
    const objects = manifests(service("shop", "door"));
    const store = compileAll(objects);
    expect(protoErrors(store)).toEqual([]);
    expect(conditionsOf(firstParent(store, "HTTPRoute/shop/a"))).toMatchObject({
      ResolvedRefs: "True ResolvedRefs",
    });
    const explained = explainer(objects);
    expect(JSON.stringify(explained("GET", "http://a.test/"))).toContain("authorization");
    expect(JSON.stringify(explained("GET", "http://a.test/open"))).not.toContain("authorization");
  });

  it("copies the headers of an answer except its own ones", () => {
    const expression = new RegExp(`^(?:${allExcept(["host", "te", "content-*"])})$`);
    const isCopied = (name: string): boolean => expression.test(name);
    expect([":status", "host", "te", "content-", "content-length", "content-type"].filter(isCopied)).toEqual(
      [],
    );
    const copied = ["x", "t", "tes", "hos", "hosts", "content", "contents", "authorization", "set-cookie"];
    expect(copied.filter((name) => !isCopied(name))).toEqual([]);
  });
});

it("filters that can't be in one rule refuse it", () => {
  const store = compileAll(
    parse([
      gatewayClass,
      gateway("edge", [http]),
      app,
      route("a", "edge", {
        hostnames: ["a.test"],
        rules: [
          {
            backendRefs,
            filters: [
              { type: "URLRewrite", urlRewrite: { hostname: "b.test" } },
              { type: "RequestRedirect", requestRedirect: { hostname: "c.test" } },
            ],
          },
        ],
      }),
    ]),
  );
  expect(conditionsOf(firstParent(store, "HTTPRoute/shop/a"))).toMatchObject({
    Accepted: "False IncompatibleFilters",
  });
  expect(routesOf(store, "a.test")[0]).toMatchObject({ direct_response: { status: 500 } });
});

it("a redirect has the CORS policy and the response headers of its rule", () => {
  const filters = [
    { type: "RequestRedirect", requestRedirect: { hostname: "b.test" } },
    { type: "CORS", cors: { allowOrigins: ["https://c.test"] } },
    { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "x-a", value: "1" }] } },
  ];
  const store = compileAll(
    parse([
      gatewayClass,
      gateway("edge", [http]),
      app,
      route("a", "edge", { hostnames: ["a.test"], rules: [{ filters }] }),
    ]),
  );
  const [redirect] = routesOf(store, "a.test");
  expect(redirect).toMatchObject({
    redirect: { host_redirect: "b.test" },
    typed_per_filter_config: { "envoy.filters.http.cors": {} },
    response_headers_to_add: [{}],
  });
});

describe("default Gateways", () => {
  const asks = (name: string, spec: Manifest = {}): Manifest =>
    route(name, "edge", { parentRefs: [], useDefaultGateways: "All", hostnames: [`${name}.test`], ...spec });
  const isServed = (store: Store, host: string, of = "edge"): boolean =>
    routesOf(store, host, `infra/${of}/http-80`).some((one) => "route" in one);

  it("have the routes that ask for them, as far as their listeners let these in", () => {
    const store = compileAll(
      parse([
        gatewayClass,
        gateway("edge", [http], { defaultScope: "All" }),
        gateway("other", [http]),
        gateway("closed", [{ ...http, allowedRoutes: { namespaces: { from: "Same" } } }], {
          defaultScope: "All",
        }),
        app,
        asks("a"),
        asks("none", { useDefaultGateways: "None" }),
        asks("named", { parentRefs: [{ namespace: "infra", name: "other" }] }),
        asks("twice", { parentRefs: [{ namespace: "infra", name: "edge" }] }),
      ]),
    );
    expect(isServed(store, "a.test")).toBe(true);
    expect(isServed(store, "a.test", "other")).toBe(false);
    expect(isServed(store, "a.test", "closed")).toBe(false);
    expect(isServed(store, "none.test")).toBe(false);
    expect([isServed(store, "named.test"), isServed(store, "named.test", "other")]).toEqual([true, true]);
    const shown = (ref: string) =>
      parentsOf(store, ref).map(
        (parent) => [(parent.parentRef as { name: string }).name, conditionsOf(parent).Accepted] as const,
      );
    expect(shown("HTTPRoute/shop/a")).toEqual([
      ["closed", "False NotAllowedByListeners"],
      ["edge", "True Accepted"],
    ]);
    expect(shown("HTTPRoute/shop/none")).toEqual([]);
    expect(shown("HTTPRoute/shop/named").map(([name]) => name)).toEqual(["other", "closed", "edge"]);
    expect(shown("HTTPRoute/shop/twice").map(([name]) => name)).toEqual(["edge", "closed"]);
    expect(conditionsOf(statusOf(store, "Gateway/infra/edge"))).toMatchObject({
      DefaultGateway: "True DefaultGateway",
    });
    expect(conditionsOf(statusOf(store, "Gateway/infra/other"))).not.toHaveProperty("DefaultGateway");
    const [listener] = statusOf(store, "Gateway/infra/edge").listeners ?? [];
    expect(listener?.attachedRoutes).toBe(3);
  });

  it("come and go with the field, and routes follow", () => {
    const store = compileAll(parse([gatewayClass, gateway("edge", [http]), app, asks("a")]));
    expect(isServed(store, "a.test")).toBe(false);
    update(store, only(gateway("edge", [http], { defaultScope: "All" })), platform);
    expect(isServed(store, "a.test")).toBe(true);
    update(store, only(gateway("edge", [http], { defaultScope: "None" })), platform);
    expect(isServed(store, "a.test")).toBe(false);
    expect(parentsOf(store, "HTTPRoute/shop/a")).toEqual([]);
  });
});

it("listeners whose hostnames overlap over TLS have the condition OverlappingTLSConfig, and no others", () => {
  const on = (port: number, listener: Manifest): Manifest => ({ ...listener, port });
  const store = compileAll(
    parse([
      gatewayClass,
      gateway(
        "edge",
        [
          https("a", "foo.example.com"),
          https("b", "foo.example.org"),
          https("c", "*.example.com"),
          on(8443, https("d", "foo.example.com")),
          on(80, { ...http, name: "plain", hostname: "foo.example.com" }),
        ],
        { allowedListeners: { namespaces: { from: "All" } } },
      ),
      listenerSet("set", [https("e", "*.example.org"), https("taken", "foo.example.com")]),
      pair,
    ]),
  );
  const overlaps = (ref: string): Record<string, string | undefined> =>
    Object.fromEntries(
      (statusOf(store, ref).listeners ?? []).map((one) => [one.name, conditionsOf(one).OverlappingTLSConfig]),
    );
  expect(overlaps("Gateway/infra/edge")).toEqual({
    a: "True OverlappingHostnames",
    b: "True OverlappingHostnames",
    c: "True OverlappingHostnames",
    d: undefined,
    plain: undefined,
  });
  expect(overlaps("ListenerSet/infra/set")).toEqual({ e: "True OverlappingHostnames", taken: undefined });
});

describe("TLSRoutes", () => {
  const tls = (name: string, port: number, mode: Manifest): Manifest => ({
    name,
    port,
    protocol: "TLS",
    tls: mode,
    allowedRoutes: { namespaces: { from: "All" } },
  });
  const tlsRoute = (section: string): Manifest => ({
    ...route(section, { namespace: "infra", name: "edge", sectionName: section }),
    kind: "TLSRoute",
    spec: {
      parentRefs: [{ namespace: "infra", name: "edge", sectionName: section }],
      hostnames: [`${section}.test`],
      rules: [{ backendRefs }],
    },
  });
  const policy: Manifest = {
    apiVersion: `${group}/v1`,
    kind: "BackendTLSPolicy",
    metadata: { namespace: "shop", name: "app" },
    spec: {
      targetRefs: [{ group: "", kind: "Service", name: "app" }],
      validation: { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: "ca" }], hostname: "app.test" },
    },
  };
  const ca: Manifest = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "shop", name: "ca" },
    data: { "ca.crt": certificateFile("ca.crt") },
  };
  const manifests = (...more: readonly Manifest[]) =>
    parse([
      gatewayClass,
      gateway("edge", [
        tls("ends", 443, { certificateRefs: [{ name: "secure" }] }),
        tls("passes", 8443, { mode: "Passthrough" }),
      ]),
      pair,
      {
        ...app,
        spec: { ports: [{ name: "http", port: 80, appProtocol: "https" }] },
      },
      tlsRoute("ends"),
      tlsRoute("passes"),
      ...more,
    ]);
  /** The SNI of TLS to the backend of a host; undefined without TLS. */
  const tlsTo = (store: Store, host: string): unknown => {
    const chains = [443, 8443].flatMap((port) => [
      ...store.resources("filter-chain", `infra/edge/https-${port}`),
    ]);
    const chain = chains.find(({ name }) => name === host)?.json ?? "";
    const [, name] = /"cluster":"([^"]+)"/.exec(chain) ?? [];
    const cluster = [...store.resources("cluster", "")].find((one) => one.name === name)?.json ?? "{}";
    const { transport_socket: socket } = JSON.parse(cluster) as {
      transport_socket?: { typed_config: { sni?: string } };
    };
    return socket && (socket.typed_config.sni ?? "");
  };

  it("with a BackendTLSPolicy are encrypted again where TLS ends, and passed through unchanged", () => {
    const store = compileAll(manifests(policy, ca));
    expect([tlsTo(store, "ends.test"), tlsTo(store, "passes.test")]).toEqual(["app.test", undefined]);
    expect(conditionsOf(statusOf(store, "BackendTLSPolicy/shop/app").ancestors?.[0] ?? {})).toMatchObject({
      Accepted: "True Accepted",
    });
    expect(protoErrors(store)).toEqual([]);
  });

  it("without one pass through unchanged, whatever protocol the Service names", () => {
    const store = compileAll(manifests());
    expect(tlsTo(store, "passes.test")).toBeUndefined();
  });

  it("with an invalid policy are closed, and said", () => {
    const store = compileAll(manifests(policy));
    expect(conditionsOf(firstParent(store, "TLSRoute/shop/ends"))).toMatchObject({
      ResolvedRefs: "False BackendNotFound",
    });
    expect(tlsTo(store, "ends.test")).toBeUndefined();
    const chains = [...store.resources("filter-chain", "infra/edge/https-443")];
    expect(chains.map(({ json }) => /"cluster":"default|shop\/app/.test(json))).not.toContain(true);
  });
});

describe("tls.options of a listener", () => {
  const options = (values: Record<string, string>) => readTlsOptions(values, defaultSettings);
  const key = (which: string): string => `isoline.dev/${which}-protocol-version`;

  it("limit the versions of the settings, and do not widen them", () => {
    expect(options({ [key("minimum")]: "1.3" })).toMatchObject({ range: { minimum: "1.3", maximum: "1.3" } });
    expect(options({ [key("maximum")]: "1.2" })).toMatchObject({ range: { minimum: "1.2", maximum: "1.2" } });
    const strict = {
      ...defaultSettings,
      tls: { ...defaultSettings.tls, minimumProtocolVersion: "1.3" as const },
    };
    expect(readTlsOptions({ [key("minimum")]: "1.2" }, strict)).toMatchObject({ range: { minimum: "1.3" } });
    expect(readTlsOptions({ [key("maximum")]: "1.2" }, strict).problem).toContain("no protocol version");
  });

  it("are refused otherwise", () => {
    expect(options({ "example.com/x": "1" }).problem).toContain("is not supported");
    expect(options({ [key("minimum")]: "1.1" }).problem).toContain("must be 1.2 or 1.3");
    const listener = (name: string, hostname: string, values: Manifest): Manifest => ({
      ...https(name, hostname),
      tls: { certificateRefs: [{ name: "secure" }], options: values },
    });
    const store = compileAll(
      parse([
        gatewayClass,
        gateway("edge", [
          listener("bad", "a.test", { "example.com/x": "1" }),
          listener("good", "b.test", { [key("minimum")]: "1.3" }),
        ]),
        pair,
      ]),
    );
    expect(
      (statusOf(store, "Gateway/infra/edge").listeners ?? []).map((one) => conditionsOf(one).Accepted),
    ).toEqual(["False UnsupportedValue", "True Accepted"]);
    const [chain] = [...store.resources("filter-chain", "infra/edge/https-443")];
    expect(chain?.json).toContain('"tls_minimum_protocol_version":"TLSv1_3"');
  });
});

describe("a UDPRoute", () => {
  const dns = (refs: readonly Manifest[]): Store =>
    compileAll(
      parse([
        gatewayClass,
        gateway("edge", [
          { name: "dns", port: 53, protocol: "UDP", allowedRoutes: { namespaces: { from: "All" } } },
        ]),
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { namespace: "shop", name: "dns" },
          spec: { ports: [{ name: "dns", port: 53, protocol: "UDP" }] },
        },
        {
          apiVersion: "discovery.k8s.io/v1",
          kind: "EndpointSlice",
          metadata: { namespace: "shop", name: "dns-1", labels: { "kubernetes.io/service-name": "dns" } },
          addressType: "IPv4",
          endpoints: [{ addresses: ["10.1.1.1"] }],
          ports: [{ name: "dns", port: 5353, protocol: "UDP" }],
        },
        {
          ...route("dns", "edge"),
          kind: "UDPRoute",
          spec: { parentRefs: [{ namespace: "infra", name: "edge" }], rules: [{ backendRefs: refs }] },
        },
      ]),
    );
  const shares = (store: Store): unknown => {
    const [endpoints] = [...store.resources("endpoints", "")].filter(({ name }) => name.startsWith("udp:"));
    return (
      JSON.parse(endpoints?.json ?? "[]") as {
        load_balancing_weight: number;
        lb_endpoints: {
          endpoint: { address: { socket_address: { address: string; port_value: number } } };
        }[];
      }[]
    ).map(({ load_balancing_weight: weight, lb_endpoints: [one] }) => {
      const at = one?.endpoint.address.socket_address;
      return [weight, `${at?.address}:${at?.port_value}`];
    });
  };

  it("drops the share of a backend that is missing", () => {
    const store = dns([
      { name: "dns", port: 53, weight: 1 },
      { name: "nobody", port: 53, weight: 4 },
    ]);
    expect(shares(store)).toEqual([
      [1, "10.1.1.1:5353"],
      [4, "127.0.0.1:9"],
    ]);
    expect(conditionsOf(firstParent(store, "UDPRoute/shop/dns"))).toMatchObject({
      ResolvedRefs: "False BackendNotFound",
    });
  });

  it("has no listener without a backend that can be used", () => {
    const listeners = [...dns([{ name: "nobody", port: 53 }]).resources("listener", "")];
    expect(listeners.filter(({ name }) => name.includes("udp"))).toEqual([]);
  });
});

describe("ListenerSets outside of rootNamespaces", () => {
  const compiled = (hostname: string | undefined, more: object = {}): Store =>
    compileAll(
      parse(
        [
          gatewayClass,
          gateway("edge", [http], { allowedListeners: { namespaces: { from: "All" } } }),
          app,
          {
            ...route("bank", "edge", { hostnames: ["www.bank.test"] }),
            metadata: { namespace: "bank", name: "bank" },
          },
          service("bank", "app"),
          listenerSet("set", [{ ...http, ...(hostname ? { hostname } : { port: 8080 }) }], "shop"),
        ],
        { ...settings, rootNamespaces: ["infra", "bank"], ...more },
      ),
    );
  const accepted = (store: Store): string | undefined =>
    conditionsOf(statusOf(store, "ListenerSet/shop/set").listeners?.[0] ?? {}).Accepted;

  it.each(["www.bank.test", "*.bank.test", "*.test", "shop.example"])("have no hostname: %s", (hostname) => {
    const store = compiled(hostname);
    expect(accepted(store)).toBe("False HostNotAllowedInNamespace");
    expect(routesOf(store, "www.bank.test")[0]).toHaveProperty("route");
  });

  it("have those that hostOwners gives to their namespace, and listeners without a hostname", () => {
    const hostOwners = [{ host: "shop.example", namespaces: ["shop"] }];
    expect(accepted(compiled("shop.example", { hostOwners }))).toBe("True Accepted");
    expect(accepted(compiled("other.example", { hostOwners }))).toBe("False HostNotAllowedInNamespace");
    expect(accepted(compiled(undefined))).toBe("True Accepted");
  });

  it("without the setting, a hostname that another listener of the port has stays with the first", () => {
    const listeners = [{ ...http, name: "bank", hostname: "www.bank.test" }];
    const store = compileAll(
      parse([
        gatewayClass,
        gateway("edge", listeners, { allowedListeners: { namespaces: { from: "All" } } }),
        app,
        {
          ...route("bank", "edge", { hostnames: ["www.bank.test"] }),
          metadata: { namespace: "bank", name: "bank" },
        },
        service("bank", "app"),
        listenerSet("set", [{ ...http, hostname: "www.bank.test" }], "shop"),
        route(
          "thief",
          { kind: "ListenerSet", namespace: "shop", name: "set" },
          { hostnames: ["www.bank.test"] },
        ),
      ]),
    );
    expect(accepted(store)).toBe("False HostnameConflict");
    expect(JSON.stringify(routesOf(store, "www.bank.test"))).toContain("bank/app/80");
    expect(JSON.stringify(routesOf(store, "www.bank.test"))).not.toContain("shop/app/80");
  });
});

describe("fleets", () => {
  const labelled = (name: string, fleet: string): Manifest =>
    gateway(name, [http], {}, { labels: { fleet } });
  const fleet = (name: string) => ({
    ...settings,
    gateway: { ...settings.gateway, selector: { matchLabels: { fleet: name } } },
  });
  const manifests = [
    gatewayClass,
    labelled("edge", "a"),
    labelled("other", "b"),
    listenerSet("of-edge", [{ ...http, port: 81 }]),
    app,
    route("a", "edge", {
      parentRefs: [
        { namespace: "infra", name: "edge" },
        { namespace: "infra", name: "other" },
      ],
      hostnames: ["a.test"],
    }),
    route("b", "other", { hostnames: ["b.test"] }),
  ];
  const stores = { a: compileAll(parse(manifests, fleet("a"))), b: compileAll(parse(manifests, fleet("b"))) };
  const listeners = (store: Store): readonly string[] =>
    [...store.resources("listener", "http")]
      .map(({ name }) => name)
      .filter((name) => name.startsWith("infra/"));

  it("have the Gateways that their labels select, each with its own routes and statuses", () => {
    expect(listeners(stores.a)).toEqual(["infra/edge/http-80"]);
    expect(listeners(stores.b)).toEqual(["infra/other/http-80"]);
    expect(routesOf(stores.a, "a.test")).toHaveLength(1);
    expect(routesOf(stores.b, "b.test", "infra/other/http-80")).toHaveLength(1);
    expect(statusOf(stores.a, "Gateway/infra/other")).toEqual({});
    expect(parentsOf(stores.a, "HTTPRoute/shop/a")).toHaveLength(1);
    expect(parentsOf(stores.a, "HTTPRoute/shop/b")).toEqual([]);
  });

  it("keep the addresses apart that they take of one pool", () => {
    const addressOf = (store: Store, ref: string) =>
      (statusOf(store, ref).addresses as { value: string }[])[0]?.value;
    const addresses = [addressOf(stores.a, "Gateway/infra/edge"), addressOf(stores.b, "Gateway/infra/other")];
    expect(new Set(addresses).size).toBe(2);
  });

  it.each<[string, boolean]>([
    ["infra/edge", true],
    ["infra/other", false],
    ["infra/gone", true],
    [`${group}/ListenerSet/infra/of-edge`, true],
  ])(
    "write the entries of their own Gateways in the statuses of routes, and remove no other: %s",
    (parent, isOwn) => {
      const own = parse([], fleet("a")).find(({ kind }) => kind === "Settings");
      const at = own?.kind === "Settings" ? own.spec : defaultSettings;
      const owner = {
        manager: "isoline",
        controllerName,
        isElsewhere: (name: string) => isOfAnotherFleet(name, stores.a, at),
      };
      expect(isOwnEntry(`parents ${parent} ${controllerName}`, "parents", new Set(), owner)).toBe(isOwn);
    },
  );

  it("follow the labels of a Gateway", () => {
    const store = compileAll(parse(manifests, fleet("a")));
    update(store, only(labelled("other", "a")), platform);
    expect(listeners(store)).toEqual(["infra/edge/http-80", "infra/other/http-80"]);
    expect(parentsOf(store, "HTTPRoute/shop/b")).toHaveLength(1);
    update(store, only(labelled("edge", "b")), platform);
    expect(listeners(store)).toEqual(["infra/other/http-80"]);
  });
});

describe("parametersRef", () => {
  const parameters = (data: Manifest): Manifest => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "infra", name: "envoys" },
    data,
  });
  const ref = { group: "", kind: "ConfigMap", name: "envoys" };
  const compiled = (data: Manifest | undefined, given: Manifest = ref): Store =>
    compileAll(
      parse([
        {
          ...gatewayClass,
          spec: { controllerName, parametersRef: { ...given, namespace: "infra" } },
        },
        gateway("edge", [http], { infrastructure: { parametersRef: given } }),
        app,
        route("a", "edge", { hostnames: ["a.test"] }),
        ...(data ? [parameters(data)] : []),
      ]),
    );
  const all = {
    "envoy.workload": "Deployment",
    "envoy.replicas": "3",
    "envoy.service-type": "NodePort",
    "envoy.external-traffic-policy": "Cluster",
    "envoy.service-annotations": "example.com/a: b\nc: d: e\n",
    "envoy.image": "registry.example/envoy:v1.40.0",
  };

  it("names a ConfigMap with known keys, and is followed", () => {
    const store = compiled(all);
    for (const of of ["Gateway/infra/edge", "GatewayClass//isoline"])
      expect(conditionsOf(statusOf(store, of)).Accepted).toBe("True Accepted");
    update(store, only(parameters({ "envoy.replicas": "many" })), platform);
    for (const of of ["Gateway/infra/edge", "GatewayClass//isoline"])
      expect(conditionsOf(statusOf(store, of)).Accepted).toBe("False InvalidParameters");
    expect(routesOf(store, "a.test")[0]).toHaveProperty("route");
  });

  it.each<[string, Manifest | undefined, Manifest, string]>([
    [
      "another kind",
      all,
      { group: "example.com", kind: "Settings", name: "envoys" },
      "is not supported, use a ConfigMap",
    ],
    ["a missing ConfigMap", undefined, ref, "is not there"],
    ["an unknown key", { ...all, replicas: "3" }, ref, 'key "replicas" is not supported, use envoy.workload'],
    ["a value that is not supported", { "envoy.workload": "Job" }, ref, "envoy.workload"],
    ["annotations that are none", { "envoy.service-annotations": "a b" }, ref, "lines of annotations"],
    ["no key", { other: "1" }, ref, "has none of the keys"],
  ])("with %s is InvalidParameters", (_, data, given, message) => {
    const store = compiled(data, given);
    for (const of of ["Gateway/infra/edge", "GatewayClass//isoline"]) {
      expect(conditionsOf(statusOf(store, of)).Accepted).toBe("False InvalidParameters");
      expect(JSON.stringify(statusOf(store, of))).toContain(JSON.stringify(message).slice(1, -1));
    }
  });
});
