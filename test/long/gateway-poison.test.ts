import { expect, onTestFinished, test } from "vitest";
import {
  endpointSlice,
  type Manifest,
  service,
  startLoad,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, listener, onPort } from "../support/gateway.js";
import { gatewayBackground, gatewaySpecimens } from "../support/gateway-specimens.js";
import { startGrpc } from "../support/grpc.js";
import { freePort, request, tcpExchange, tlsExchange } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { mutate, random } from "../support/nasty.js";
import { apart, forTenant } from "../support/poison.js";
import { certificates } from "../support/poison-certificates.js";
import { filters, hostnames, matches } from "../support/poison-gateway.js";
import { attachments, backends, policies } from "../support/poison-gateway-objects.js";

const goodHost = "good.test";
const passHost = "pass.test";
const grpcPath = "/test.Echo/Say";
const webRoute = (host: string): Manifest =>
  gatewayRoute("HTTPRoute", host.replaceAll(".", "-"), {
    hostnames: [host],
    rules: [{ backendRefs: backendRefs("a") }],
  });

/** A listener of each kind with a valid route, which poison must not affect. */
interface Good {
  readonly objects: readonly Manifest[];
  readonly listeners: readonly Manifest[];
  readonly ports: { readonly web: number; readonly secure: number; readonly tcp: number };
}

async function startGood(): Promise<Good> {
  const [web, secure, tcp] = [
    await listener("web", "HTTP"),
    await listener("secure", "HTTPS"),
    await listener("tcp", "TCP"),
  ];
  const tls = { tls: { certificateRefs: [{ name: "secure" }] } };
  const passthrough = { tls: { mode: "Passthrough" } };
  const pass = await startTlsEcho("pass");
  onTestFinished(() => pass.close());
  const grpc = await startGrpc({ [grpcPath]: (message) => message });
  return {
    ports: { web: web.port, secure: secure.port, tcp: tcp.port },
    listeners: [
      web.spec,
      onPort(secure.port, "secure", "HTTPS", tls),
      onPort(secure.port, "pass", "TLS", { hostname: passHost, ...passthrough }),
      onPort(secure.port, "any-tls", "TLS", { hostname: "*.tls.test", ...passthrough }),
      tcp.spec,
    ],
    objects: [
      tlsSecret("infra", "secure"),
      webRoute(goodHost),
      gatewayRoute("GRPCRoute", "good", {
        hostnames: [goodHost],
        rules: [{ matches: [{ method: { service: "test.Echo" } }], backendRefs: backendRefs("grpc") }],
      }),
      gatewayRoute("TLSRoute", "good", {
        hostnames: [passHost],
        rules: [{ backendRefs: backendRefs("pass-echo") }],
      }),
      gatewayRoute("TCPRoute", "good", { rules: [{ backendRefs: backendRefs("tcp-echo") }] }, "tcp"),
      service("default", "grpc"),
      endpointSlice("default", "grpc", grpc.port),
      service("default", "pass-echo"),
      endpointSlice("default", "pass-echo", pass.port),
    ],
  };
}

const startWith = (good: Good, listeners: readonly Manifest[], settings: Manifest = {}): Promise<Rig> =>
  startRig({
    backends: ["a", "tcp-echo"],
    objects: [...good.objects, ...gateway(...listeners)],
    settings: { ...gatewaySettings, ...settings },
  });

async function probe({ ports: { web, secure, tcp } }: Good): Promise<void> {
  const host = goodHost;
  const answers = [await request({ port: web, host }), await request({ port: secure, host, sni: host })];
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  const headers = { "content-type": "application/grpc", te: "trailers" };
  const called = await request({ port: web, host, path: grpcPath, method: "POST", headers });
  expect([called.status, called.headers["content-type"]]).toEqual([200, "application/grpc"]);
  expect((await tlsExchange(secure, passHost, "ping")).received).toBe("pass\nping");
  expect(await tcpExchange(tcp, "ping")).toBe("tcp-echo\nping");
}

