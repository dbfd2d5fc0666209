import { describe, expect, it } from "vitest";
import { parentsOf } from "../../src/graph/api/gateway/attach.js";
import { update } from "../../src/update.js";
import { certificateFile, type Manifest, secret, service, tlsSecret } from "../support/backend.js";
import { platform } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { backendRefs, gateway, gatewayRoute, onPort } from "../support/gateway.js";
import {
  compileWithGateway,
  inNamespace,
  openGateway,
  openListeners,
  outputOf,
  readerOf,
  routeKinds,
  routeTo,
  tlsOf,
} from "../support/gateway-threat.js";

const group = "gateway.networking.k8s.io";
const toOther = { name: "app", namespace: "bank", port: 80 };
const mirrorTo = (ref: Manifest): Manifest =>
  gatewayRoute("HTTPRoute", "route", {
    hostnames: ["a.test"],
    rules: [
      {
        backendRefs: backendRefs("own"),
        filters: [{ type: "RequestMirror", requestMirror: { backendRef: ref } }],
      },
    ],
  });

const grant = (from: Manifest, to: Manifest, namespace = "bank"): Manifest => ({
  apiVersion: `${group}/v1beta1`,
  kind: "ReferenceGrant",
  metadata: { namespace, name: "grant" },
  spec: { from: [from], to: [to] },
});
const from = (kind: string, namespace = "default"): Manifest => ({ group, kind, namespace });
const toService = { group: "", kind: "Service" };
const toSecret = { group: "", kind: "Secret" };

