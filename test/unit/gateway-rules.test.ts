import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Finding, findingsAt } from "../../src/schema/meta.js";
import type { Store } from "../../src/store/store.js";
import { compileAll, parseCase, resourcesOf } from "../support/compile.js";

const group = "gateway.networking.k8s.io";
const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../support/certs", name), "utf8");
const json = JSON.stringify;
type Fields = Readonly<Record<string, unknown>>;

const object = (kind: string, name: string, spec: Fields, more: Fields = {}): Fields => {
  const [namespace = "default", of = name] = name.includes("/") ? name.split("/") : ["default", name];
  return { apiVersion: `${group}/v1`, kind, metadata: { namespace, name: of, ...more }, spec };
};
const service = (name: string, ...ports: Fields[]): Fields => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: { ports: ports.length > 0 ? ports : [{ name: "http", port: 80 }] },
});
const secret = (name: string, data: Fields): Fields => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "Opaque",
  metadata: { namespace: "default", name },
  stringData: data,
});
const certificate = (of: string, name = "cert"): Fields =>
  secret(name, { "tls.crt": pem(`${of}.crt`), "tls.key": pem(`${of}.key`) });
const http = { name: "http", port: 80, protocol: "HTTP" };
const https = {
  name: "https",
  port: 443,
  protocol: "HTTPS",
  hostname: "secure.test",
  tls: { certificateRefs: [{ name: "cert" }] },
};
const gateway = (listeners: readonly Fields[], more: Fields = {}): Fields =>
  object("Gateway", "edge", { gatewayClassName: "edge", listeners, ...more });
const route = (kind: string, name: string, spec: Fields, created?: string): Fields =>
  object(
    kind,
    name,
    { parentRefs: [{ name: "edge" }], ...spec },
    created ? { creationTimestamp: created } : {},
  );
const backendRefs = (name: string): Fields => ({ backendRefs: [{ name, port: 80 }] });
const rules = (...all: Fields[]): Fields => ({
  hostnames: ["a.test"],
  rules: all.map((one) => ({ ...backendRefs("app"), ...one })),
});

function compile(objects: readonly Fields[], settings: Fields = {}): Store {
  const gatewayClass = {
    apiVersion: `${group}/v1`,
    kind: "GatewayClass",
    metadata: { name: "edge" },
    spec: { controllerName: "example.com/controller" },
  };
  const text = [gatewayClass, service("app"), ...objects].map((one) => json(one)).join("\n---\n");
  const gatewayRef = { namespace: "default", name: "edge" };
  const parsed = parseCase(text, json({ gatewayRef, ...settings }));
  expect(parsed.findings).toEqual([]);
  return compileAll(parsed.objects);
}

interface Route {
  readonly match: Fields;
  readonly route?: Fields;
  readonly redirect?: Fields;
}

const found = (store: Store, type: string, name: string): Fields => {
  const one = resourcesOf(store).find((resource) => resource.type === type && resource.name === name);
  if (!one) throw new Error(`${type} ${name} is not there`);
  return JSON.parse(one.json) as Fields;
};
const routesOf = (store: Store, host: string): readonly Route[] =>
  found(store, "virtual-host", host).routes as readonly Route[];
const findings = (store: Store): readonly Finding[] => [
  ...findingsAt(Date.UTC(2030, 0, 1), store.findings()),
];

it("an HTTPProxy that has TLS passed through does not get it ended by a listener for its host", () => {
  const store = compile([
    gateway([http, https]),
    certificate("secure"),
    route("HTTPRoute", "web", { hostnames: ["secure.test"], rules: [backendRefs("app")] }),
    {
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata: { namespace: "default", name: "proxy" },
      spec: {
        virtualhost: { fqdn: "secure.test", tls: { passthrough: true } },
        tcpproxy: { services: [{ name: "app", port: 80 }] },
      },
    },
  ]);
  const chain = json(found(store, "filter-chain", "secure.test"));
  expect([chain.includes("TcpProxy"), chain.includes("transport_socket")]).not.toEqual([true, true]);
});

it("a Gateway that asks for client certificates, which is not supported, is told so", () => {
  const ca = { group: "", kind: "ConfigMap", name: "ca" };
  const frontend = { default: { validation: { caCertificateRefs: [ca] } } };
  const store = compile([gateway([https], { tls: { frontend } }), certificate("secure")]);
  expect(findings(store)).not.toEqual([]);
});

it("a listener is warned of a certificate that is out of date, as an HTTPProxy is", () => {
  const store = compile([gateway([https]), certificate("expired")]);
  expect(findings(store).map(({ reason }) => reason)).toContain("CertificateOutOfDate");
});

