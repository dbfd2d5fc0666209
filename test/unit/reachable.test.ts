import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { type Asker, readAddress, readHost } from "../../src/graph/backends/address.js";
import type { Finding } from "../../src/schema/meta.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { compileAll, parseCase, resourcesOf } from "../support/compile.js";
import { explainer } from "../support/explain.js";

const asker = (settings: object = {}): Asker => ({
  namespace: "team",
  settings: parseSettings(settings).settings.spec,
});

/** Spellings of addresses of Envoy's own machine. */
const loopback = [
  "127.0.0.1",
  "127.255.255.254",
  "::1",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::ffff:7f00:1",
  "::FFFF:7F00:1",
  "::127.0.0.1",
  "::7f00:1",
  "::ffff:0:127.0.0.1",
  "64:ff9b::7f00:1",
  "64:ff9b::127.0.0.1",
  "64:ff9b:1::7f00:1",
  "2002:7f00:1::",
];
/** Never permitted, whatever the settings. */
const never = [
  "0.0.0.0",
  "0.1.2.3",
  "::",
  "::ffff:0.0.0.0",
  "64:ff9b::",
  "169.254.169.254",
  "169.254.170.2",
  "::ffff:169.254.169.254",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1:2:3:4:a9fe:a9fe",
  "2002:a9fe:a9fe::1",
  "fe80::a9fe:a9fe",
  "fd00:ec2::254",
  "FD00:0EC2:0::23",
  "fd20:ce::254",
  "fd00:c1::a9fe:a9fe",
  "100.100.100.200",
  "::ffff:6464:64c8",
  "168.63.129.16",
  "::ffff:168.63.129.16",
  "192.0.0.192",
  "224.0.0.1",
  "239.255.255.255",
  "255.255.255.255",
  "ff02::1",
  "64:ff9b::e000:1",
];
/** Texts that some resolver parses as an address; Envoy accepts only dotted quads and IPv6. */
const oddSpellings = [
  "127.1",
  "127.0.1",
  "0x7f.1",
  "0x7f.0.0.1",
  "0X7F000001",
  "0x7f000001",
  "2130706433",
  "017700000001",
  "0177.0.0.1",
  "127.0.0.01",
  "169.254.43518",
  "0xa9fea9fe",
  "fe80::1%eth0",
  "::1%lo",
  "127.0.0.1:9001",
  "10.0.0.1.",
  "[::1]:80",
  "/run/admin.sock",
  "@admin",
  "",
  "１２７.0.0.1",
];
const names = [
  "localhost",
  "LocalHost",
  "localhost.",
  "a.localhost",
  "a.b.localhost.",
  "localhost.localdomain",
  "ip6-localhost",
  "ip6-loopback",
];
const neverNames = [
  "metadata",
  "Metadata.",
  "metadata.google.internal",
  "METADATA.GOOGLE.INTERNAL.",
  "metadata.goog",
  "metadata.c.my-project.internal",
  "instance-data",
  "instance-data.ec2.internal",
  "instance-data.eu-west-1.compute.internal",
  "metadata.tencentyun.com",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.",
  "Kubernetes.Default.SVC.cluster.local",
  "isoline",
];
const noNames = [
  "localhost..",
  "ｌｏｃａｌｈｏｓｔ",
  "local host",
  "a_b.test",
  "*.test",
  "-a.test",
  "a".repeat(254),
];

