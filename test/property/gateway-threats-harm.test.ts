import { describe, expect, it } from "vitest";
import { parentsIn, refsOf } from "../../src/graph/api/gateway/attach.js";
import { readBackendTls } from "../../src/graph/api/gateway/backend-tls.js";
import { readGateway } from "../../src/graph/api/gateway/gateway.js";
import { isGranted } from "../../src/graph/api/gateway/grants.js";
import { readCaBundle } from "../../src/graph/certificates/secret.js";
import type { Reader } from "../../src/graph/core/reader.js";
import { regexProblem } from "../../src/graph/matches/regex.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { certificateFile, hostProxy, httpProxy, type Manifest, secret, service } from "../support/backend.js";
import { compileAll, platform, protoErrors } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { backendRefs, gateway, gatewayRoute, onPort } from "../support/gateway.js";
import { gatewayBackground, gatewaySpecimens } from "../support/gateway-specimens.js";
import {
  compileWithGateway,
  inNamespace,
  openGateway,
  parseWithGateway,
  passed,
  readerOf,
  routeKinds,
  routeTo,
  tlsOf,
} from "../support/gateway-threat.js";
import { mutate, random } from "../support/nasty.js";

const group = "gateway.networking.k8s.io";
const app = { name: "app", port: 80 };
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Without the virtual hosts that answer 404 where a wider host of others would answer. */
const withoutClosed = (json: string): string =>
  json.replaceAll(/,?\{"name":"[^"]*","domains":\["[^"]*"\],"routes":\[\]\}/g, "");

describe("hostOwners keeps a host for its namespaces", () => {
  const hostOwners = [
    { host: "a.test", namespaces: ["bank"] },
    { host: "*.shop.test", namespaces: ["bank"] },
  ];
  const owned: readonly Manifest[] = [
    ...openGateway(
      onPort(9080, "shop", "HTTP", { hostname: "pay.shop.test" }),
      onPort(9443, "shops", "HTTPS", { hostname: "*.shop.test", ...tlsOf("secure") }),
      onPort(9443, "shop-tls", "TLS", { hostname: "tls.shop.test", ...passed }),
    ),
    service("bank", "app"),
    hostProxy("a.test", "app", "bank"),
    hostProxy("pay.shop.test", "app", "bank"),
    service("thief", "app"),
  ];
  const before = compileWithGateway(owned, { hostOwners });
  const spreads: readonly (readonly string[])[] = [
    ["a.test", "pay.shop.test", "tls.shop.test", "*.shop.test"],
    ["*.test"],
    [],
  ];

  it.each(routeKinds.flatMap((kind) => spreads.map((hostnames) => ({ kind, hostnames }))))(
    "from a $kind for $hostnames",
    ({ kind, hostnames }) => {
      const spec = kind === "TCPRoute" ? {} : { hostnames };
      const thief = inNamespace("thief", routeTo(kind, app, spec));
      const { host, chain, reasons } = compileWithGateway([...owned, thief], { hostOwners });
      for (const name of ["a.test", "pay.shop.test", "tls.shop.test", "*.shop.test"])
        expect([withoutClosed(host(name)), chain(name)], name).toEqual([
          withoutClosed(before.host(name)),
          before.chain(name),
        ]);
      if (hostnames.length > 1 && kind !== "TCPRoute") expect(reasons).toContain("HostNotAllowedInNamespace");
      const own = inNamespace("bank", routeTo(kind, app, spec));
      const { output } = compileWithGateway([...owned, own], { hostOwners });
      expect(output).not.toBe(before.output);
    },
  );
});

