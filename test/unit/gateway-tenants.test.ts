import { describe, expect, it } from "vitest";
import { compile, explain } from "../../src/index.js";
import { certificateFile, type Manifest, secret, service, tlsSecret } from "../support/backend.js";
import { classListener, classSettings, gatewayAt, gatewayClass, routeOf } from "../support/gateways.js";

const group = "gateway.networking.k8s.io";
const secure = (name: string, namespace?: string): Manifest => ({
  tls: { certificateRefs: [{ name, ...(namespace ? { namespace } : {}) }] },
});
/** The object in another namespace, younger than those of the others. */
const inNamespace = (namespace: string, one: Manifest): Manifest => ({
  ...one,
  metadata: { creationTimestamp: "2026-01-01T00:30:00Z", ...(one.metadata as Manifest), namespace },
});

const object = (kind: string, namespace: string, name: string, spec: Manifest, minute = 30): Manifest => ({
  apiVersion: `${group}/v1`,
  kind,
  metadata: { namespace, name, creationTimestamp: `2026-01-01T00:${minute}:00Z` },
  spec,
});

const listenerSet = (listeners: readonly Manifest[], minute = 30, name = "set"): Manifest =>
  object("ListenerSet", "evil", name, { parentRef: { name: "edge", namespace: "infra" }, listeners }, minute);

const evilRoute = (kind: string, spec: Manifest): Manifest =>
  inNamespace("evil", routeOf(kind, "evil", ["edge"], "own", spec));

/** A Gateway of the namespace `infra` with the host `bank.test` of the namespace `shop`; the namespace `evil` has a Service of its own. */
const served = (...listeners: readonly Manifest[]): Manifest[] => [
  gatewayClass(),
  {
    ...gatewayAt("edge", "10.80.0.1", [
      classListener("http", "HTTP", 80),
      classListener("bank", "HTTPS", 443, { hostname: "bank.test", ...secure("secure") }),
      ...listeners,
    ]),
    metadata: { namespace: "infra", name: "edge", creationTimestamp: "2026-01-01T00:10:00Z" },
  },
  tlsSecret("infra", "secure"),
  service("shop", "web"),
  service("evil", "own"),
  object(
    "HTTPRoute",
    "shop",
    "bank",
    {
      parentRefs: [{ name: "edge", namespace: "infra" }],
      hostnames: ["bank.test"],
      rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    },
    20,
  ),
];

interface Seen {
  readonly http: string;
  readonly https: string;
  readonly reasons: readonly string[];
  readonly output: string;
}

function seen(objects: readonly Manifest[], settings: Manifest = classSettings): Seen {
  const compiled = compile(objects, { settings });
  const summary = (url: string): string => explain(compiled, { url, gateway: "infra/edge" }).summary;
  const { xds, findings } = compiled;
  return {
    http: summary("http://bank.test/"),
    https: summary("https://bank.test/"),
    reasons: findings
      .filter(({ severity }) => severity === "error")
      .map(({ about, reason }) => `${about} ${reason}`),
    output: JSON.stringify(xds),
  };
}

const good = { http: "goes to shop/web/80", https: "goes to shop/web/80" };

