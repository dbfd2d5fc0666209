import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/schema/meta.js";
import { update } from "../../src/update.js";
import {
  certificateFile,
  httpProxy,
  ingressRoute,
  type Manifest,
  secret,
  service,
  tlsSecret,
} from "../support/backend.js";
import { compileAll, platform } from "../support/compile.js";
import { gatewayRoute, onPort } from "../support/gateway.js";
import {
  compileWithGateway,
  inNamespace,
  openGateway,
  parseWithGateway,
  tlsOf,
} from "../support/gateway-threat.js";

/** Hosts of namespace `shop`, and what objects of namespace `evil` may do there. */
const to = [{ name: "a", port: 80 }];
const base: readonly Manifest[] = [
  ...["shop", "evil"].flatMap((namespace) => [service(namespace, "a"), tlsSecret(namespace, "secure")]),
  secret("shop", "ca", { "ca.crt": certificateFile("ca.crt") }),
];
const secure = { secretName: "secure" };

interface Served {
  /** JSON of the virtual hosts and filter chains of a host. */
  readonly host: (name: string) => string;
  readonly chain: (name: string) => string;
  /** `<severity> <Kind>/<namespace> <reason>` of each finding about claims, sorted. */
  readonly told: readonly string[];
  readonly findings: readonly Finding[];
}

/** Compiles without a Gateway unless there is one among the manifests. */
function serve(manifests: readonly Manifest[], settings: Manifest = {}): Served {
  const { host, chain, findings } = compileWithGateway([...base, ...manifests], settings);
  const own = findings.filter(
    ({ unlessBetween, reason }) => !unlessBetween && reason !== "CertificateNameMismatch",
  );
  const told = own.map(
    ({ severity, about, reason }) => `${severity} ${about.split("/", 2).join("/")} ${reason}`,
  );
  return { host, chain, told: [...new Set(told)].sort(), findings: own };
}

const ofAge = (created: string, object: Manifest): Manifest => ({
  ...object,
  metadata: { ...(object.metadata as Manifest), creationTimestamp: created },
});
const old = (object: Manifest): Manifest => ofAge("2020-01-01T00:00:00Z", object);
const young = (object: Manifest): Manifest => ofAge("2030-01-01T00:00:00Z", object);

const backend = { service: { name: "a", port: { number: 80 } } };
interface IngressFields {
  readonly host?: string;
  readonly paths?: readonly string[];
  readonly pathType?: string;
  readonly tls?: readonly string[];
  readonly annotations?: Manifest;
}
const ingress = (namespace: string, fields: IngressFields, name = "ingress"): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace, name, annotations: fields.annotations ?? {} },
  spec: {
    ...(fields.tls ? { tls: [{ hosts: fields.tls, secretName: "secure" }] } : {}),
    rules:
      fields.host === undefined
        ? []
        : [
            {
              host: fields.host,
              http: {
                paths: (fields.paths ?? ["/"]).map((path) => ({
                  path,
                  pathType: fields.pathType ?? "Prefix",
                  backend,
                })),
              },
            },
          ],
  },
});
const routeOf = (
  kind: string,
  hostnames: readonly string[],
  namespace = "evil",
  section?: string,
): Manifest =>
  inNamespace(
    namespace,
    gatewayRoute(
      kind,
      "route",
      { ...(kind === "TCPRoute" ? {} : { hostnames }), rules: [{ backendRefs: to }] },
      section,
    ),
  );

const roots: Readonly<
  Record<string, (namespace: string, fqdn: string, spec?: Manifest, tls?: Manifest) => Manifest>
> = {
  HTTPProxy: (namespace, fqdn, spec = { routes: [{ services: to }] }, tls) =>
    httpProxy(namespace, "root", { virtualhost: { fqdn, ...(tls ? { tls } : {}) }, ...spec }),
  IngressRoute: (namespace, fqdn, spec = { routes: [{ match: "/", services: to }] }, tls) =>
    ingressRoute(namespace, "root", { virtualhost: { fqdn, ...(tls ? { tls } : {}) }, ...spec }),
};
const rootOf = (kind: string, ...rest: Parameters<NonNullable<(typeof roots)[string]>>): Manifest =>
  roots[kind]?.(...rest) ?? {};