describe("no name, kind or protocol makes the compiler fail", () => {
  const inherited = [
    "constructor",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__defineGetter__",
    "isPrototypeOf",
  ];
  const good = [service("default", "app"), routeTo("HTTPRoute", app)];
  const alone = compileWithGateway([...openGateway(), ...good]);

  it.each(inherited)("%s", (name) => {
    const kind = { group, kind: name };
    const policy: Manifest = {
      apiVersion: `${group}/v1`,
      kind: "BackendTLSPolicy",
      metadata: { namespace: "default", name: "policy" },
      spec: {
        targetRefs: [{ group: "", kind: "Service", name: "other" }],
        validation: { hostname: "a.test", caCertificateRefs: [{ group: "", kind: name, name }] },
      },
    };
    const { host, reasons } = compileWithGateway([
      ...openGateway(
        onPort(9001, "protocol", name),
        onPort(9002, "kinds", "HTTP", { allowedRoutes: { kinds: [kind], namespaces: { from: "All" } } }),
        onPort(9003, "refs", "HTTPS", { tls: { certificateRefs: [{ kind: name, name }] } }),
      ),
      ...good,
      service("default", "other"),
      policy,
      gatewayRoute("HTTPRoute", "bad", {
        hostnames: ["bad.test"],
        rules: [
          {
            backendRefs: [
              { name: "other", port: 80 },
              { ...app, kind: name },
            ],
          },
          { filters: [{ type: name, [name]: {} }] },
        ],
      }),
    ]);
    expect(reasons).not.toContain("CompilerFault");
    expect(host("a.test")).toBe(alone.host("a.test"));
  });

  it("mutated objects: none fails, and all that is compiled of them is of Envoy's types", () => {
    const next = random(fc.seed);
    for (let round = 0; round < fc.runs(100); round++) {
      const [gatewayClass = {}, edge = {}, ...rest] = openGateway();
      const objects = [
        ...[gatewayClass, round % 2 ? mutate(edge, next) : edge, ...rest],
        ...[service("default", "a"), ...gatewayBackground],
        ...many(5, (i) => gatewaySpecimens(`${round}-${i}`)).flatMap((all) =>
          all.map((one) => mutate(one, next)),
        ),
      ];
      const { store, reasons } = compileWithGateway(objects);
      expect(reasons).not.toContain("CompilerFault");
      expect(protoErrors(store)).toEqual([]);
    }
  });

  it.each([
    ["a character that Envoy's RE2, which reads bytes, does not know", "\\x{100}"],
    ["an octal escape of more than a byte", "\\777"],
    ["a program larger than RE2's own limit", `(?:${"a".repeat(700)}){1000}`],
    ["a program larger than that by its classes", "\\pL{1000}".repeat(100)],
  ])("%s is refused", (_, regex) => {
    expect(regexProblem(regex, 100_000)).toBeDefined();
  });
});

describe("what is wrong costs nothing else", () => {
  it.each<[string, Manifest]>([
    ["of SCTP", onPort(9080, "first", "SCTP", { hostname: "a.test" })],
    ["of a name that is none", onPort(9080, "first", "TCP", { hostname: "A_b" })],
    ["on the port of Envoy's admin interface", onPort(9001, "first", "TCP")],
  ])("a listener %s before good ones takes neither port nor host", (_, listener) => {
    const [gatewayClass = {}, edge = {}, ...rest] = openGateway();
    const { listeners, ...spec } = edge.spec as { listeners: readonly Manifest[] };
    const broken = { ...edge, spec: { ...spec, listeners: [listener, ...listeners] } };
    const good = [...rest, service("default", "app"), routeTo("HTTPRoute", app)];
    const { output, findings } = compileWithGateway([gatewayClass, broken, ...good]);
    expect(output).toBe(compileWithGateway([gatewayClass, edge, ...good]).output);
    expect(findings.filter(({ severity }) => severity === "error")).toHaveLength(1);
  });

  it("a route that comes to nothing changes no certificate of an HTTPProxy", () => {
    const proxy = httpProxy("infra", "proxy", {
      virtualhost: { fqdn: "a.test", tls: { secretName: "secure" } },
      routes: [{ services: [app] }],
    });
    const listener = onPort(9443, "other", "HTTPS", { hostname: "a.test", ...tlsOf("tcp") });
    const all = [
      ...openGateway(listener),
      secret("infra", "tcp", { ...pair("tcp") }),
      service("infra", "app"),
      proxy,
    ];
    const unreadable = { matches: [{ path: { type: "RegularExpression", value: "(" } }] };
    const { chain } = compileWithGateway([
      ...all,
      gatewayRoute("HTTPRoute", "none", { rules: [unreadable] }),
    ]);
    expect(chain("a.test")).toBe(compileWithGateway(all).chain("a.test"));
    expect(chain("a.test")).toContain("infra/secure");
  });
});

const pair = (name: string): Readonly<Record<string, string>> => ({
  "tls.crt": certificateFile(`${name}.crt`),
  "tls.key": certificateFile(`${name}.key`),
});

