import { describe, expect, it } from "vitest";
import { update } from "../../src/update.js";
import type { Manifest } from "../support/backend.js";
import { backend, background, claim, ingress, old, rootOf, routeOf, secure, to } from "../support/claims.js";
import { compileAll, platform } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { onPort } from "../support/gateway.js";
import { compileWithGateway, openGateway, parseWithGateway, tlsOf } from "../support/gateway-threat.js";

/** Every kind that may claim a host, claiming a host of another namespace. */
const claimsOn = (host: string): readonly [string, Manifest][] => [
  ["HTTPProxy", old(rootOf("HTTPProxy", "evil", host))],
  ["HTTPProxy with TLS", old(rootOf("HTTPProxy", "evil", host, undefined, secure))],
  ...(host.startsWith("*")
    ? []
    : [
        [
          "IngressRoute",
          old(rootOf("IngressRoute", "evil", host, { tcpproxy: { services: to } }, secure)),
        ] as [string, Manifest],
      ]),
  ["Ingress", old(ingress("evil", { host, tls: [host] }))],
  ["HTTPRoute", old(routeOf("HTTPRoute", [host]))],
  ["GRPCRoute", old(routeOf("GRPCRoute", [host]))],
  ["TLSRoute", old(routeOf("TLSRoute", [host]))],
];
const gatewayFor = openGateway(
  onPort(9443, "web-pass", "TLS", { hostname: "*.web.test", tls: { mode: "Passthrough" } }),
  onPort(9444, "web-ended", "TLS", { hostname: "*.test", ...tlsOf("secure") }),
);

describe.each<[string, Manifest, Manifest]>([
  ["rootNamespaces", { rootNamespaces: ["shop"] }, rootOf("HTTPProxy", "shop", "web.test")],
  [
    "rootNamespaces, of a host by an Ingress",
    { rootNamespaces: ["shop"] },
    ingress("shop", { host: "web.test" }),
  ],
  [
    "rootNamespaces, of a host by an IngressRoute",
    { rootNamespaces: ["shop"] },
    rootOf("IngressRoute", "shop", "web.test"),
  ],
  [
    "rootNamespaces, of a host by an HTTPRoute",
    { rootNamespaces: ["shop"] },
    routeOf("HTTPRoute", ["web.test"], "shop"),
  ],
  [
    "hostOwners",
    { hostOwners: [{ host: "web.test", namespaces: ["shop"] }] },
    rootOf("HTTPProxy", "shop", "web.test"),
  ],
])("the setting %s reserves a host", (_, settings, own) => {
  const before = claim([...gatewayFor, own], settings);
  it.each(claimsOn("web.test"))("from a %s", (kind, theirs) => {
    const { host, chain, told } = claim([...gatewayFor, own, theirs], settings);
    expect([host("web.test"), chain("web.test")]).toEqual([
      before.host("web.test"),
      before.chain("web.test"),
    ]);
    expect(told.some((one) => one.startsWith(`error ${kind.split(" ")[0]}/evil `))).toBe(true);
    expect(told.some((one) => one.includes("/shop "))).toBe(false);
  });
});

describe.each<[string, Manifest, Manifest]>([
  ["rootNamespaces", { rootNamespaces: ["shop"] }, rootOf("HTTPProxy", "shop", "*.web.test")],
  [
    "rootNamespaces, of an HTTPRoute",
    { rootNamespaces: ["shop"] },
    routeOf("HTTPRoute", ["*.web.test"], "shop"),
  ],
  [
    "hostOwners",
    { hostOwners: [{ host: "*.web.test", namespaces: ["shop"] }] },
    rootOf("HTTPProxy", "shop", "*.web.test"),
  ],
])("the setting %s reserves hosts below a wildcard", (_, settings, own) => {
  it.each(
    ["a.web.test", "b.a.web.test", "*.a.web.test"].flatMap((host) =>
      claimsOn(host).map(([kind, theirs]) => ({ host, kind, theirs })),
    ),
  )("$host from a $kind", ({ host: name, kind, theirs }) => {
    const { host, chain, told } = claim([...gatewayFor, own, theirs], settings);
    expect(host(name) + chain(name)).not.toContain("evil/");
    expect(told.some((one) => one.startsWith(`error ${kind.split(" ")[0]}/evil `))).toBe(true);
  });
});

describe("outside the root namespaces", () => {
  const settings = { rootNamespaces: ["shop"] };
  it("an Ingress and routes are served under their own hosts, roots are not", () => {
    for (const [kind, theirs] of claimsOn("evil.test")) {
      const isRoot = kind.startsWith("HTTPProxy") || kind === "IngressRoute";
      const { host, chain } = claim(
        [...gatewayFor, rootOf("HTTPProxy", "shop", "web.test"), theirs],
        settings,
      );
      expect((host("evil.test") + chain("evil.test")).includes("evil/a"), kind).toBe(!isRoot);
    }
  });

  it("a default backend in a root namespace reserves no host", () => {
    const any = { ...ingress("shop", {}), spec: { defaultBackend: backend } };
    expect(claim([any, ingress("evil", { host: "evil.test" })], settings).host("evil.test")).toContain(
      "evil/a",
    );
  });

  it("an entry of hostOwners takes precedence over a wildcard of a root namespace", () => {
    const both = { ...settings, hostOwners: [{ host: "evil.web.test", namespaces: ["evil"] }] };
    const objects = [rootOf("HTTPProxy", "shop", "*.web.test"), ingress("evil", { host: "evil.web.test" })];
    expect(claim(objects, both).host("evil.web.test")).toContain("evil/a");
    expect(claim(objects, settings).host("evil.web.test")).toBe("");
  });
});