/** Waits until Envoy has the applied objects, together with the route of a host. */
async function untilTaken({ ports: { web, secure } }: Good, host: string): Promise<void> {
  await eventually(async () => {
    const plain = await request({ port: web, host });
    return plain.status === 200 && (await request({ port: secure, host, sni: host })).status === 200;
  }, `Envoy serves ${host}`);
}

const poisons = [...matches, ...filters, ...backends, ...attachments, ...policies];
const groups = apart(poisons);

test.each([
  ["eds", "sds"],
  ["inline", "inline"],
] as const)(
  "endpoints %s, secrets %s: no poison of a route reaches Envoy",
  async (endpoints, secrets) => {
    const good = await startGood();
    const inline = secrets === "inline" ? { enableExternalNameService: true } : {};
    const rig = await startWith(good, good.listeners, { endpoints, secrets, ...inline });
    await untilTaken(good, goodHost);
    const load = startLoad(good.ports.web, [goodHost], 1);

    const problems: string[] = [];
    let before = "";
    for (const [step, group] of groups.entries()) {
      const objects = group.flatMap((poison, i) => forTenant(poison, `${step}-${i}`));
      const marker = `marker-${step}.test`;
      await rig.isoline.apply("poison", ...objects, webRoute(marker));
      const names = group.map(({ name }) => name).join(", ");
      await untilTaken(good, marker)
        .then(() => probe(good))
        .catch((error: unknown) => problems.push(`one of ${names}: ${error}`));
      const now = JSON.stringify([...(await rig.envoy.stats(/update_rejected$/))].filter(([, n]) => n > 0));
      if (now !== before && now !== "[]") problems.push(`one of ${names}: ${now}`);
      before = now;
    }

    const { bad } = await load.stop();
    expect(problems).toEqual([]);
    expect(bad).toEqual({});
    expect(await rig.envoy.rejected()).toEqual([]);
  },
  600_000,
);

const any: readonly Manifest[] = [
  gatewayRoute("HTTPRoute", "any", { rules: [{ backendRefs: backendRefs("a") }] }),
  gatewayRoute("TLSRoute", "any", { rules: [{ backendRefs: backendRefs("pass-echo") }] }),
  gatewayRoute("TCPRoute", "zzz", { rules: [{ backendRefs: backendRefs("tcp-echo") }] }),
];
const secured: Manifest = { tls: { certificateRefs: [{ name: "secure" }] } };
const passed: Manifest = { tls: { mode: "Passthrough" } };
const kinds: Readonly<Record<string, Manifest>> = {
  HTTP: {},
  HTTPS: secured,
  TLS: passed,
  TCP: {},
  "projectcontour.io/https": {},
};
const named = (all: readonly Manifest[]): readonly Manifest[] =>
  all.map((one, i) => ({ ...one, name: `poison-${i}` }));

interface Variant {
  readonly listeners: readonly Manifest[];
  readonly objects?: readonly Manifest[];
  readonly settings?: Manifest;
}