describe("addresses", () => {
  it.each(loopback)("%s requires the setting allowLoopbackEndpoints", (address) => {
    const problem = expect.stringMatching(/loopback .*allowLoopbackEndpoints does not allow .* team$/);
    expect(readAddress(address, asker())).toEqual({ problem });
    expect(readAddress(address, asker({ allowLoopbackEndpoints: ["other"] }))).toEqual({ problem });
    for (const allowLoopbackEndpoints of [true, ["other", "team"]])
      expect(readAddress(address, asker({ allowLoopbackEndpoints }))).toEqual({ host: address });
  });

  it.each(never)("%s is never used", (address) => {
    expect(readAddress(address, asker({ allowLoopbackEndpoints: true }))).toHaveProperty("problem");
  });

  it.each([...oddSpellings, ...names])("%j is not an address", (address) => {
    expect(readAddress(address, asker({ allowLoopbackEndpoints: true }))).toHaveProperty("problem");
  });

  it.each([
    "10.0.0.1",
    "10.127.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.0.2.1",
    "100.64.0.1",
    "8.8.8.8",
    "223.255.255.255",
    "2001:db8::1",
    "fd00::1",
    "fd00:ec3::254",
    "::ffff:10.0.0.1",
    "64:ff9b::808:808",
    "2002:808:808::1",
  ])("%s is used", (address) => {
    expect(readAddress(address, asker())).toEqual({ host: address });
  });

  it("of this control plane or in forbiddenHosts are refused", () => {
    const settings = {
      xdsCluster: "10.1.2.3",
      forbiddenHosts: ["10.96.0.1", "172.16.0.0/24", "fd00:1::/32"],
    };
    for (const address of [
      "10.1.2.3",
      "::ffff:10.1.2.3",
      "10.96.0.1",
      "172.16.0.9",
      "fd00:1::9",
      "64:ff9b::a60:1",
    ])
      expect(readAddress(address, asker(settings)), address).toHaveProperty("problem");
    for (const address of ["10.1.2.4", "10.96.0.2", "172.16.1.9", "fd00:2::9"])
      expect(readAddress(address, asker(settings)), address).toEqual({ host: address });
  });
});

describe("hosts", () => {
  it.each(names)("%s requires the setting allowLoopbackEndpoints", (name) => {
    expect(readHost(name, asker())).toEqual({ problem: expect.stringContaining("allowLoopbackEndpoints") });
    expect(readHost(name, asker({ allowLoopbackEndpoints: true }))).toHaveProperty("host");
  });

  it.each([...neverNames, ...noNames])("%s is never used", (name) => {
    expect(readHost(name, asker({ allowLoopbackEndpoints: true }))).toHaveProperty("problem");
  });

  it.each(oddSpellings.filter((text) => text !== "10.0.0.1."))("%j is not a host", (text) => {
    expect(readHost(text, asker({ allowLoopbackEndpoints: true }))).toHaveProperty("problem");
  });

  it.each([...loopback, ...never].flatMap((text) => [text, `${text}.`, `[${text}]`]))(
    "%s is refused",
    (text) => {
      expect(readHost(text, asker())).toHaveProperty("problem");
    },
  );

  it.each([
    ["Example.COM.", "example.com"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["0xcafe.example.com", "0xcafe.example.com"],
    ["web.shop.svc.cluster.local", "web.shop.svc.cluster.local"],
    ["kubernetes.shop.svc", "kubernetes.shop.svc"],
    ["metadata.example.com", "metadata.example.com"],
    ["[2001:DB8::1]", "2001:db8::1"],
    ["10.0.0.1", "10.0.0.1"],
  ])("%s is used as %s", (text, host) => {
    expect(readHost(text, asker())).toEqual({ host });
  });

  it("with a label svc in another place are complete names", () => {
    const settings = { xdsCluster: "xds.svc.example.com" };
    for (const name of [
      "xds",
      "xds.svc.example.org",
      "kubernetes.svc.example.com",
      "a.kubernetes.default.example.com",
    ])
      expect(readHost(name, asker(settings)), name).toEqual({ host: name });
    expect(readHost("xds.svc.example.com", asker(settings))).toHaveProperty("problem");
  });

  it("of this control plane or in forbiddenHosts are refused in every spelling", () => {
    const settings = {
      xdsCluster: "Isoline.projectcontour.svc",
      forbiddenHosts: ["vault.example.com", "*.internal.example.com", "admin.infra.svc", "10.0.0.0/8"],
    };
    for (const name of [
      "isoline.projectcontour.svc",
      "isoline.projectcontour",
      "isoline.projectcontour.svc.cluster.local.",
      "VAULT.example.com",
      "a.b.internal.example.com",
      "admin.infra",
      "admin.infra.svc.cluster.local",
      "10.9.9.9",
    ])
      expect(readHost(name, asker(settings)), name).toHaveProperty("problem");
    for (const name of ["isoline.other.svc", "internal.example.com", "evil-vault.example.com", "11.9.9.9"])
      expect(readHost(name, asker(settings)), name).toHaveProperty("host");
  });
});

it.each([
  [{ allowLoopbackEndpoints: "yes" }, "allowLoopbackEndpoints", "true, false or a list of namespaces"],
  [{ allowLoopbackEndpoints: [""] }, "allowLoopbackEndpoints", ""],
  [{ forbiddenHosts: ["10.0.0.0/33"] }, "forbiddenHosts[0]", "DNS name"],
  [{ forbiddenHosts: ["127.1/8"] }, "forbiddenHosts[0]", "DNS name"],
  [{ forbiddenHosts: ["a b"] }, "forbiddenHosts[0]", "DNS name"],
])("an invalid setting is an error: %j", (settings, path, text) => {
  const { findings, settings: read } = parseSettings(settings);
  expect(findings).toMatchObject([{ severity: "error", path: expect.stringContaining(path) }]);
  expect(findings[0]?.message).toContain(text);
  expect(read.spec).toMatchObject({ allowLoopbackEndpoints: false, forbiddenHosts: [] });
});

/** All destinations of clusters. Addresses of listeners come from the settings. */
function sockets(manifests: readonly unknown[], settings: object): Set<string> {
  const text = manifests.map((one) => JSON.stringify(one)).join("\n---\n");
  const store = compileAll(parseCase(text, JSON.stringify(settings)).objects);
  const found = new Set<string>();
  const collect = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "pipe") found.add("pipe");
      if (key === "socket_address") found.add(String((inner as { address: unknown }).address));
      collect(inner);
    }
  };
  for (const { type, json } of resourcesOf(store)) if (type !== "listener") collect(JSON.parse(json));
  return found;
}