describe("a wider host does not receive requests for a reserved host that no object claims", () => {
  const wide: readonly [string, Manifest, string][] = [
    ["an HTTPRoute of a wildcard", routeOf("HTTPRoute", ["*.test"]), "404"],
    ["an HTTPRoute without hostnames", routeOf("HTTPRoute", []), "404"],
    ["a GRPCRoute without hostnames", routeOf("GRPCRoute", []), "404"],
    ["an Ingress of a wildcard", ingress("evil", { host: "*.test", tls: ["*.test"] }), "404"],
    ["a default backend", { ...ingress("evil", {}), spec: { defaultBackend: backend } }, "404"],
    ["a TLSRoute of a wildcard", routeOf("TLSRoute", ["*.test"]), "closed"],
    ["a TCPRoute of a wildcard listener", routeOf("TCPRoute", []), "closed"],
  ];
  const owners = (...hosts: readonly string[]): Manifest => ({
    hostOwners: hosts.map((host) => ({ host, namespaces: ["shop"] })),
  });
  const seen = (manifests: readonly Manifest[], settings: Manifest, name: string): string => {
    const { host, chain } = claim([...gatewayFor, ...manifests], settings);
    return [
      ...new Set([
        ...(host(name) === ""
          ? []
          : [host(name).includes("evil/") ? "evil" : host(name).includes('"routes":[]') ? "404" : "served"]),
        ...(chain(name).includes("isoline.closed") ? ["closed"] : []),
      ]),
    ].join();
  };

  it.each(wide)("%s", (_, theirs, expected) => {
    for (const kept of ["web.test", "*.web.test"]) {
      expect(seen([theirs], owners(kept), kept)).toBe(expected);
      expect(seen([theirs], {}, kept)).toBe("");
      expect(seen([], owners(kept), kept)).toBe("");
    }
  });

  it.each(wide.filter(([name]) => name !== "a default backend"))(
    "%s, over TLS, for a host that a root namespace has over plain HTTP only",
    (_, theirs, expected) => {
      const own = rootOf("HTTPProxy", "shop", "web.test");
      const settings = { rootNamespaces: ["shop"] };
      const { store, chain } = compileWithGateway([...background, ...gatewayFor, own, theirs], settings);
      const of = (table: string): string => store.resource("virtual-host", table, "web.test")?.json ?? "";
      expect(of("ingress_http")).toContain("shop/a");
      expect(of("ingress_https").includes('"routes":[]')).toBe(expected === "404");
      expect(chain("web.test").includes("isoline.closed")).toBe(expected === "closed");
    },
  );

  it("a wider host with claims of keepers only stays served", () => {
    expect(seen([routeOf("HTTPRoute", ["*.test"], "shop")], owners("web.test"), "web.test")).toBe("");
  });

  it("a more specific wildcard of the keepers takes precedence over a wider one of others", () => {
    const own = routeOf("HTTPRoute", ["*.web.test"], "shop");
    const any = routeOf("HTTPRoute", ["*.test"], "evil");
    const { store } = compileWithGateway([...background, ...gatewayFor, own, any], owners("a.web.test"));
    expect(store.resource("virtual-host", "ingress_http", "a.web.test")).toBeUndefined();
    expect(seen([any], owners("a.web.test"), "a.web.test")).toBe("404");
  });

  it("depends on the wider host", () => {
    const any = routeOf("HTTPRoute", ["*.test"]);
    const { objects } = parseWithGateway([...background, ...gatewayFor], owners("web.test"));
    const [late] = parseWithGateway([any], {}).objects.filter(({ kind }) => kind === "HTTPRoute");
    if (!late) throw new Error("the route is not valid");
    const store = compileAll(objects);
    const kept = (): string | undefined => store.resource("virtual-host", "ingress_http", "web.test")?.json;
    expect(kept()).toBeUndefined();
    update(store, [late], platform);
    expect(kept()).toContain('"routes":[]');
    update(store, [{ gone: late.ref }], platform);
    expect(kept()).toBeUndefined();
  });

  it("is explained", () => {
    const routes = [routeOf("HTTPRoute", ["*.test"]), routeOf("TLSRoute", ["*.test"])];
    const { objects } = parseWithGateway([...background, ...gatewayFor, ...routes], owners("*.web.test"));
    const explain = explainer(objects);
    const said = ["http://a.web.test:1080/", "https://a.web.test:1444/"].map((url) => explain("GET", url));
    expect(said.map(({ outcome }) => outcome)).toEqual(["not-found", "closed"]);
    for (const { summary } of said) expect(summary).toContain("*.web.test is reserved for its owners");
  });
});