const hosts = hostnames.filter((host) => host.length <= 253);
const badPairs = certificates.flatMap(({ objects }, i) => {
  const bad = objects.find(
    ({ kind, metadata }) => kind === "Secret" && (metadata as Manifest).name === "bad",
  );
  return bad ? [{ ...bad, metadata: { namespace: "infra", name: `bad-${i}` } }] : [];
});
const refs: readonly Manifest[] = [
  { mode: "Passthrough", certificateRefs: [{ name: "secure" }] },
  { mode: "Passthrough" },
  {},
  { certificateRefs: [{ name: "secure" }, { name: "secure" }] },
  { certificateRefs: [{ name: "secure", kind: "ConfigMap" }] },
  { certificateRefs: [{ name: "secure", group: "example.com" }] },
  { certificateRefs: [{ name: "secure", namespace: "default" }] },
  { certificateRefs: [{ name: "../default/a\r\nb" }] },
];
const allowed: readonly Manifest[] = [
  { kinds: [{ kind: "constructor" }, { kind: "UDPRoute" }, { group: "a\0b", kind: "HTTPRoute" }] },
  { kinds: [{ kind: "TCPRoute" }] },
  { namespaces: { from: "None" } },
  { namespaces: { from: "Selector" } },
  { namespaces: { from: "Selector", selector: { matchLabels: { constructor: "", "a\nb": "é" } } } },
  {
    namespaces: {
      from: "Selector",
      selector: { matchExpressions: [{ key: "toString", operator: "Exists" }] },
    },
  },
  { namespaces: { from: "Selector", selector: { matchExpressions: [{ key: "a", operator: "In" }] } } },
];
const protocols = [
  "constructor",
  "toString",
  "__proto__",
  "UDP",
  "http",
  "HTTP ",
  "a\r\nb",
  "é",
  "x".repeat(255),
];
const freePorts = (count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, () => freePort())).then((ports) => [...new Set(ports)]);

const variants: Readonly<Record<string, (good: Good) => Promise<Variant> | Variant>> = {
  "hostnames of HTTP listeners": ({ ports }) => ({
    listeners: hosts.map((hostname) => onPort(ports.web, "", "HTTP", { hostname })),
  }),
  "hostnames of HTTPS listeners": ({ ports }) => ({
    listeners: hosts.map((hostname) => onPort(ports.secure, "", "HTTPS", { hostname, ...secured })),
  }),
  "hostnames of TLS listeners": async () => {
    const port = await freePort();
    return { listeners: hosts.map((hostname) => onPort(port, "", "TLS", { hostname, ...passed })) };
  },
  "ports that need privileges, wrap around or are Envoy's own": async () => {
    const [stats, health, metrics] = await Promise.all([freePort(), freePort(), freePort()]);
    const at = (port: number): Manifest => ({ address: "127.0.0.1", port });
    const ports = [
      1,
      7,
      57_535,
      57_536,
      58_559,
      65_535,
      ...[stats, health, metrics, 9001].map((port) => port - 8000),
    ];
    return {
      listeners: Object.entries(kinds).flatMap(([kind, more]) =>
        ports.map((port) => onPort(port + 8000, "", kind, { hostname: "x.test", ...more })),
      ),
      settings: { stats: at(stats), health: at(health), metrics: at(metrics) },
    };
  },
  "certificates and references to them": ({ ports }) => ({
    listeners: [
      ...badPairs.map(({ metadata }, i) =>
        onPort(ports.secure, "", "HTTPS", {
          hostname: `bad-${i}.test`,
          tls: { certificateRefs: [{ name: (metadata as { name: string }).name }] },
        }),
      ),
      ...["HTTPS", "TLS"].flatMap((protocol) =>
        refs.map((tls, i) =>
          onPort(ports.secure, "", protocol, { hostname: `${protocol.toLowerCase()}-${i}.test`, tls }),
        ),
      ),
    ],
    objects: badPairs,
  }),
  "protocols, kinds and namespaces": ({ ports }) => ({
    listeners: [
      ...protocols.flatMap((protocol) => [
        onPort(ports.web, "", protocol),
        onPort(ports.tcp + 1, "", protocol, { hostname: "a.test" }),
      ]),
      ...allowed.flatMap((allowedRoutes, i) => [
        onPort(ports.web, "", "HTTP", { hostname: `allowed-${i}.test`, allowedRoutes }),
        onPort(ports.secure, "", "TLS", { hostname: `allowed-${i}.test`, allowedRoutes, ...passed }),
      ]),
    ],
  }),
  "what others have already": (good) => ({
    listeners: [
      ...good.listeners,
      ...good.listeners.map((one) => ({ ...one, hostname: goodHost })),
      ...Object.entries(kinds).flatMap(([kind, more]) =>
        Object.values(good.ports).map((port) => onPort(port, "", kind, more)),
      ),
    ],
    objects: ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"].map((kind) => ({
      ...gatewayRoute(kind, "thief", {
        ...(kind === "TCPRoute" ? {} : { hostnames: [goodHost, passHost] }),
        rules: [
          {
            ...(kind === "GRPCRoute" ? { matches: [{ method: { service: "test.Echo" } }] } : {}),
            backendRefs: backendRefs("nobody"),
          },
        ],
      }),
      metadata: { namespace: "thief", name: "thief", creationTimestamp: "2026-01-02T00:00:00Z" },
    })),
  }),
  "59 listeners more on one port": ({ ports }) => ({
    listeners: Array.from({ length: 59 }, (_, i) =>
      onPort(ports.web, "", "HTTP", { hostname: `h${i}.test` }),
    ),
  }),
  "59 listeners more on as many ports": async () => ({
    listeners: (await freePorts(59)).map((port, i) => {
      const [kind = "", more = {}] = Object.entries(kinds)[i % 4] ?? [];
      return onPort(port, "", kind, more);
    }),
  }),
};