interface Occurrence {
  readonly manifests: readonly unknown[];
  readonly settings: object;
  readonly at: readonly PropertyKey[];
  readonly value: string;
}

const golden = join(import.meta.dirname, "../golden");

/** Texts of all golden cases, by kind and path, a few times each. They cover all fields of all schemas. */
function occurrences(): Map<string, Occurrence[]> {
  const found = new Map<string, Occurrence[]>();
  for (const file of readdirSync(golden, { recursive: true, encoding: "utf8" }).sort()) {
    if (!file.endsWith("objects.yaml")) continue;
    const settingsFile = join(golden, file, "../settings.yaml");
    const written = existsSync(settingsFile) ? readFileSync(settingsFile, "utf8") : "{}";
    const settings = { ...parseAllDocuments(written)[0]?.toJS(), enableExternalNameService: true };
    const manifests = parseAllDocuments(readFileSync(join(golden, file), "utf8"))
      .map((document) => document.toJS() as Manifest | null)
      .filter((one) => one !== null);
    const visit = (value: unknown, path: string, at: readonly PropertyKey[]): void => {
      if (typeof value === "string") {
        const list = found.get(path) ?? [];
        found.set(path, list);
        if (list.length < 4 && list.at(-1)?.manifests !== manifests)
          list.push({ manifests, settings, at, value });
      } else if (typeof value === "object" && value !== null)
        for (const [key, inner] of Object.entries(value))
          visit(inner, Array.isArray(value) ? `${path}[]` : `${path}.${key}`, [...at, key]);
    };
    for (const [i, manifest] of manifests.entries()) visit(manifest, String(manifest.kind), [i]);
  }
  return found;
}

/** The manifests with another text in one place; for a URL, with another host. */
function replaced({ manifests, at, value }: Occurrence, text: string): readonly unknown[] {
  const copy = structuredClone(manifests) as unknown[];
  const parent = at.slice(0, -1).reduce<unknown>((inner, key) => (inner as never)[key], copy) as never;
  const host = text.includes(":") ? `[${text}]` : text;
  const url = /^(\w+:\/\/)[^/:]+(.*)$/.exec(value);
  (parent as Record<PropertyKey, string>)[at.at(-1) ?? ""] = url ? `${url[1]}${host}${url[2]}` : text;
  return copy;
}

