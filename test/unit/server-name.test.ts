import { describe, expect, it } from "vitest";
import { serverName } from "../../src/graph/backends/server-name.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import type { Store } from "../../src/store/store.js";
import {
  certificateFile,
  httpProxy,
  ingressRoute,
  type Manifest,
  secret,
  tlsSecret,
} from "../support/backend.js";
import { compileAll } from "../support/compile.js";
import { gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";

/** Hosts of a `Host` header, and the server name of TLS to the backend. */
const hosts: Readonly<Record<string, string | undefined>> = {
  "inner.test": "inner.test",
  "inner.test:8443": "inner.test",
  "inner.test.:8443": "inner.test",
  "Inner.Test": "Inner.Test",
  "my_service.test": "my_service.test",
  inner: "inner",
  "192.0.2.7": undefined,
  "192.0.2.7:443": undefined,
  "127.1": undefined,
  "0x7f.1": undefined,
  "2130706433": undefined,
  "[2001:db8::7]": undefined,
  "[2001:db8::7]:443": undefined,
  "2001:db8::7": undefined,
  "*.inner.test": undefined,
  "bücher.test": undefined,
  "a b": undefined,
  "%REQ(x-a)%.test": undefined,
  [`${"a".repeat(63)}.`.repeat(4)]: undefined,
};

it.each(Object.entries(hosts))("is, for the host %s, %s", (host, name) => {
  expect(serverName(host)).toBe(name);
});

const service = (name: string, spec: Manifest): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: { ports: [{ name: "https", port: 443, appProtocol: "https" }], ...spec },
});
const services = [
  service("plain", {}),
  service("named", { type: "ExternalName", externalName: "Outside.Example.com." }),
  service("address", { type: "ExternalName", externalName: "192.0.2.9" }),
];
const background = [
  ...services,
  tlsSecret("default", "secure"),
  secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
  ...gateway(onPort(8080, "http", "HTTP"), onPort(8443, "tls", "TLS", { tls: { mode: "Passthrough" } })),
];

function compile(objects: readonly Manifest[], settings: Manifest = {}): Store {
  const parsed = [...background, ...objects].map((manifest) => {
    const read = parseObject(manifest);
    if (!("object" in read)) throw new Error(JSON.stringify(read));
    return read.object;
  });
  const all = { ...gatewaySettings, enableExternalNameService: true, ...settings };
  const store = compileAll([parseSettings(all).settings, ...parsed]);
  expect([...store.findings()].filter(({ severity }) => severity === "error")).toEqual([]);
  return store;
}

interface Written {
  readonly transport_socket?: { readonly typed_config: { readonly sni?: string } };
}

/** The server names of all clusters, in the order of the clusters; empty for none. */
const namesIn = (store: Store): string[] =>
  [...store.resources("cluster")]
    .map(({ json }) => (JSON.parse(json) as Written).transport_socket?.typed_config)
    .flatMap((tls) => (tls ? [tls.sni ?? ""] : []));

const root = { virtualhost: { fqdn: "a.test" } };
const to = (name: string, rest: Manifest = {}): Manifest => ({ name, port: 443, ...rest });
const setHost = (value: string): Manifest => ({ set: [{ name: "host", value }] });
const modifier = (value: string): Manifest => ({
  type: "RequestHeaderModifier",
  requestHeaderModifier: setHost(value),
});
const rewrite = (hostname: string): Manifest => ({ type: "URLRewrite", urlRewrite: { hostname } });
const httpRoute = (rule: Manifest): Manifest => gatewayRoute("HTTPRoute", "r", { rules: [rule] });
const proxy = (route: Manifest): Manifest => httpProxy("default", "p", { ...root, routes: [route] });
const ingress = (name: string): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: "default", name: "i" },
  spec: { defaultBackend: { service: { name, port: { number: 443 } } } },
});