describe("what is in another namespace", () => {
  const nearly = (kind: string, to: Manifest): readonly (readonly [string, readonly Manifest[]])[] => [
    ["no grant", []],
    ["a grant in the referring namespace", [grant(from(kind), to, "default")]],
    ["a grant in a third namespace", [grant(from(kind), to, "third")]],
    ["a grant for objects of another namespace", [grant(from(kind, "third"), to)]],
    ["a grant for all namespaces", [grant(from(kind, "*"), to)]],
    ["a grant for another kind", [grant(from(kind === "HTTPRoute" ? "GRPCRoute" : "HTTPRoute"), to)]],
    ["a grant for a kind of another group", [grant({ ...from(kind), group: "" }, to)]],
    ["a grant of another kind of object", [grant(from(kind), to.kind === "Secret" ? toService : toSecret)]],
    ["a grant of another group of object", [grant(from(kind), { ...to, group })]],
    ["a grant of another name", [grant(from(kind), { ...to, name: "app2" })]],
    ["a grant of a pattern of names", [grant(from(kind), { ...to, name: "*" })]],
  ];
  const uses: readonly (readonly [string, string, Manifest])[] = [
    ...routeKinds.map((kind) => [kind, kind, routeTo(kind, toOther)] as const),
    ["mirror of an HTTPRoute", "HTTPRoute", mirrorTo(toOther)],
  ];
  const cases = uses.flatMap(([what, kind, route]) =>
    nearly(kind, toService).map(([name, grants]) => ({ what, name, grants, route })),
  );

  it.each(cases)("$what: its Service is not reached by $name", ({ grants, route }) => {
    const { output, reasons } = compileWithGateway([
      ...openGateway(),
      service("bank", "app"),
      service("default", "own"),
      route,
      ...grants,
    ]);
    expect(output).not.toContain("bank/app");
    expect(reasons).toContain("RefNotPermitted");
  });

  it.each(uses)("%s: its Service is reached by a grant, and no more once that is gone", (_, kind, route) => {
    const granted = grant(from(kind), { ...toService, name: "app" });
    const { output, store } = compileWithGateway([
      ...openGateway(),
      service("bank", "app"),
      service("default", "own"),
      route,
      granted,
    ]);
    expect(output).toContain("bank/app");
    update(store, [{ gone: "ReferenceGrant/bank/grant" }], platform);
    expect(outputOf(store)).not.toContain("bank/app");
  });

  const stolen = onPort(9443, "stolen", "HTTPS", { hostname: "stolen.test", ...tlsOf("tcp", "bank") });
  const anyHost = gatewayRoute("HTTPRoute", "any", { rules: [{ backendRefs: backendRefs("own") }] });
  const withStolen: readonly Manifest[] = [
    ...openGateway(stolen),
    tlsSecret("bank", "tcp"),
    service("default", "own"),
    anyHost,
  ];
  // The Gateway's own namespace takes the place of the routes'.
  const gatewayGrants = nearly("Gateway", toSecret).map(([name, grants]) => ({
    name,
    grants: JSON.parse(JSON.stringify(grants).replaceAll('"default"', '"infra"')) as readonly Manifest[],
  }));

  it.each(gatewayGrants)("a certificate is not shown by $name", ({ grants }) => {
    for (const secrets of ["sds", "inline"]) {
      const { output, chain, reasons } = compileWithGateway([...withStolen, ...grants], { secrets });
      expect(output).not.toContain("bank/tcp");
      expect(chain("stolen.test")).toBe("");
      expect(reasons).toContain("RefNotPermitted");
    }
  });

  it("a certificate is shown by a grant, and no more once that is gone", () => {
    const granted = grant(from("Gateway", "infra"), { ...toSecret, name: "tcp" });
    const { output, chain, store } = compileWithGateway([...withStolen, granted]);
    expect(output).toContain("bank/tcp");
    expect(chain("stolen.test")).not.toBe("");
    update(store, [{ gone: "ReferenceGrant/bank/grant" }], platform);
    expect(outputOf(store)).not.toContain("bank/tcp");
  });

  const policy = (namespace: string, target: string, ca: string): Manifest => ({
    apiVersion: `${group}/v1`,
    kind: "BackendTLSPolicy",
    metadata: { namespace, name: "policy" },
    spec: {
      targetRefs: [{ ...toService, name: target }],
      validation: { hostname: "checked.test", caCertificateRefs: [{ ...toSecret, name: ca }] },
    },
  });
  const ofBank: readonly Manifest[] = [
    ...openGateway(),
    service("bank", "app"),
    inNamespace("bank", routeTo("HTTPRoute", { name: "app", port: 80 })),
    ...["default", "bank"].map((namespace) =>
      secret(namespace, `ca-of-${namespace}`, { "ca.crt": certificateFile("ca.crt") }),
    ),
  ];

  it.each(["app", "bank/app", "../bank/app"])(
    "a policy of another namespace for Service %s has no effect",
    (name) => {
      const { output } = compileWithGateway([...ofBank, policy("default", name, "ca-of-default")]);
      expect(output).toBe(compileWithGateway(ofBank).output);
    },
  );

  it.each(["ca-of-default", "default/ca-of-default", "../default/ca-of-default"])(
    "a policy under CA %s of another namespace lets no request through",
    (name) => {
      const { output, host } = compileWithGateway([...ofBank, policy("bank", "app", name)]);
      expect(output).not.toContain("checked.test");
      expect(host("a.test")).toContain('"status":500');
    },
  );

  it("a policy under a CA of its own namespace counts", () => {
    const { output } = compileWithGateway([...ofBank, policy("bank", "app", "ca-of-bank")]);
    expect(output).toContain("checked.test");
  });
});