describe("another namespace can't take the host of a Gateway", () => {
  const toHost = { hostnames: ["bank.test"] };
  it.each<[what: string, attack: readonly Manifest[], reason: string | undefined]>([
    ["by a route with the same match", [evilRoute("HTTPRoute", toHost)], undefined],
    [
      "by a GRPCRoute, which is the younger one",
      [evilRoute("GRPCRoute", toHost)],
      "GRPCRoute/evil/evil KindConflict",
    ],
    ["by a wildcard route", [evilRoute("HTTPRoute", { hostnames: ["*.test"] })], undefined],
    ["by a route without hostnames", [evilRoute("HTTPRoute", {})], undefined],
    [
      "by an older wildcard route",
      [
        {
          ...evilRoute("HTTPRoute", { hostnames: ["*.test"] }),
          metadata: { namespace: "evil", name: "old", creationTimestamp: "2020-01-01T00:00:00Z" },
        },
      ],
      undefined,
    ],
    ["by a TLSRoute", [evilRoute("TLSRoute", toHost)], "TLSRoute/evil/evil NotAllowedByListeners"],
    ["by a TCPRoute", [evilRoute("TCPRoute", {})], "TCPRoute/evil/evil NotAllowedByListeners"],
    [
      "by a listener with the same port and hostname",
      [
        listenerSet([classListener("x", "HTTPS", 443, { hostname: "bank.test", ...secure("tcp") })]),
        tlsSecret("evil", "tcp"),
      ],
      "ListenerSet/evil/set HostnameConflict",
    ],
    [
      "by an older listener with the same port and hostname",
      [
        listenerSet([classListener("x", "HTTPS", 443, { hostname: "bank.test", ...secure("tcp") })], 1 + 9),
        tlsSecret("evil", "tcp"),
      ],
      "ListenerSet/evil/set HostnameConflict",
    ],
    [
      "by another protocol on the port",
      [
        listenerSet([classListener("x", "TCP", 443), classListener("y", "HTTPS", 80, secure("tcp"))]),
        tlsSecret("evil", "tcp"),
      ],
      "ListenerSet/evil/set ProtocolConflict",
    ],
    [
      "by TLS that is passed through beside it",
      [
        listenerSet([
          classListener("x", "TLS", 443, { hostname: "bank.test", tls: { mode: "Passthrough" } }),
        ]),
      ],
      "ListenerSet/evil/set HostnameConflict",
    ],
    [
      "by a listener with a wider hostname",
      [
        listenerSet([classListener("x", "HTTPS", 443, { hostname: "*.test", ...secure("tcp") })]),
        tlsSecret("evil", "tcp"),
      ],
      undefined,
    ],
    [
      "by a Gateway with the same address and port",
      [
        inNamespace("evil", gatewayAt("edge", "10.80.0.1", [classListener("http", "HTTP", 80)])),
        evilRoute("HTTPRoute", toHost),
      ],
      "Gateway/evil/edge AddressNotUsable",
    ],
    [
      "by a Gateway with the same address and another port",
      [inNamespace("evil", gatewayAt("a", "10.80.0.1", [classListener("http", "HTTP", 8080)]))],
      "Gateway/evil/a AddressNotUsable",
    ],
    [
      "by a BackendTLSPolicy for the Service of another namespace",
      [
        object("BackendTLSPolicy", "evil", "p", {
          targetRefs: [{ group: "", kind: "Service", name: "web", namespace: "shop" }],
          validation: {
            hostname: "evil.test",
            caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
          },
        }),
        secret("evil", "ca", { "ca.crt": certificateFile("ca.crt") }),
      ],
      undefined,
    ],
  ])("%s", (_, attack, reason) => {
    const found = seen([...served(), ...attack]);
    expect(found).toMatchObject(good);
    expect(found.output).not.toContain("evil.test");
    if (reason !== undefined) expect(found.reasons.join("\n")).toContain(reason);
  });

  it("by a listener with a closer hostname, where hostOwners gives the host to others", () => {
    const attack = listenerSet([classListener("x", "HTTP", 80, { hostname: "bank.test" })]);
    const settings = { ...classSettings, hostOwners: [{ host: "bank.test", namespaces: ["shop"] }] };
    const found = seen(
      [...served(), attack, evilRoute("HTTPRoute", { parentRefs: [{ kind: "ListenerSet", name: "set" }] })],
      settings,
    );
    expect(found).toMatchObject(good);
    expect(found.reasons).toContain("ListenerSet/evil/set HostNotAllowedInNamespace");
  });
});

