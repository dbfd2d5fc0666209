import { describe, expect, it } from "vitest";
import { httpProxy, type Manifest } from "../support/backend.js";
import {
  backend,
  background,
  claim,
  ingress,
  old,
  rootOf,
  routeOf,
  secure,
  to,
  young,
} from "../support/claims.js";
import { onPort } from "../support/gateway.js";
import { compileWithGateway, openGateway, tlsOf } from "../support/gateway-threat.js";

const rootKinds = ["HTTPProxy", "IngressRoute"] as const;

describe("roots of one host are all refused", () => {
  const forms: readonly [string, Manifest | undefined, Manifest | undefined][] = [
    ["plain", undefined, undefined],
    ["with TLS", undefined, secure],
    ["with a tcpproxy", { tcpproxy: { services: to } }, secure],
    ["passed through", { tcpproxy: { services: to } }, { passthrough: true }],
  ];
  const pairs = rootKinds.flatMap((a) => rootKinds.map((b) => [a, b] as const));
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
      const { host, chain, told, findings } = claim([mine, other]);
      expect([host("web.test"), chain("web.test")]).toEqual(["", ""]);
      const refused = findings.filter(({ reason }) => reason === "DuplicateVhost");
      expect(refused.map(({ about }) => about).sort()).toEqual([`${a}/shop/root`, `${b}/evil/root`].sort());
      expect(told.filter((one) => one.startsWith("error")).length).toBe(2);
    }
  });

  it("three, of both kinds, listed in Contour's wording", () => {
    const { findings } = claim([
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

  it("in several namespaces, together with Ingresses: a tenant that blocks a host does not get it", () => {
    const both = [rootOf("HTTPProxy", "shop", "web.test"), rootOf("IngressRoute", "evil", "web.test")];
    const theirs = ingress("evil", { host: "web.test", tls: ["web.test"] });
    const { host, chain, told } = claim([...both, theirs]);
    expect([host("web.test"), chain("web.test")]).toEqual(["", ""]);
    expect(told).toContain("error Ingress/evil HostOfAnotherObject");
    const own = {
      ...rootOf("HTTPProxy", "shop", "web.test"),
      metadata: { namespace: "shop", name: "again" },
    };
    const ofOne = claim([
      rootOf("HTTPProxy", "shop", "web.test"),
      own,
      ingress("shop", { host: "web.test" }),
    ]);
    expect(ofOne.host("web.test")).toContain("shop/a");
  });

  it("very many, with some of them in each message", () => {
    const many = Array.from({ length: 50 }, (_, i) => ({
      ...rootOf("HTTPProxy", "evil", "web.test"),
      metadata: { namespace: "evil", name: `root-${i}` },
    }));
    const { findings } = claim(many);
    expect(findings).toHaveLength(50);
    for (const { message } of findings)
      expect(message).toMatch(/: (?:evil\/root-\d+(?:, | and )){10}40 more$/);
  });

  it("an IngressRoute that can't be a root does not block a host", () => {
    const wildcard = claim([
      rootOf("HTTPProxy", "shop", "*.web.test"),
      rootOf("IngressRoute", "evil", "*.web.test"),
    ]);
    expect(wildcard.host("*.web.test")).toContain("shop/a");
    expect(wildcard.told).toEqual(["error IngressRoute/evil FQDNNotValid"]);
  });
});

describe("all terms of connections come from the owner", () => {
  const protectedProxy = httpProxy("shop", "root", {
    virtualhost: {
      fqdn: "web.test",
      tls: { ...secure, minimumProtocolVersion: "1.3", clientValidation: { caSecret: "ca" } },
      ipAllowPolicy: [{ source: "Peer", cidr: "10.0.0.0/8" }],
    },
    routes: [{ services: to }],
  });

  it("an older Ingress with its own certificate adds paths to a root's host and changes nothing else", () => {
    const alone = claim([protectedProxy]);
    const both = claim([
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
  ])("an Ingress with a certificate receives no connections of %s", (_, spec, tls) => {
    const root = rootOf("HTTPProxy", "shop", "web.test", spec, tls);
    const both = claim([root, old(ingress("evil", { host: "web.test", tls: ["web.test"] }))]);
    expect(both.chain("web.test")).toBe(claim([root]).chain("web.test"));
    expect(both.told).toContain("error Ingress/evil HostOfAnotherObject");
  });

  const edge = openGateway(onPort(9443, "web-https", "HTTPS", { hostname: "web.test", ...tlsOf("secure") }));

  it("a route on a listener with a certificate has the host, without the client validation of a root", () => {
    const route = routeOf("HTTPRoute", ["web.test"]);
    const { chain, told, host } = claim([...edge, protectedProxy, route]);
    expect(chain("web.test")).toBe(claim([...edge, route]).chain("web.test"));
    expect(host("web.test")).not.toContain("shop/a");
    expect(told).toContain("error HTTPProxy/shop HostOfAnotherObject");
  });

  it("routes of a root without own terms are served beside those of the Gateway API", () => {
    const root = rootOf(
      "HTTPProxy",
      "shop",
      "web.test",
      { routes: [{ conditions: [{ prefix: "/own" }], services: to }] },
      secure,
    );
    const { chain, host } = claim([...edge, root, routeOf("HTTPRoute", ["web.test"])]);
    expect(chain("web.test")).not.toContain("shop/secure");
    expect(host("web.test")).toContain("shop/a");
  });

  it("the Ingresses of a namespace are served over TLS if it has a certificate for the host", () => {
    const mine = young(ingress("shop", { host: "web.test", paths: ["/shop"] }));
    const theirs = old(ingress("evil", { host: "web.test", paths: ["/evil"], tls: ["web.test"] }));
    const https = (manifests: readonly Manifest[]): string =>
      [...compileWithGateway([...background, ...manifests]).store.resources("virtual-host", "ingress_https")]
        .map(({ json }) => json)
        .join();
    expect(https([mine, theirs])).toContain("evil/a");
    expect(https([mine, theirs])).not.toContain("shop/a");
    const secured = young(ingress("shop", { host: "web.test", paths: ["/shop"], tls: ["web.test"] }));
    expect(https([secured, theirs])).toContain("shop/a");
    expect(claim([secured, theirs]).chain("web.test")).toContain('"evil/secure"');
  });
});

describe("a tls entry without rules changes nothing for a host of another namespace", () => {
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
    const alone = claim([own]);
    const both = claim([own, old(theirs)]);
    expect([both.host("web.test"), both.chain("web.test")]).toEqual([
      alone.host("web.test"),
      alone.chain("web.test"),
    ]);
  });

  it("its owner gets a warning", () => {
    const { findings } = claim([
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