describe("listeners say who may be attached", () => {
  const attached = (
    allowedRoutes: Manifest,
    more: readonly Manifest[] = [],
    namespace = "guest",
  ): boolean => {
    const listener = onPort(9080, "web", "HTTP", { allowedRoutes });
    const route = inNamespace(namespace, routeTo("HTTPRoute", { name: "app", port: 80 }));
    return (
      compileWithGateway([...gateway(listener), service(namespace, "app"), route, ...more]).host("a.test") !==
      ""
    );
  };
  const labelled = (labels: Manifest, name = "guest"): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  });
  const selecting = (selector: Manifest): Manifest => ({ namespaces: { from: "Selector", selector } });
  const named = (...values: string[]): Manifest =>
    selecting({ matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values }] });

  it.each<[string, boolean, Manifest, readonly Manifest[], string?]>([
    ["all", true, { namespaces: { from: "All" } }, []],
    ["those of the Gateway's namespace", false, { namespaces: { from: "Same" } }, []],
    ["those of the Gateway's namespace, by default", false, {}, []],
    ["those of the Gateway's namespace, of it", true, {}, [], "infra"],
    ["nobody", false, { namespaces: { from: "None" } }, [], "infra"],
    ["a label that it has", true, selecting({ matchLabels: { team: "a" } }), [labelled({ team: "a" })]],
    ["a label of another value", false, selecting({ matchLabels: { team: "a" } }), [labelled({ team: "b" })]],
    [
      "a label of another namespace",
      false,
      selecting({ matchLabels: { team: "a" } }),
      [labelled({ team: "a" }, "x")],
    ],
    ["a label that every object has", false, selecting({ matchLabels: { constructor: "" } }), [labelled({})]],
    ["no label at all", false, selecting({}), [labelled({ team: "a" })]],
    ["a namespace by its name", true, named("guest"), []],
    ["another namespace by its name", false, named("infra"), []],
    [
      "another namespace by a name that is forged",
      false,
      named("infra"),
      [labelled({ "kubernetes.io/metadata.name": "infra" })],
    ],
    ["another kind of route", false, { namespaces: { from: "All" }, kinds: [{ kind: "GRPCRoute" }] }, []],
    [
      "its kind of another group",
      false,
      { namespaces: { from: "All" }, kinds: [{ group: "example.com", kind: "HTTPRoute" }] },
      [],
    ],
  ])("%s: %s", (_, expected, allowedRoutes, more, namespace) => {
    expect(attached(allowedRoutes, more, namespace)).toBe(expected);
  });

  it.each<[string, Manifest]>([
    ["of another name", { name: "other", namespace: "infra" }],
    ["of the route's own namespace", { name: "edge" }],
    ["of another group", { name: "edge", namespace: "infra", group: "example.com" }],
    ["of another kind", { name: "edge", namespace: "infra", kind: "Service" }],
    ["on a listener that is not there", { name: "edge", namespace: "infra", sectionName: "none" }],
    ["on a port that is not there", { name: "edge", namespace: "infra", port: 1 }],
  ])("a route to a Gateway %s is not served", (_, parent) => {
    const other = inNamespace("default", gateway(...openListeners)[1] ?? {});
    const route = routeTo("HTTPRoute", { name: "app", port: 80 }, { parentRefs: [parent] });
    expect(
      compileWithGateway([...openGateway(), other, service("default", "app"), route]).host("a.test"),
    ).toBe("");
  });

  it("a listener that lets in its own namespace alone keeps its host from a wider one that lets in all", () => {
    const own = onPort(9080, "own", "HTTP", { hostname: "bank.shop.test", allowedRoutes: {} });
    const wide = onPort(9080, "wide", "HTTP", { hostname: "*.shop.test" });
    for (const hostnames of [["bank.shop.test"], ["*.shop.test"], ["*.test"], []]) {
      const route = routeTo("HTTPRoute", { name: "app", port: 80 }, { hostnames });
      const { host } = compileWithGateway([...gateway(own, wide), service("default", "app"), route]);
      expect(host("bank.shop.test"), hostnames.join()).toBe("");
    }
  });

  it("what is asked of one host alone is what a route has there of all its hosts", () => {
    const label = fc.constantFrom("a", "b");
    const hostname = fc
      .tuple(fc.boolean(), fc.array(label, { minLength: 1, maxLength: 3 }))
      .map(([wild, labels]) => (wild ? "*." : "") + labels.join("."));
    const hostnames = fc.uniqueArray(hostname, { maxLength: 6 });
    const sections = fc.subarray([undefined, "l0", "l1"], { minLength: 1 });
    fc.assert(
      fc.property(
        hostnames,
        fc.uniqueArray(fc.oneof(fc.constant(""), hostname)),
        sections,
        (all, listeners, refs) => {
          const spec = {
            hostnames: all,
            parentRefs: refs.map((sectionName) => ({ namespace: "infra", name: "edge", sectionName })),
          };
          const made = listeners.map((one, i) => onPort(9080 + (i % 2), `l${i}`, "HTTP", { hostname: one }));
          if (made.length === 0) return;
          const reader = readerOf([
            ...gateway(...made),
            routeTo("HTTPRoute", { name: "app", port: 80 }, spec),
          ]);
          const route = reader.get("HTTPRoute", "default", "route");
          if (!route) throw new Error("the route is not there");
          const placesOf = (host: string, only?: string): unknown[] =>
            parentsOf(route, reader, only).flatMap(({ attached }) =>
              attached.filter(({ hosts }) => hosts.includes(host)).map(({ listener }) => listener.spec.name),
            );
          for (const host of new Set([...all, ...listeners.map((one) => one || "*"), "a.a.a", "*"]))
            expect(placesOf(host, host), host).toEqual(placesOf(host));
        },
      ),
    );
  });
});
