import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/schema/meta.js";
import { httpProxy, ingressRoute, type Manifest, service } from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { explainer } from "../support/explain.js";
import { gatewayRoute } from "../support/gateway.js";
import { openGateway, parseWithGateway } from "../support/gateway-threat.js";

const services = [{ name: "a", port: 80 }];
const backend = { service: { name: "a", port: { number: 80 } } };
const base = [service("default", "a"), ...openGateway()];

/** The object that serves each path of web.test, and the findings about equal matches. */
function winners(
  manifests: readonly Manifest[],
  ...urls: readonly string[]
): { by: readonly string[]; told: readonly Finding[] } {
  const { objects } = parseWithGateway([...base, ...manifests]);
  const explain = explainer(objects);
  const by = urls.map((url) => {
    const [path = "", ...headers] = url.split("|");
    return explain("GET", `http://web.test${path}`, headers).route?.origin?.ref ?? "none";
  });
  const told = [...compileAll(objects).findings()].filter(
    ({ reason }) => reason === "SameMatch" || reason === "RuleMatchPartiallyConflict",
  );
  return { by: by.map((ref) => ref.split("/")[0] ?? ""), told };
}

type Conditions = readonly Manifest[];
const proxy = (...routes: readonly Conditions[]): Manifest =>
  httpProxy("default", "web", {
    virtualhost: { fqdn: "web.test" },
    routes: routes.map((conditions) => ({ conditions, services })),
  });
const oldProxy = (...matches: readonly string[]): Manifest =>
  ingressRoute("default", "web", {
    virtualhost: { fqdn: "web.test" },
    routes: matches.map((match) => ({ match, services })),
  });
const ingress = (...paths: readonly (readonly [string, string])[]): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "web" },
  spec: {
    rules: [
      { host: "web.test", http: { paths: paths.map(([pathType, path]) => ({ path, pathType, backend })) } },
    ],
  },
});
const route = (kind: string, ...values: readonly string[]): Manifest =>
  gatewayRoute(kind, "web", {
    hostnames: ["web.test"],
    rules: values.map((value) => ({ matches: [{ path: { value } }], backendRefs: services })),
  });

describe("a route of an HTTPProxy comes before one of an Ingress with the same match", () => {
  it.each<[string, Conditions, readonly [string, string], readonly string[], readonly string[]]>([
    ["all", [{ prefix: "/" }], ["Prefix", "/"], ["/", "/x"], ["HTTPProxy", "HTTPProxy"]],
    [
      "a prefix",
      [{ prefix: "/x" }],
      ["Prefix", "/x"],
      ["/x", "/x/y", "/xy"],
      ["HTTPProxy", "HTTPProxy", "HTTPProxy"],
    ],
    [
      "a prefix of text",
      [{ prefix: "/x" }],
      ["ImplementationSpecific", "/x"],
      ["/x", "/xy"],
      ["HTTPProxy", "HTTPProxy"],
    ],
    [
      "a prefix with a slash in the Ingress",
      [{ prefix: "/x" }],
      ["Prefix", "/x/"],
      ["/x", "/x/y"],
      ["HTTPProxy", "HTTPProxy"],
    ],
    [
      "a prefix with a slash in the HTTPProxy",
      [{ prefix: "/x/" }],
      ["Prefix", "/x"],
      ["/x/", "/x/y"],
      ["HTTPProxy", "HTTPProxy"],
    ],
    ["an exact path", [{ exact: "/x" }], ["Exact", "/x"], ["/x"], ["HTTPProxy"]],
    [
      "a regular expression",
      [{ regex: "/x[0-9]" }],
      ["ImplementationSpecific", "/x[0-9]"],
      ["/x1"],
      ["HTTPProxy"],
    ],
  ])("%s", (_, conditions, path, urls, expected) => {
    for (const objects of [
      [proxy(conditions), ingress(path)],
      [ingress(path), proxy(conditions)],
    ]) {
      const { by, told } = winners(objects, ...urls);
      expect(by).toEqual(expected);
      expect(told.map(({ about }) => about).sort()).toEqual(["HTTPProxy/default/web", "Ingress/default/web"]);
      expect(told.every(({ severity }) => severity === "warning")).toBe(true);
    }
  });

  it("matches of only one object stay with it", () => {
    const objects = [
      proxy([{ prefix: "/x/y" }], [{ exact: "/only" }]),
      ingress(["Prefix", "/x"], ["Prefix", "/own"]),
    ];
    const { by, told } = winners(objects, "/x", "/x/y/z", "/own/a", "/only");
    expect(by).toEqual(["Ingress", "HTTPProxy", "Ingress", "HTTPProxy"]);
    expect(told).toEqual([]);
  });

  it("a route with more conditions comes first, whatever the kind of its prefix", () => {
    const canary = [{ prefix: "/x" }, { header: { name: "x-canary", exact: "1" } }];
    const { by, told } = winners([proxy(canary), ingress(["Prefix", "/x"])], "/x/y|x-canary: 1", "/x/y");
    expect(by).toEqual(["HTTPProxy", "Ingress"]);
    expect(told).toEqual([]);
  });
});