describe("what little input can cost", () => {
  const headers = (length: number): Manifest => ({
    set: many(16, (i) => ({ name: `x-${i}`, value: "v".repeat(length) })),
  });
  const repeated = (hosts: number, matches: number, length: number): Manifest =>
    gatewayRoute("HTTPRoute", "repeated", {
      hostnames: many(hosts, (i) => `h${i}.test`),
      rules: [
        {
          matches: many(matches, (i) => ({ path: { value: `/${i}` } })),
          filters: [{ type: "RequestHeaderModifier", requestHeaderModifier: headers(length) }],
          backendRefs: [app],
        },
      ],
    });
  const base = [
    ...gateway(onPort(9080, "web", "HTTP")),
    service("default", "app"),
    routeTo("HTTPRoute", app),
  ];

  it("a rule whose filters are written for each match and host takes so much and no more", () => {
    const large = compileWithGateway([...base, repeated(16, 64, 4096)]);
    expect(large.host("h0.test")).toBe("");
    expect(large.reasons).toEqual(["OverBudget"]);
    expect(large.host("a.test")).toBe(compileWithGateway(base).host("a.test"));
    for (const [hosts, matches, length] of [
      [16, 64, 64],
      [4, 64, 256],
      [1, 64, 1024],
    ] as const) {
      const { host, output, reasons } = compileWithGateway([...base, repeated(hosts, matches, length)]);
      expect(host("h0.test")).not.toBe("");
      expect(reasons).toEqual([]);
      expect(output.length).toBeLessThan(32_000_000);
    }
  });

  /** Counts what a reader is asked for while `work` runs. */
  const asked = (objects: readonly Manifest[], work: (reader: Reader) => void): Map<string, number> => {
    const reader = readerOf(objects);
    const counts = new Map<string, number>();
    const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
    work({
      ...reader,
      get: (kind, namespace, name) => {
        count(kind);
        return reader.get(kind, namespace, name);
      },
    });
    return counts;
  };

  it("each grant of a namespace is read once for all that is asked of it", () => {
    const grants = many(50, (i) => ({
      apiVersion: `${group}/v1beta1`,
      kind: "ReferenceGrant",
      metadata: { namespace: "bank", name: `grant-${i}` },
      spec: { from: [{ group, kind: "HTTPRoute", namespace: "x" }], to: [{ group: "", kind: "Service" }] },
    }));
    const counts = asked(grants, (reader) => {
      for (let i = 0; i < 50; i++) {
        const to = { kind: "Service", namespace: "bank", name: `app-${i}` } as const;
        expect(isGranted({ from: { kind: "HTTPRoute", namespace: "default" }, to }, reader)).toBe(false);
      }
    });
    expect(counts.get("ReferenceGrant")).toBe(50);
  });

  const ca = certificateFile("ca.crt");
  const policy = (name: string, refs: number): Manifest => ({
    apiVersion: `${group}/v1`,
    kind: "BackendTLSPolicy",
    metadata: { namespace: "default", name },
    spec: {
      targetRefs: [{ group: "", kind: "Service", name: "app" }],
      validation: {
        hostname: "a.test",
        caCertificateRefs: many(refs, () => ({ group: "", kind: "Secret", name: "ca" })),
      },
    },
  });
  const readPolicies = (objects: readonly Manifest[], times: number, expected: object): Map<string, number> =>
    asked([service("default", "app"), ...objects], (reader) => {
      const found = reader.get("Service", "default", "app");
      const [port] = found?.spec.ports ?? [];
      for (let i = 0; i < times; i++)
        expect(found && port && readBackendTls(found, port, reader)).toMatchObject(expected);
    });

  it("a CA is parsed once for all backends, however often a policy names it", () => {
    const bundle = secret("default", "ca", { "ca.crt": ca.repeat(8) });
    readPolicies([bundle, policy("policy", 16)], 50, { options: { protocol: "tls" } });
    asked([bundle], (reader) => {
      const read = (): unknown => readCaBundle(reader, { namespace: "default", name: "ca" });
      expect(read()).toMatchObject({ ca: ca.repeat(8) });
      expect(read()).toBe(read());
    });
  });

  it("of very many policies for one Service none is read, and no request goes there unchecked", () => {
    const policies = many(65, (i) => policy(`policy-${i}`, 1));
    const counts = readPolicies(policies, 50, { error: expect.stringContaining("more than 64") });
    expect(counts.get("BackendTLSPolicy")).toBeUndefined();
    expect(readPolicies(policies.slice(1), 50, { error: expect.anything() }).get("BackendTLSPolicy")).toBe(
      64,
    );
  });

  it("CAs of a policy together are no larger than one may be", () => {
    const each = Math.floor(40_000 / ca.length);
    const bundles = many(2, (i) => secret("default", `ca-${i}`, { "ca.crt": ca.repeat(each + i) }));
    const spec = policy("policy", 2).spec as { validation: Manifest };
    const refs = many(2, (i) => ({ group: "", kind: "Secret", name: `ca-${i}` }));
    const both = {
      ...policy("policy", 2),
      spec: { ...spec, validation: { ...spec.validation, caCertificateRefs: refs } },
    };
    readPolicies([...bundles, both], 1, { error: expect.stringContaining("together") });
  });

  it("the work for a route's parents grows with the listeners, not with their square nor with equal parents", () => {
    const looks = (listeners: number, parents: number): number => {
      let count = 0;
      const all = many(listeners, (i) => onPort(9080, `l${i}`, "HTTP", { hostname: `h${i}.test` }));
      const route = routeTo("HTTPRoute", app, {
        hostnames: many(4, (i) => `h${i}.test`),
        parentRefs: many(parents, () => ({ namespace: "infra", name: "edge" })),
      });
      asked([...gateway(...all), route], (reader) => {
        const view = readGateway(reader);
        const object = reader.get("HTTPRoute", "default", "route");
        if (!view || !object) throw new Error("the Gateway or the route is not there");
        const listeners = view.listeners.map(({ hostname, ...rest }) => ({
          ...rest,
          get hostname() {
            count++;
            return hostname;
          },
        }));
        const target = { view: { ...view, listeners }, listeners };
        const refs = refsOf(object, reader).map(([index, ref]) => [index, ref, target] as const);
        expect(parentsIn(object, refs, reader)).toHaveLength(parents);
      });
      return count;
    };
    expect(looks(64, 1)).toBeLessThanOrEqual(2 * looks(32, 1));
    expect(looks(64, 32)).toBe(looks(64, 1));
  });
});