describe("roots of one host are all refused", () => {
  const forms: readonly [string, Manifest | undefined, Manifest | undefined][] = [
    ["plain", undefined, undefined],
    ["with TLS", undefined, secure],
    ["with a tcpproxy", { tcpproxy: { services: to } }, secure],
    ["passed through", { tcpproxy: { services: to } }, { passthrough: true }],
  ];
  const pairs = ["HTTPProxy", "IngressRoute"].flatMap((a) =>
    ["HTTPProxy", "IngressRoute"].map((b) => [a, b] as const),
  );
  const all = pairs.flatMap(([a, b]) =>
    forms.flatMap((own) => forms.map((theirs) => ({ a, b, own, theirs }))),
  );

  it.each(all)("$a $own.0 and $b $theirs.0", ({ a, b, own, theirs }) => {
    for (const [first, second] of [
      [old, young],
      [young, old],
    ] as const) {
      const mine = first(rootOf(a, "shop", "web.test", own[1], own[2]));
      const other = second(rootOf(b, "evil", "web.test", theirs[1], theirs[2]));
      const { host, chain, told, findings } = serve([mine, other]);
      expect([host("web.test"), chain("web.test")]).toEqual(["", ""]);
      const refused = findings.filter(({ reason }) => reason === "DuplicateVhost");
      expect(refused.map(({ about }) => about).sort()).toEqual([`${a}/shop/root`, `${b}/evil/root`].sort());
      expect(told.filter((one) => one.startsWith("error")).length).toBe(2);
    }
  });

  it("three, of both kinds, each named in Contour's words", () => {
    const { findings } = serve([
      rootOf("HTTPProxy", "shop", "web.test"),
      rootOf("HTTPProxy", "evil", "web.test"),
      rootOf("IngressRoute", "evil", "web.test"),
    ]);
    expect(new Set(findings.map(({ message }) => message))).toEqual(
      new Set([
        'fqdn "web.test" is used in multiple HTTPProxies and IngressRoutes: HTTPProxy/evil/root, HTTPProxy/shop/root, IngressRoute/evil/root',
      ]),
    );
  });

  it("an IngressRoute that can be no root takes no host down", () => {
    const wildcard = serve([
      rootOf("HTTPProxy", "shop", "*.web.test"),
      rootOf("IngressRoute", "evil", "*.web.test"),
    ]);
    expect(wildcard.host("*.web.test")).toContain("shop/a");
    expect(wildcard.told).toEqual(["error IngressRoute/evil FQDNNotValid"]);
  });
});