describe("the order of kinds", () => {
  it.each<[string, Manifest, Manifest, readonly string[]]>([
    [
      "IngressRoute before Ingress",
      oldProxy("/x"),
      ingress(["Prefix", "/x"]),
      ["IngressRoute", "IngressRoute"],
    ],
    ["HTTPRoute before Ingress", route("HTTPRoute", "/x"), ingress(["Prefix", "/x"]), ["HTTPRoute", "none"]],
    [
      "HTTPRoute before IngressRoute",
      route("HTTPRoute", "/x"),
      oldProxy("/x"),
      ["HTTPRoute", "IngressRoute"],
    ],
    [
      "HTTPRoute before HTTPProxy, which keeps what is no segment",
      route("HTTPRoute", "/x"),
      proxy([{ prefix: "/x" }]),
      ["HTTPRoute", "HTTPProxy"],
    ],
  ])("%s", (_, first, second, expected) => {
    const { by, told } = winners([second, first], "/x/y", "/xy");
    expect(by).toEqual(expected);
    expect(new Set(told.map(({ about }) => about))).toEqual(
      new Set([first, second].map(({ kind }) => `${kind}/default/web`)),
    );
  });

  it("GRPCRoute before HTTPRoute", () => {
    const grpc = gatewayRoute("GRPCRoute", "web", {
      hostnames: ["web.test"],
      rules: [{ backendRefs: services }],
    });
    const { by, told } = winners([route("HTTPRoute", "/"), grpc], "/x");
    expect(by).toEqual(["GRPCRoute"]);
    expect(told.map(({ about }) => about).sort()).toEqual(["GRPCRoute/default/web", "HTTPRoute/default/web"]);
  });
});

describe("equal matches of one object are reported", () => {
  it.each<[string, Manifest, string]>([
    ["an Ingress", ingress(["Prefix", "/x"], ["Prefix", "/x"]), "spec.rules[0].http.paths[0]"],
    ["an Ingress, with a slash", ingress(["Prefix", "/x"], ["Prefix", "/x/"]), "spec.rules[0].http.paths[0]"],
    ["an Ingress, exact", ingress(["Exact", "/x"], ["Exact", "/x"]), "spec.rules[0].http.paths[0]"],
    ["an HTTPProxy", proxy([{ prefix: "/x" }], [{ prefix: "/x" }]), "spec.routes[0]"],
    [
      "an HTTPProxy, with headers in another order",
      proxy(
        [{ header: { name: "a", exact: "1" } }, { header: { name: "b", exact: "2" } }],
        [{ header: { name: "b", exact: "2" } }, { header: { name: "a", exact: "1" } }],
      ),
      "spec.routes[0]",
    ],
    ["an IngressRoute", oldProxy("/x", "/x"), "spec.routes[0]"],
    ["an HTTPRoute, whose first rule counts", route("HTTPRoute", "/x", "/x"), "spec.rules[1]"],
  ])("%s", (_, object, path) => {
    const { told } = winners([object]);
    expect(told.length).toBeGreaterThan(0);
    for (const finding of told) {
      expect(finding).toMatchObject({ severity: "warning", about: `${object.kind}/default/web` });
      expect(finding.path?.startsWith(path)).toBe(true);
    }
  });

  it("prefixes of an HTTPProxy with and without a slash differ", () => {
    expect(winners([proxy([{ prefix: "/x" }], [{ prefix: "/x/" }])]).told).toEqual([]);
  });

  it("up to three objects are named that another one takes precedence over", () => {
    const many = Array.from({ length: 9 }, (_, i) => ({
      ...ingress(["Prefix", `/x${i}`]),
      metadata: { namespace: "default", name: `many-${i}` },
    }));
    const { told } = winners([proxy(...many.map((_, i) => [{ prefix: `/x${i}` }])), ...many]);
    const ofProxy = told.filter(({ about }) => about.startsWith("HTTPProxy/"));
    expect(ofProxy.map(({ message }) => message)).toEqual([expect.stringContaining("and 6 more")]);
  });
});
