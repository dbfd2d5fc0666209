import { describe, expect, it } from "vitest";
import { httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { attack, proxyWith } from "../support/threat.js";

const header = (value: Manifest): Manifest =>
  proxyWith({ conditions: [{ prefix: "/" }, { header: { name: "x-a", ...value } }] });
const tlsProxy = (namespace: string, secretName: string): Manifest =>
  httpProxy(namespace, "bad", {
    virtualhost: { fqdn: "bad.test", tls: { secretName } },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  });
const external = (name: string): readonly Manifest[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: "ext" },
    spec: { type: "ExternalName", externalName: name, ports: [{ port: 80 }] },
  },
  proxyWith({ services: [{ name: "ext", port: 80 }] }),
];
const delegation = (targets: readonly string[], secretName = "secure"): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "TLSCertificateDelegation",
  metadata: { namespace: "keys", name: "d" },
  spec: { delegations: [{ secretName, targetNamespaces: targets }] },
});
const keyOf = (secret: Manifest): string => (secret.data as Record<string, string>)["tls.key"] ?? "none";

describe("patterns that RE2 does not accept", () => {
  it.each([
    "(?=a)",
    "(a)\\1",
    "\\u0041",
    "a{1001}",
    "(a",
    "(((a{100}){100}){100})",
    `${"a".repeat(65_536)}(`,
  ])("%.40s", (pattern) => {
    const attacked = attack([header({ regex: pattern })]);
    expect(attacked.reasons().length).toBeGreaterThan(0);
    expect(attacked.output).not.toContain(JSON.stringify(pattern).slice(1, -1));
  });
});

describe("our own checks are linear", () => {
  it("200 KB in each place take well under a second", () => {
    const long = "a".repeat(200_000);
    // CPU time of this process, independent of other processes.
    const start = process.cpuUsage();
    for (const value of [long, `${long}!`, `${".a".repeat(100_000)}!`, "-".repeat(200_000)]) {
      attack([proxyWith({}, { fqdn: value })]);
      attack([proxyWith({ conditions: [{ prefix: `/${value}` }] })]);
      attack([header({ exact: value })]);
      attack([proxyWith({ timeoutPolicy: { response: value } })]);
      attack([proxyWith({ requestHeadersPolicy: { set: [{ name: value, value }] } })]);
    }
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000 / 20).toBeLessThan(200);
  });
});

describe("Secrets of other namespaces", () => {
  const secret = tlsSecret("keys", "secure");
  const bad = [service("default", "a"), tlsProxy("default", "keys/secure")];
  it.each([
    ["no delegation", []],
    ["a delegation to another namespace", [delegation(["other"])]],
    ["a delegation of another Secret", [delegation(["default"], "tcp")]],
  ])("%s", (_, delegations) => {
    const attacked = attack([secret, ...bad, ...delegations]);
    expect(attacked.reasons()).toContain("DelegationNotPermitted");
    expect(attacked.output).not.toContain(keyOf(secret));
    expect(attacked.host("bad.test")).toBeUndefined();
  });

  it("with one, the key is served", () => {
    expect(attack([secret, ...bad, delegation(["default"])]).output).toContain(keyOf(secret));
  });
});

describe("other references across namespaces", () => {
  it("the CA of a backend", () => {
    const services = [
      { name: "a", port: 80, protocol: "tls", validation: { caSecret: "keys/secure", subjectName: "a" } },
    ];
    const attacked = attack([tlsSecret("keys", "secure"), proxyWith({ services })]);
    expect(attacked.reasons()).toContain("CACertificateNotDelegated");
  });

  it("the CA of client certificates", () => {
    const withCa = (namespace: string, fields: Manifest): ReturnType<typeof attack> => {
      const ca = {
        ...tlsSecret(namespace, "secure"),
        metadata: { name: "ca", namespace },
        data: { "ca.crt": (tlsSecret("keys", "secure").data as Record<string, string>)["tls.crt"] },
      };
      const tls = { secretName: "secure", clientValidation: fields };
      return attack([tlsSecret("default", "secure"), ca as Manifest, proxyWith({}, { tls })]);
    };
    expect(withCa("default", { caSecret: "ca" }).reasons()).toEqual([]);
    for (const fields of [{ caSecret: "keys/ca" }, { caSecret: "ca", crlSecret: "keys/ca" }]) {
      const attacked = withCa("keys", fields);
      expect(attacked.reasons()).toContain("DelegationNotPermitted");
      expect(attacked.host("bad.test")).toBeUndefined();
    }
  });

  it("the CA of an IngressRoute's backend, of an ExtensionService and of a JWKS", () => {
    const ca = {
      ...tlsSecret("keys", "secure"),
      metadata: { name: "ca", namespace: "keys" },
      data: { "ca.crt": (tlsSecret("keys", "secure").data as Record<string, string>)["tls.crt"] },
    } as Manifest;
    const tlsService = {
      ...service("default", "t"),
      metadata: {
        name: "t",
        namespace: "default",
        annotations: { "projectcontour.io/upstream-protocol.tls": "80" },
      },
    };
    const validation = { caSecret: "keys/ca", subjectName: "a" };
    const route: Manifest = {
      apiVersion: "contour.heptio.com/v1beta1",
      kind: "IngressRoute",
      metadata: { name: "bad", namespace: "default" },
      spec: {
        virtualhost: { fqdn: "bad.test" },
        routes: [{ match: "/", services: [{ name: "t", port: 80, validation }] }],
      },
    };
    expect(attack([ca, tlsService as Manifest, route]).reasons()).toContain("TLSUpstreamValidation");
    const extension: Manifest = {
      apiVersion: "projectcontour.io/v1alpha1",
      kind: "ExtensionService",
      metadata: { name: "bad", namespace: "default" },
      spec: { services: [{ name: "a", port: 80 }], protocol: "h2", validation },
    };
    expect(attack([ca, extension]).reasons()).toContain("CACertificateNotDelegated");
    const remoteJWKS = { uri: "https://a.test/jwks", validation };
    const jwtProviders = [{ name: "p", remoteJWKS }];
    const jwt = attack([
      ca,
      tlsSecret("default", "secure"),
      proxyWith({}, { tls: { secretName: "secure" }, jwtProviders }),
    ]);
    expect(jwt.reasons()).toContain("RemoteJWKSCACertificateNotDelegated");
  });
});