describe("connections are taken as the owner says, whole", () => {
  const protectedProxy = httpProxy("shop", "root", {
    virtualhost: {
      fqdn: "web.test",
      tls: { ...secure, minimumProtocolVersion: "1.3", clientValidation: { caSecret: "ca" } },
      ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }],
    },
    routes: [{ services: to }],
  });

  it("an older Ingress with a certificate of its own adds paths to a root's host and changes nothing else", () => {
    const alone = serve([protectedProxy]);
    const both = serve([
      protectedProxy,
      old(ingress("evil", { host: "web.test", paths: ["/own"], tls: ["web.test"] })),
    ]);
    expect(both.chain("web.test")).toBe(alone.chain("web.test"));
    expect(both.host("web.test")).toContain("evil/a");
    expect(both.told).toEqual([
      "warning HTTPProxy/shop HostShared",
      "warning Ingress/evil HostOfAnotherNamespace",
    ]);
  });

  it.each([
    ["a tcpproxy", { tcpproxy: { services: to } }, secure],
    ["a passthrough", { tcpproxy: { services: to } }, { passthrough: true }],
    ["a passthrough to nothing", undefined, { passthrough: true }],
  ])("an Ingress with a certificate takes no bytes of %s", (_, spec, tls) => {
    const root = rootOf("HTTPProxy", "shop", "web.test", spec, tls);
    const both = serve([root, old(ingress("evil", { host: "web.test", tls: ["web.test"] }))]);
    expect(both.chain("web.test")).toBe(serve([root]).chain("web.test"));
    expect(both.told).toContain("error Ingress/evil HostOfAnotherObject");
  });

  const edge = openGateway(onPort(9443, "web-https", "HTTPS", { hostname: "web.test", ...tlsOf("secure") }));

  it("a route on a listener with a certificate has the host, without what a root asks of clients", () => {
    const route = routeOf("HTTPRoute", ["web.test"]);
    const { chain, told, host } = serve([...edge, protectedProxy, route]);
    expect(chain("web.test")).toBe(serve([...edge, route]).chain("web.test"));
    expect(host("web.test")).not.toContain("shop/a");
    expect(told).toContain("error HTTPProxy/shop HostOfAnotherObject");
  });

  it("routes of a root that asks for nothing are served beside those of the Gateway API", () => {
    const root = rootOf(
      "HTTPProxy",
      "shop",
      "web.test",
      { routes: [{ conditions: [{ prefix: "/own" }], services: to }] },
      secure,
    );
    const { chain, host } = serve([...edge, root, routeOf("HTTPRoute", ["web.test"])]);
    expect(chain("web.test")).not.toContain("shop/secure");
    expect(host("web.test")).toContain("shop/a");
  });

  it("a certificate holds for the Ingresses of namespaces that have one for the host", () => {
    const mine = young(ingress("shop", { host: "web.test", paths: ["/shop"] }));
    const theirs = old(ingress("evil", { host: "web.test", paths: ["/evil"], tls: ["web.test"] }));
    const https = (manifests: readonly Manifest[]): string =>
      [...compileWithGateway([...base, ...manifests]).store.resources("virtual-host", "ingress_https")]
        .map(({ json }) => json)
        .join();
    expect(https([mine, theirs])).toContain("evil/a");
    expect(https([mine, theirs])).not.toContain("shop/a");
    const secured = young(ingress("shop", { host: "web.test", paths: ["/shop"], tls: ["web.test"] }));
    expect(https([secured, theirs])).toContain("shop/a");
    expect(serve([secured, theirs]).chain("web.test")).toContain('"evil/secure"');
  });
});