describe("with a Host header that is set", () => {
  /** How each kind sets it. */
  const ways: Readonly<Record<string, (value: string) => Manifest>> = {
    "by a route of an HTTPProxy": (value) =>
      proxy({ requestHeadersPolicy: setHost(value), services: [to("plain")] }),
    "by a service of an HTTPProxy": (value) =>
      proxy({ services: [to("plain", { requestHeadersPolicy: setHost(value) })] }),
    "by a route before its service": (value) =>
      proxy({
        requestHeadersPolicy: setHost(value),
        services: [to("plain", { requestHeadersPolicy: setHost("service.test") })],
      }),
    "for an ExternalName Service": (value) =>
      proxy({ requestHeadersPolicy: setHost(value), services: [to("named")] }),
    "by a rule of an HTTPRoute": (value) =>
      httpRoute({ filters: [modifier(value)], backendRefs: [to("plain")] }),
    "by a backendRef of an HTTPRoute": (value) =>
      httpRoute({
        backendRefs: [to("plain", { filters: [modifier(value)] })],
      }),
    "by a rule of a GRPCRoute": (value) =>
      gatewayRoute("GRPCRoute", "g", {
        rules: [{ filters: [modifier(value)], backendRefs: [to("plain")] }],
      }),
  };
  it.each(Object.keys(ways))("is its host, %s", (way) => {
    for (const [host, name] of Object.entries(hosts)) {
      if (Buffer.byteLength(host) > 255 || host.includes("%")) continue;
      const objects = ways[way]?.(host);
      expect(namesIn(compile(objects ? [objects] : [])), host).toEqual([name ?? ""]);
    }
  });

  it("is the host of a URLRewrite, which takes precedence over a header modifier, also for earlier mirrors", () => {
    const mirror = { type: "RequestMirror", requestMirror: { backendRef: to("named") } };
    const rule = {
      filters: [mirror, modifier("other.test"), rewrite("inner.test")],
      backendRefs: [to("plain")],
    };
    expect(namesIn(compile([httpRoute(rule)]))).toEqual(["inner.test", "inner.test"]);
  });

  it("is the host of an HTTPProxy's mirror", () => {
    const services = [to("plain"), to("named", { mirror: true })];
    const store = compile([proxy({ requestHeadersPolicy: setHost("inner.test:8443"), services })]);
    expect(namesIn(store)).toEqual(["inner.test", "inner.test"]);
  });

  it("is the host of the settings, for services that set none", () => {
    const policy = { requestHeaders: { set: { Host: "inner.test:8443" } }, applyToIngress: true };
    const own = proxy({
      services: [to("plain", { requestHeadersPolicy: setHost("own.test") }), to("plain")],
    });
    const store = compile(
      [
        own,
        ingressRoute("default", "r", {
          virtualhost: { fqdn: "b.test" },
          routes: [{ match: "/", services: [to("plain")] }],
        }),
        ingress("plain"),
      ],
      { policy },
    );
    expect(namesIn(store).sort()).toEqual(["inner.test", "own.test"]);
    const without = compile([ingress("plain")], { policy: { ...policy, applyToIngress: false } });
    expect(namesIn(without)).toEqual([""]);
  });

  it("is never copied from a request header, but is the ExternalName if there is one", () => {
    const fromRequest = setHost("%REQ(x-host)%");
    const services = [to("plain", { requestHeadersPolicy: setHost("own.test") }), to("named")];
    expect(namesIn(compile([proxy({ requestHeadersPolicy: fromRequest, services })]))).toEqual([
      "outside.example.com",
      "",
    ]);
  });

  it("is the name of a BackendTLSPolicy, with precedence over all others", () => {
    const policy = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "BackendTLSPolicy",
      metadata: { namespace: "default", name: "t" },
      spec: {
        targetRefs: [{ group: "", kind: "Service", name: "plain" }],
        validation: {
          hostname: "policy.test",
          caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
        },
      },
    };
    const rule = { filters: [rewrite("inner.test")], backendRefs: [to("plain")] };
    expect(namesIn(compile([policy, httpRoute(rule)]))).toEqual(["policy.test"]);
  });
});

it("is the host of a key set, and the first subject name of an ExtensionService, if these are DNS names", () => {
  const keys = (host: string): Manifest =>
    httpProxy("default", "j", {
      virtualhost: {
        fqdn: "a.test",
        tls: { secretName: "secure" },
        jwtProviders: [{ name: "p", remoteJWKS: { uri: `https://${host}/jwks` } }],
      },
      routes: [{ directResponsePolicy: { statusCode: 200 } }],
    });
  expect(namesIn(compile([keys("keys.test:8443")]))).toEqual(["keys.test"]);
  expect(namesIn(compile([keys("192.0.2.7:8443")]))).toEqual([""]);
  const extension = (subjectName: string): Manifest => ({
    apiVersion: "projectcontour.io/v1alpha1",
    kind: "ExtensionService",
    metadata: { namespace: "default", name: "e" },
    spec: { services: [{ name: "plain", port: 443 }], validation: { caSecret: "ca", subjectName } },
  });
  expect(namesIn(compile([extension("auth.test")]))).toEqual(["auth.test"]);
  expect(namesIn(compile([extension("192.0.2.7")]))).toEqual([""]);
});

describe("without one", () => {
  const tls = { virtualhost: { fqdn: "a.test", tls: { secretName: "secure" } } };
  const ways: Readonly<Record<string, (name: string) => Manifest>> = {
    HTTPProxy: (name) => proxy({ services: [to(name)] }),
    "HTTPProxy tcpproxy": (name) => httpProxy("default", "t", { ...tls, tcpproxy: { services: [to(name)] } }),
    IngressRoute: (name) =>
      ingressRoute("default", "r", { ...root, routes: [{ match: "/", services: [to(name)] }] }),
    "IngressRoute tcpproxy": (name) =>
      ingressRoute("default", "r", { ...tls, tcpproxy: { services: [to(name)] } }),
    Ingress: ingress,
    HTTPRoute: (name) => httpRoute({ backendRefs: [to(name)] }),
  };
  it.each(Object.keys(ways))("is the ExternalName if that is a DNS name, by %s", (way) => {
    const of = (name: string): string[] => namesIn(compile([ways[way]?.(name) ?? {}]));
    expect(of("named")).toEqual(["outside.example.com"]);
    expect(of("address")).toEqual([""]);
    expect(of("plain")).toEqual([""]);
  });

  it("is not there for a TLSRoute whose TLS passes through, whatever protocol the Service has", () => {
    const spec = { hostnames: ["t.test"], rules: [{ backendRefs: [to("named")] }] };
    expect(namesIn(compile([gatewayRoute("TLSRoute", "t", spec, "tls")]))).toEqual([]);
  });
});