describe("ExternalName for this machine, its network or the API server", () => {
  it.each([
    "localhost",
    "localhost.",
    "LOCALHOST",
    "sub.localhost",
    "ip6-localhost",
    "ip6-loopback",
    "localhost6",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "169.254.169.254",
    "metadata.google.internal",
    "fe80::1",
    "fd00:ec2::254",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ])("%s", (name) => {
    const attacked = attack(external(name), "enableExternalNameService: true");
    expect(attacked.reasons().length).toBeGreaterThan(0);
    expect(attacked.output).not.toContain(`"${name}"`);
  });
});

describe("any ExternalName", () => {
  it("for the server of xDS is refused", () => {
    const settings = "{enableExternalNameService: true, xdsCluster: xds.example.com}";
    expect(attack(external("xds.example.com"), settings).reasons().length).toBeGreaterThan(0);
  });
  it("is off by default", () => {
    const attacked = attack(external("example.com"));
    expect(attacked.reasons().length).toBeGreaterThan(0);
    expect(attacked.output).not.toContain("example.com");
  });
  it("can be enabled", () => {
    expect(attack(external("example.com"), "enableExternalNameService: true").output).toContain(
      "example.com",
    );
  });
});

describe("endpoints", () => {
  const slice = (address: string, namespace = "default"): Manifest => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name: "bad", labels: { "kubernetes.io/service-name": "b" } },
    addressType: address.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: "http", port: 8080 }],
  });
  const route = proxyWith({ services: [{ name: "b", port: 80 }] });
  it.each(["169.254.169.254", "224.0.0.1", "0.0.0.0", "ff02::1", "fe80::1"])("%s is dropped", (address) => {
    expect(attack([service("default", "b"), slice(address), route]).output).not.toContain(`"${address}"`);
  });
  it("of another namespace do not belong to the Service", () => {
    expect(attack([service("default", "b"), slice("10.9.9.9", "evil"), route]).output).not.toContain(
      "10.9.9.9",
    );
  });
  it("of the Service's namespace do", () => {
    expect(attack([service("default", "b"), slice("10.9.9.9"), route]).output).toContain("10.9.9.9");
  });
});

describe("similar names", () => {
  it("never share a cluster", () => {
    const pairs = [
      ["a", "b-c"],
      ["a-b", "c"],
      ["ab", "c"],
    ] as const;
    const manifests = pairs.flatMap(([namespace, name], i) => [
      service(namespace, name),
      httpProxy(namespace, `p${i}`, {
        virtualhost: { fqdn: `h${i}.test` },
        routes: [{ services: [{ name, port: 80 }] }],
      }),
    ]);
    const { store } = attack(manifests);
    const names = [...store.resources("cluster")].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const own = new Set([...attack([]).store.resources("cluster")].map(({ name }) => name));
    const added = names.filter((name) => !own.has(name));
    expect(added).toHaveLength(3);
    expect(added.filter((name) => /^(xds|isoline)/.test(name))).toEqual([]);
  });
});