describe("the work for one edit is the same at any size", () => {
  const parse = (manifest: Manifest): KubeObject => {
    const parsed = parseObject(manifest);
    if (!("object" in parsed)) throw new Error("an object of the test is not valid");
    return parsed.object;
  };
  const route = (i: number, to = "app"): Manifest =>
    gatewayRoute("HTTPRoute", `route-${i}`, {
      hostnames: [`h${i}.test`],
      rules: [{ backendRefs: backendRefs(to) }],
    });
  const storeOf = (count: number): Store =>
    compileAll(
      parseWithGateway([
        ...openGateway(),
        service("default", "app"),
        service("bank", "app"),
        ...many(count, route),
      ]).objects,
    );
  const edits: readonly [string, Manifest, number][] = [
    ["a route of its own host", route(1, "other"), 1],
    ["a new route", route(9999), 1],
    [
      "a route of another Gateway",
      { ...route(9999), spec: { parentRefs: [{ name: "other" }], hostnames: ["h9999.test"] } },
      1,
    ],
    [
      "a grant that nobody needs",
      {
        apiVersion: `${group}/v1beta1`,
        kind: "ReferenceGrant",
        metadata: { namespace: "bank", name: "grant" },
        spec: { from: [{ group, kind: "HTTPRoute", namespace: "x" }], to: [{ group: "", kind: "Service" }] },
      },
      0,
    ],
    ["a Service of another namespace", { ...service("bank", "app"), spec: { ports: [{ port: 81 }] } }, 0],
    ["a Gateway that is none of ours", inNamespace("bank", gateway(onPort(9080, "web", "HTTP"))[1] ?? {}), 2],
  ];

  it.each(edits)("%s", (_, manifest, units) => {
    for (const count of [20, 200]) {
      expect(update(storeOf(count), [parse(manifest)], platform).units, `at ${count} routes`).toBe(units);
    }
  });
});