it("gRPC goes to a backend over HTTP/2 under a BackendTLSPolicy, too", () => {
  const validation = { hostname: "app.test", caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }] };
  const targetRefs = [{ group: "", kind: "Service", name: "app" }];
  const store = compile([
    gateway([http]),
    secret("ca", { "ca.crt": pem("ca.crt") }),
    object("BackendTLSPolicy", "tls", { targetRefs, validation }),
    route("GRPCRoute", "grpc", rules({})),
  ]);
  const cluster = String(routesOf(store, "a.test")[0]?.route?.cluster);
  expect(json(found(store, "cluster", cluster))).toContain("http2_protocol_options");
});

it("a gRPC stream has no timeout", () => {
  const store = compile([
    gateway([http]),
    route("GRPCRoute", "grpc", rules({}, { matches: [{ method: { service: "x" } }] })),
  ]);
  expect(routesOf(store, "a.test").map((each) => each.route?.timeout)).toEqual(["0s", "0s"]);
});

describe("an HTTPRoute", () => {
  const compiled = (...all: Fields[]): readonly Route[] =>
    routesOf(compile([gateway([http]), route("HTTPRoute", "one", rules(...all))]), "a.test");
  const path = { type: "ReplacePrefixMatch", replacePrefixMatch: "/new/" };
  const matches = [{ path: { value: "/old" } }];

  it("replaces a prefix by one that ends in a slash without a second slash", () => {
    const [one] = compiled({ matches, filters: [{ type: "URLRewrite", urlRewrite: { path } }] });
    expect(one?.route).toMatchObject({ prefix_rewrite: "/new" });
  });

  it("redirects to a prefix that ends in a slash without a second slash", () => {
    const filters = [{ type: "RequestRedirect", requestRedirect: { path } }];
    const [one] = compiled({ matches, filters, backendRefs: [] });
    expect(one?.redirect).toMatchObject({ prefix_rewrite: "/new" });
  });

  it("has the timeout of a request where that to the backend has none", () => {
    const [one] = compiled({ timeouts: { request: "10s", backendRequest: "0s" } });
    expect(one?.route).toMatchObject({ timeout: "10s" });
  });

  it("matches every request with an empty list of matches", () => {
    expect(compiled({ matches: [] })).toMatchObject([{ match: { prefix: "/" } }]);
  });

  it("that is older comes first where both match alike closely", () => {
    const header = (name: string): Fields => ({ matches: [{ headers: [{ name, value: "1" }] }] });
    const store = compile([
      gateway([http]),
      route("HTTPRoute", "old", rules(header("z")), "2026-01-01T00:00:00Z"),
      route("HTTPRoute", "young", rules(header("a")), "2026-02-01T00:00:00Z"),
    ]);
    expect(routesOf(store, "a.test")[0]?.match).toMatchObject({ headers: [{ name: "z" }] });
  });
});

describe("the setting hostOwners says nothing of a route", () => {
  const hostOwners = [{ host: "*.owned.test", namespaces: ["owner"] }];
  const any = { ...http, allowedRoutes: { namespaces: { from: "All" } } };
  const told = (...objects: Fields[]): readonly Finding[] => findings(compile(objects, { hostOwners }));

  it("of another Gateway", () => {
    const parentRefs = [{ name: "other" }];
    const guest = object("HTTPRoute", "guest", { parentRefs, ...rules({}), hostnames: ["a.owned.test"] });
    expect(told(gateway([any]), guest)).toEqual([]);
  });

  it("that does not have the host on any listener", () => {
    const owned = { ...any, name: "owned", hostname: "*.owned.test" };
    const parentRefs = [{ name: "edge", sectionName: "http" }];
    const guest = object("HTTPRoute", "guest", { parentRefs, rules: [backendRefs("app")] });
    expect(told(gateway([any, owned]), guest)).toEqual([]);
  });

  it("at a field that it does not have", () => {
    const tls = { name: "tls", port: 443, protocol: "TLS", tls: { mode: "Passthrough" } };
    const parentRefs = [{ name: "edge" }];
    const guest = object("TCPRoute", "guest", { parentRefs, rules: [backendRefs("app")] });
    const [finding] = told(gateway([{ ...tls, hostname: "*.owned.test" }]), guest);
    expect(finding?.reason).toBe("HostNotAllowedInNamespace");
    expect(finding?.path).not.toBe("spec.virtualhost.fqdn");
  });
});

it("a TLSRoute of two rules has a warning: only its first rule is served", () => {
  const passthrough = { name: "tls", port: 443, protocol: "TLS", tls: { mode: "Passthrough" } };
  const tls = route("TLSRoute", "two", {
    hostnames: ["secure.test"],
    rules: [backendRefs("app"), backendRefs("app")],
  });
  expect(findings(compile([gateway([passthrough]), tls]))).toMatchObject([
    { about: "TLSRoute/default/two", severity: "warning", reason: "OneRule", path: "spec.rules[1]" },
  ]);
});