describe("another namespace can't use what is not granted to it", () => {
  const grant = (namespace: string, kind: string, from = "evil"): Manifest =>
    object("ReferenceGrant", namespace, "grant", {
      from: [{ group, kind, namespace: from }],
      to: [
        { group: "", kind: "Secret" },
        { group: "", kind: "Service" },
        { group: "", kind: "ConfigMap" },
      ],
    });
  const theirs = listenerSet([
    classListener("x", "HTTPS", 8443, { hostname: "x.test", ...secure("secure", "infra") }),
  ]);
  const toBank = evilRoute("HTTPRoute", {
    hostnames: ["evil-host.test"],
    rules: [{ backendRefs: [{ name: "web", namespace: "shop", port: 80 }] }],
  });

  it.each<[what: string, attack: readonly Manifest[], reason: string]>([
    ["a certificate of the Gateway's namespace", [theirs], "ListenerSet/evil/set RefNotPermitted"],
    [
      "the same, with a grant in its own namespace",
      [theirs, grant("evil", "ListenerSet")],
      "ListenerSet/evil/set RefNotPermitted",
    ],
    [
      "the same, with a grant for Gateways",
      [theirs, grant("infra", "Gateway")],
      "ListenerSet/evil/set RefNotPermitted",
    ],
    ["a Service", [toBank], "HTTPRoute/evil/evil RefNotPermitted"],
    [
      "the same, with a grant in its own namespace",
      [toBank, grant("evil", "HTTPRoute")],
      "HTTPRoute/evil/evil RefNotPermitted",
    ],
    [
      "the same, with a grant for another namespace",
      [toBank, grant("shop", "HTTPRoute", "other")],
      "HTTPRoute/evil/evil RefNotPermitted",
    ],
    [
      "the client certificate of another namespace",
      [
        inNamespace(
          "evil",
          gatewayAt("own", "10.80.0.9", [classListener("http", "HTTP", 80)], {
            tls: { backend: { clientCertificateRef: { name: "secure", namespace: "infra" } } },
          }),
        ),
      ],
      "Gateway/evil/own RefNotPermitted",
    ],
  ])("%s", (_, attack, reason) => {
    const found = seen([...served(), ...attack]);
    expect(found.reasons).toContain(reason);
    expect(found).toMatchObject(good);
  });

  it("listeners of a Gateway or a ListenerSet that allow routes of their own namespace alone", () => {
    const same = { allowedRoutes: { namespaces: { from: "Same" } } };
    const own = object("ListenerSet", "shop", "set", {
      parentRef: { name: "edge", namespace: "infra" },
      listeners: [{ name: "own", protocol: "HTTP", port: 8081, hostname: "own.test", ...same }],
    });
    const attack = evilRoute("HTTPRoute", {
      parentRefs: [
        { kind: "ListenerSet", namespace: "shop", name: "set" },
        { namespace: "infra", name: "edge", sectionName: "inner" },
      ],
    });
    const inner = classListener("inner", "HTTP", 81, same);
    const { reasons } = seen([...served(inner), own, attack]);
    expect(reasons.filter((one) => one === "HTTPRoute/evil/evil NotAllowedByListeners")).toHaveLength(2);
  });

  it("a Gateway that does not allow its ListenerSets", () => {
    const [cls, gateway, ...others] = served();
    const spec = (gateway?.spec ?? {}) as Manifest;
    const closed = { ...gateway, spec: { ...spec, allowedListeners: { namespaces: { from: "Same" } } } };
    const set = listenerSet([classListener("x", "HTTP", 8081)]);
    expect(seen([...(cls ? [cls] : []), closed, ...others, set]).reasons).toContain(
      "ListenerSet/evil/set NotAllowed",
    );
  });
});

it("a namespace has at most 128 listeners of a Gateway: the older ListenerSets", () => {
  const sets = [10, 11, 12].map((minute) =>
    listenerSet(
      Array.from({ length: 64 }, (_, i) =>
        classListener(`l${i}`, "HTTP", 80, { hostname: `h${minute}-${i}.test` }),
      ),
      minute,
      `set-${minute}`,
    ),
  );
  const { reasons, http } = seen([...served(), ...sets]);
  expect(reasons).toEqual(["ListenerSet/evil/set-12 OverBudget"]);
  expect(http).toBe(good.http);
});