describe("text of tenants that Envoy connects to", () => {
  const canaries = ["10.66.66.66", "canary.test"];
  const reaching = new Map<string, Occurrence>();
  for (const [path, list] of occurrences())
    for (const one of list)
      if (canaries.some((canary) => sockets(replaced(one, canary), one.settings).has(canary))) {
        reaching.set(path, one);
        break;
      }

  // A field that is missing here is a destination of Envoy: its node must have the type `Reachable`.
  it("is only in these fields", () => {
    expect([...reaching.keys()].sort()).toEqual([
      "EndpointSlice.endpoints[].addresses[]",
      "Endpoints.subsets[].addresses[].ip",
      "HTTPProxy.spec.virtualhost.jwtProviders[].remoteJWKS.uri",
      "Service.spec.clusterIP",
      "Service.spec.externalName",
    ]);
  });

  it.each([...reaching])("%s never leads to a forbidden destination", (_, one) => {
    const before = sockets(one.manifests, one.settings);
    for (const text of [...loopback, ...never, ...oddSpellings, ...names, ...neverNames, ...noNames]) {
      const added = [...sockets(replaced(one, text), one.settings)].filter((host) => !before.has(host));
      // A Service without its own address is reached by its name.
      expect(
        added.filter((host) => !/^[a-z]+\.[a-z]+\.svc$/.test(host) && host !== "10.0.0.1"),
        text,
      ).toEqual([]);
    }
  });
});

describe("findings on endpoints", () => {
  const slice = (addresses: readonly string[], namespace = "default"): Manifest => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name: "b-1", labels: { "kubernetes.io/service-name": "b" } },
    addressType: "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: "http", port: 8080 }],
  });
  const proxy = httpProxy("default", "b", {
    virtualhost: { fqdn: "b.test" },
    routes: [{ services: [{ name: "b", port: 80 }] }],
  });
  const compile = (
    manifests: readonly Manifest[],
    settings: object = {},
  ): { found: Finding[]; to: string[] } => {
    const text = manifests.map((one) => stringify(one)).join("---\n");
    const store = compileAll(parseCase(text, JSON.stringify(settings)).objects);
    return { found: [...store.findings()], to: [...sockets(manifests, settings)] };
  };

  it("have the object, the address, its place and the setting, once for a list of any length", () => {
    const addresses = ["10.0.0.1", ...Array.from({ length: 1000 }, (_, i) => `127.0.${i >> 8}.${i & 255}`)];
    const { found, to } = compile([service("default", "b"), slice(addresses), proxy]);
    expect(to).toEqual(["10.0.0.1"]);
    expect(found).toEqual([
      {
        about: "EndpointSlice/default/b-1",
        severity: "warning",
        type: "EndpointError",
        reason: "AddressNotAllowed",
        message:
          'address "127.0.0.0" is a loopback address, which the setting allowLoopbackEndpoints does not allow in namespace default; it is left out, and 999 more in the list',
        path: "endpoints[1].addresses[0]",
      },
    ]);
  });

  it.each([
    [true, true],
    [["default"], true],
    [["infra"], false],
    [false, false],
  ])(
    "with allowLoopbackEndpoints %j, a Service of namespace default may have them: %j",
    (allowed, served) => {
      const settings = { allowLoopbackEndpoints: allowed };
      const { found, to } = compile([service("default", "b"), slice(["127.0.0.1"]), proxy], settings);
      expect(to).toEqual(served ? ["127.0.0.1"] : []);
      expect(found).toHaveLength(served ? 0 : 1);
    },
  );

  it("are hints in an explanation, for a route and for a TCP host", () => {
    const tcp = httpProxy("default", "tcp", {
      virtualhost: { fqdn: "tcp.test", tls: { passthrough: true } },
      tcpproxy: { services: [{ name: "b", port: 80 }] },
    });
    const parsed = parseCase(
      [service("default", "b"), slice(["::1"]), proxy, tcp].map((one) => stringify(one)).join("---\n"),
    );
    const explain = explainer(parsed.objects);
    for (const url of ["http://b.test/", "https://tcp.test/"])
      expect(explain("GET", url).hints, url).toEqual([
        'EndpointSlice/default/b-1 endpoints[0].addresses[0]: address "::1" is a loopback address, which the setting allowLoopbackEndpoints does not allow in namespace default; it is left out',
      ]);
  });

  it("are the same for an ExtensionService", () => {
    const extension: Manifest = {
      apiVersion: "projectcontour.io/v1alpha1",
      kind: "ExtensionService",
      metadata: { namespace: "default", name: "auth" },
      spec: { services: [{ name: "b", port: 80 }], protocol: "h2c" },
    };
    const tls = { secretName: "secure" };
    const asking = httpProxy("default", "asking", {
      virtualhost: { fqdn: "asking.test", tls, authorization: { extensionRef: { name: "auth" } } },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    });
    const all = [
      service("default", "a"),
      service("default", "b"),
      tlsSecret("default", "secure"),
      extension,
      asking,
    ];
    expect(compile([...all, slice(["::1", "10.0.0.7"])]).to).toEqual(["10.0.0.7"]);
    const allowed = { allowLoopbackEndpoints: ["default"] };
    expect(compile([...all, slice(["127.0.0.1"])], allowed).to).toEqual(["127.0.0.1"]);
  });

  it("refuse a Service by its own name or cluster IP: the API server and this control plane", () => {
    const own = (namespace: string, name: string, clusterIP = ""): ReturnType<typeof compile> =>
      compile(
        [
          {
            ...service(namespace, name),
            metadata: { namespace, name, annotations: { "isoline.dev/endpoints": "service" } },
            spec: { clusterIP, ports: [{ name: "http", port: 80 }] },
          },
          httpProxy(namespace, "own", {
            virtualhost: { fqdn: "own.test" },
            routes: [{ services: [{ name, port: 80 }] }],
          }),
        ],
        { xdsCluster: "isoline.projectcontour.svc" },
      );
    expect(own("default", "web").to).toEqual(["web.default.svc"]);
    expect(own("default", "web", "None").to).toEqual(["web.default.svc"]);
    for (const [namespace, name, clusterIP, ref] of [
      ["default", "kubernetes", "", "Service/default/kubernetes"],
      ["projectcontour", "isoline", "None", "Service/projectcontour/isoline"],
      ["default", "web", "127.0.0.1", "Service/default/web"],
      ["default", "web", "::ffff:169.254.169.254", "Service/default/web"],
    ] as const) {
      const { found, to } = own(namespace, name, clusterIP);
      expect(to).toEqual([]);
      expect(found).toMatchObject([{ about: ref, reason: "AddressNotAllowed", path: "spec.clusterIP" }]);
    }
  });
});