describe("two objects claim a host", () => {
  const claim = (namespace: string, time = "2026-01-01T00:00:00Z"): Manifest => ({
    ...httpProxy(namespace, "p", {
      virtualhost: { fqdn: "shared.test" },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    }),
    metadata: { namespace, name: "p", creationTimestamp: time },
  });
  it("neither gets it, and both get an error", () => {
    const attacked = attack([service("evil", "a"), claim("default"), claim("evil", "1990-01-01T00:00:00Z")]);
    expect(attacked.host("shared.test")).toBeUndefined();
    const told = attacked.findings
      .filter(({ reason }) => reason === "DuplicateVhost")
      .map(({ about }) => about);
    expect([...new Set(told)].sort()).toEqual(["HTTPProxy/default/p", "HTTPProxy/evil/p"]);
  });
  it.each([
    [
      "the host itself",
      "[{host: shared.test, namespaces: [default]}, {host: good.test, namespaces: [default]}, {host: '*.test', namespaces: [evil]}]",
    ],
    ["a wildcard", "[{host: '*.test', namespaces: [default]}]"],
  ])("an owner keeps it, by %s", (_, owners) => {
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { namespace: "evil", name: "i" },
      spec: {
        rules: [
          {
            host: "shared.test",
            http: {
              paths: [
                { path: "/x", pathType: "Exact", backend: { service: { name: "a", port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    };
    const manifests = [service("evil", "a"), claim("default"), claim("evil"), ingress];
    const attacked = attack(manifests, `hostOwners: ${owners}`);
    expect(attacked.host("shared.test")).toContain("default/a");
    expect(attacked.host("shared.test")).not.toContain("evil/a");
    const told = attacked.findings.filter(({ reason }) => reason === "HostNotAllowedInNamespace");
    expect(new Set(told.map(({ about }) => about))).toEqual(new Set(["HTTPProxy/evil/p", "Ingress/evil/i"]));
  });
  it("the host itself takes precedence over a wildcard, and a longer wildcard over a shorter one", () => {
    const owners =
      "[{host: '*.a.test', namespaces: [default]}, {host: '*.test', namespaces: [evil]}, {host: good.test, namespaces: [default]}]";
    const at = (namespace: string, fqdn: string): Manifest => ({
      ...httpProxy(namespace, fqdn.replaceAll(".", "-"), {
        virtualhost: { fqdn },
        routes: [{ services: [{ name: "a", port: 80 }] }],
      }),
    });
    const all = [
      at("default", "x.a.test"),
      at("evil", "y.a.test"),
      at("evil", "x.test"),
      at("default", "y.test"),
    ];
    const attacked = attack([service("evil", "a"), ...all], `hostOwners: ${owners}`);
    const served = ["x.a.test", "y.a.test", "x.test", "y.test"].filter((host) => attacked.host(host));
    expect(served).toEqual(["x.a.test", "x.test"]);
  });
  it("root namespaces reserve a host for its owner, whatever the creation times", () => {
    const manifests = [service("evil", "a"), claim("default"), claim("evil", "1990-01-01T00:00:00Z")];
    const attacked = attack(manifests, "rootNamespaces: [default]");
    expect(attacked.host("shared.test")).toContain("default/a");
    expect(attacked.reasons()).toContain("RootProxyNotAllowedInNamespace");
  });
});

describe("host names", () => {
  it.each([
    "*",
    "*.*.com",
    "a.*.com",
    "a*.com",
    "",
    " ",
    "a b.com",
    "a..com",
    ".com",
    "a.com:80",
    `${"a".repeat(300)}.com`,
    "bücher.example",
    "ａ.example",
    "a。example",
    "a\u0000.com",
    "a/b.com",
  ])("%j is refused", (fqdn) => {
    const attacked = attack([proxyWith({}, { fqdn })]);
    expect(attacked.reasons().length).toBeGreaterThan(0);
    const served = [...attacked.store.resources("virtual-host", "ingress_http")].map(({ name }) => name);
    expect(served).toEqual(["good.test"]);
  });
});

describe("spellings of one host", () => {
  const ingress = (name: string, host: string): Manifest => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "default", name },
    spec: {
      tls: [{ hosts: [host], secretName: "secure" }],
      rules: [
        {
          host,
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  });
  it("never compile to two virtual hosts or two chains", () => {
    const { store } = attack([
      tlsSecret("default", "secure"),
      ingress("one", "shared.test"),
      ingress("two", "SHARED.test"),
      proxyWith({}, { fqdn: "Bad.test", tls: { secretName: "secure" } }),
    ]);
    for (const table of ["ingress_http", "ingress_https"]) {
      const domains = [...store.resources("virtual-host", table)].flatMap(
        ({ json }) => (JSON.parse(json) as { domains: string[] }).domains,
      );
      expect(new Set(domains.map((domain) => domain.toLowerCase())).size).toBe(domains.length);
    }
    const chains = [...store.resources("filter-chain", "ingress_https")].map(({ name }) => name);
    expect(new Set(chains.map((name) => name.toLowerCase())).size).toBe(chains.length);
  });
  it("Envoy strips ports and ignores case", () => {
    const tables = [...attack([]).store.resources("route-configuration")].map(({ json }) => json);
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) expect(table).toContain('"ignore_port_in_host_matching":true');
  });
});