describe("a tls entry alone changes nothing for a host of another namespace", () => {
  const entries: readonly [string, Manifest][] = [
    ["alone", ingress("evil", { tls: ["web.test"] })],
    ["in capitals", ingress("evil", { tls: ["WEB.TEST"] })],
    ["beside a rule of its own host", ingress("evil", { host: "evil.test", tls: ["web.test", "evil.test"] })],
    ["beside a rule for a wildcard above", ingress("evil", { host: "*.test", tls: ["web.test"] })],
    [
      "with a default backend",
      {
        ...ingress("evil", { tls: ["web.test"] }),
        spec: { defaultBackend: backend, tls: [{ hosts: ["web.test"], secretName: "secure" }] },
      },
    ],
    [
      "beside a rule without a Service",
      {
        ...ingress("evil", { tls: ["web.test"] }),
        spec: {
          tls: [{ hosts: ["web.test"], secretName: "secure" }],
          rules: [
            {
              host: "web.test",
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: "none", port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      },
    ],
  ];
  const owners: readonly [string, Manifest][] = [
    ["an Ingress", ingress("shop", { host: "web.test" })],
    ["an Ingress with TLS", young(ingress("shop", { host: "web.test", tls: ["web.test"] }))],
    ["an HTTPProxy", rootOf("HTTPProxy", "shop", "web.test")],
    ["an HTTPProxy with TLS", rootOf("HTTPProxy", "shop", "web.test", undefined, secure)],
    ["an IngressRoute", rootOf("IngressRoute", "shop", "web.test")],
  ];
  it.each(
    owners.flatMap(([owner, own]) => entries.map(([entry, theirs]) => ({ owner, own, entry, theirs }))),
  )("$entry, of $owner", ({ own, theirs }) => {
    const alone = serve([own]);
    const both = serve([own, old(theirs)]);
    expect([both.host("web.test"), both.chain("web.test")]).toEqual([
      alone.host("web.test"),
      alone.chain("web.test"),
    ]);
  });

  it("its owner is told", () => {
    const { findings } = serve([
      ingress("shop", { host: "web.test" }),
      ingress("evil", { tls: ["other.test", "web.test"] }),
    ]);
    expect(findings).toMatchObject([
      {
        about: "Ingress/evil/ingress",
        severity: "warning",
        reason: "HostOfAnotherNamespace",
        path: "spec.tls[0].hosts",
      },
    ]);
  });
});

/** Every kind that may claim a host, for a host of another namespace. */
const claims = (host: string): readonly [string, Manifest][] => [
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
])("the setting %s keeps a host", (_, settings, own) => {
  const before = serve([...gatewayFor, own], settings);
  it.each(claims("web.test"))("from a %s", (kind, theirs) => {
    const { host, chain, told } = serve([...gatewayFor, own, theirs], settings);
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
])("the setting %s keeps what is below a wildcard", (_, settings, own) => {
  it.each(
    ["a.web.test", "b.a.web.test", "*.a.web.test"].flatMap((host) =>
      claims(host).map(([kind, theirs]) => ({ host, kind, theirs })),
    ),
  )("$host from a $kind", ({ host: name, kind, theirs }) => {
    const { host, chain, told } = serve([...gatewayFor, own, theirs], settings);
    expect(host(name) + chain(name)).not.toContain("evil/");
    expect(told.some((one) => one.startsWith(`error ${kind.split(" ")[0]}/evil `))).toBe(true);
  });
});

describe("outside the root namespaces", () => {
  const settings = { rootNamespaces: ["shop"] };
  it("an Ingress and routes are served under hosts of their own, roots are not", () => {
    for (const [kind, theirs] of claims("evil.test")) {
      const isRoot = kind.startsWith("HTTPProxy") || kind === "IngressRoute";
      const { host, chain } = serve(
        [...gatewayFor, rootOf("HTTPProxy", "shop", "web.test"), theirs],
        settings,
      );
      expect((host("evil.test") + chain("evil.test")).includes("evil/a"), kind).toBe(!isRoot);
    }
  });

  it("a default backend of a root namespace keeps no host", () => {
    const any = { ...ingress("shop", {}), spec: { defaultBackend: backend } };
    expect(serve([any, ingress("evil", { host: "evil.test" })], settings).host("evil.test")).toContain(
      "evil/a",
    );
  });

  it("an entry of hostOwners counts before a wildcard of a root namespace", () => {
    const both = { ...settings, hostOwners: [{ host: "evil.web.test", namespaces: ["evil"] }] };
    const objects = [rootOf("HTTPProxy", "shop", "*.web.test"), ingress("evil", { host: "evil.web.test" })];
    expect(serve(objects, both).host("evil.web.test")).toContain("evil/a");
    expect(serve(objects, settings).host("evil.web.test")).toBe("");
  });
});

describe("what no object claims of a kept host is not a wider host's", () => {
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
    const { host, chain } = serve([...gatewayFor, ...manifests], settings);
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
    "%s, over TLS, of a host that a root namespace has over plain HTTP alone",
    (_, theirs, expected) => {
      const own = rootOf("HTTPProxy", "shop", "web.test");
      const settings = { rootNamespaces: ["shop"] };
      const { store, chain } = compileWithGateway([...base, ...gatewayFor, own, theirs], settings);
      const of = (table: string): string => store.resource("virtual-host", table, "web.test")?.json ?? "";
      expect(of("ingress_http")).toContain("shop/a");
      expect(of("ingress_https").includes('"routes":[]')).toBe(expected === "404");
      expect(chain("web.test").includes("isoline.closed")).toBe(expected === "closed");
    },
  );

  it("of keepers alone a wider host stays theirs", () => {
    expect(seen([routeOf("HTTPRoute", ["*.test"], "shop")], owners("web.test"), "web.test")).toBe("");
  });

  it("a closer wildcard of the keepers comes before a wider one of others", () => {
    const own = routeOf("HTTPRoute", ["*.web.test"], "shop");
    const any = routeOf("HTTPRoute", ["*.test"], "evil");
    const { store } = compileWithGateway([...base, ...gatewayFor, own, any], owners("a.web.test"));
    expect(store.resource("virtual-host", "ingress_http", "a.web.test")).toBeUndefined();
    expect(seen([any], owners("a.web.test"), "a.web.test")).toBe("404");
  });

  it("comes and goes with the wider host", () => {
    const any = routeOf("HTTPRoute", ["*.test"]);
    const { objects } = parseWithGateway([...base, ...gatewayFor], owners("web.test"));
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
});