describe("findings on hosts of key sets", () => {
  it("name each provider with a refused host, which gets no keys", () => {
    const uris = [
      "http://127.0.0.1:9001/config_dump",
      "http://[fd00:ec2::254]/latest/meta-data/",
      "https://Metadata.Google.Internal/keys",
      "http://2130706433/keys",
      "https://keys.example.com/keys",
    ];
    const proxy = httpProxy("default", "web", {
      virtualhost: {
        fqdn: "web.test",
        tls: { secretName: "secure" },
        jwtProviders: uris.map((uri, i) => ({ name: `p${i}`, remoteJWKS: { uri } })),
      },
      routes: [{ services: [{ name: "a", port: 80 }] }],
    });
    const text = [service("default", "a"), tlsSecret("default", "secure"), proxy].map((one) =>
      stringify(one),
    );
    const found = [...compileAll(parseCase(text.join("---\n")).objects).findings()].filter(
      ({ type }) => type === "JWTVerificationError",
    );
    expect(found.map(({ about, path, message }) => [about, path, message.split(": ").at(-1)])).toEqual(
      [
        'its host "127.0.0.1" is a loopback address, which the setting allowLoopbackEndpoints does not allow in namespace default',
        'its host "[fd00:ec2::254]" is an address of a cloud\'s metadata service',
        'its host "Metadata.Google.Internal" is a name of a cloud\'s metadata service',
        'its host "2130706433" is an address in a form that Envoy does not accept; write it in full',
      ].map((message, i) => [
        "HTTPProxy/default/web",
        `spec.virtualhost.jwtProviders[${i}].remoteJWKS.uri`,
        message,
      ]),
    );
  });
});