test.each(Object.entries(variants))(
  "%s: invalid listeners of a Gateway do not affect its valid ones",
  async (_, make) => {
    const good = await startGood();
    const { listeners, objects = [], settings = {} } = await make(good);
    const all = [...good.listeners, ...named(listeners)].slice(0, 64);
    const rig = await startWith({ ...good, objects: [...good.objects, ...any, ...objects] }, all, settings);
    await untilTaken(good, goodHost);
    await probe(good);
    expect(await rig.envoy.rejected()).toEqual([]);
  },
);

test("3,000 mutated routes, grants and policies: a real Envoy refuses nothing, and valid ones stay served", async () => {
  const next = random(11);
  const good = await startGood();
  const rig = await startWith({ ...good, objects: [...good.objects, ...gatewayBackground] }, good.listeners);
  for (let batch = 0; batch < 10; batch++) {
    const mutated = Array.from({ length: 50 }, (_, i) => gatewaySpecimens(`${batch}-${i}`)).flat();
    const marker = `marker-${batch}.test`;
    await rig.isoline.apply("mutated", ...mutated.map((object) => mutate(object, next)), webRoute(marker));
    await untilTaken(good, marker);
    await probe(good);
    expect(await rig.envoy.rejected(), `batch ${batch}`).toEqual([]);
  }
});

/**
 * In Envoy, a listener has its address until it is removed: one with another name can't take it over in the same
 * update.
 */
test("listeners that change their ports, or ports that change their protocol, are not refused", async () => {
  const [low, high] = [await listener("one", "HTTP"), await listener("two", "HTTP")].sort(
    (a, b) => a.port - b.port,
  );
  if (!low || !high) throw new Error("there are two");
  const rig = await startRig({
    backends: ["a"],
    objects: [tlsSecret("infra", "secure"), webRoute(goodHost)],
    settings: gatewaySettings,
  });
  const serves = async (port: number, sni?: string): Promise<boolean> =>
    (await request({ port, host: goodHost, ...(sni ? { sni } : {}) })).status === 200;
  const step = async (what: string, listeners: readonly Manifest[], check: () => Promise<boolean>) => {
    await rig.isoline.apply("gateway", ...gateway(...listeners));
    await eventually(check, what);
    expect(await rig.envoy.rejected(), what).toEqual([]);
  };
  const plain = async (): Promise<boolean> => (await serves(low.port)) && (await serves(high.port));
  await step("one port", [high.spec], () => serves(high.port));
  await step("a lower one more", [low.spec, high.spec], plain);
  const secure = (port: number): Manifest => onPort(port, "secure", "HTTPS", secured);
  const mixed = async (port: number, other: number): Promise<boolean> =>
    (await serves(port)) && (await serves(other, goodHost));
  await step("TLS on one", [low.spec, secure(high.port)], () => mixed(low.port, high.port));
  await step("TLS on the other", [secure(low.port), high.spec], () => mixed(high.port, low.port));
});
