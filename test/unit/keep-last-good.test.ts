import { describe, expect, it } from "vitest";
import { hostProxy, httpProxy, ingressRoute, type Manifest, service, tlsSecret } from "../support/backend.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { pushServer } from "../support/pushing.js";

const team = "team";
const app = service(team, "app");
const proxy = (spec: Manifest): Manifest =>
  httpProxy(team, "web", {
    virtualhost: { fqdn: "a.test" },
    routes: [{ services: [{ name: "app", port: 80 }] }],
    ...spec,
  });
const ingress = (port: number, more: Manifest = {}): Manifest => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { namespace: team, name: "web" },
  spec: {
    rules: [
      {
        host: "a.test",
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "app", port: { number: port } } } },
          ],
        },
      },
    ],
    ...more,
  },
});
const settings: Manifest = { kind: "IsolineSettings", spec: gatewaySettings };
const gatewayed = [settings, ...gateway(onPort(8080, "http", "HTTP")), service("default", "s1"), app];

const kinds: readonly (readonly [string, readonly Manifest[], Manifest, Manifest])[] = [
  [
    "an HTTPProxy with a missing port",
    [app],
    proxy({}),
    proxy({ routes: [{ services: [{ name: "app", port: 81 }] }] }),
  ],
  [
    "an HTTPProxy with a bad regex",
    [app],
    proxy({}),
    proxy({ routes: [{ conditions: [{ regex: "/a(" }], services: [{ name: "app", port: 80 }] }] }),
  ],
  [
    "an HTTPProxy with a missing Secret",
    [app],
    proxy({}),
    proxy({ virtualhost: { fqdn: "a.test", tls: { secretName: "no" } } }),
  ],
  [
    "an IngressRoute",
    [app],
    ingressRoute(team, "web", {
      virtualhost: { fqdn: "a.test" },
      routes: [{ match: "/", services: [{ name: "app", port: 80 }] }],
    }),
    ingressRoute(team, "web", {
      virtualhost: { fqdn: "a.test" },
      routes: [{ match: "/", services: [{ name: "app", port: 81 }] }],
    }),
  ],
  ["an Ingress", [app], ingress(80), ingress(81)],
  [
    "an Ingress with a missing Secret",
    [app, tlsSecret(team, "secure")],
    ingress(80, { tls: [{ hosts: ["a.test"], secretName: "secure" }] }),
    ingress(80, { tls: [{ hosts: ["a.test"], secretName: "no" }] }),
  ],
  [
    "an HTTPRoute",
    gatewayed,
    gatewayRoute("HTTPRoute", "web", { hostnames: ["a.test"], rules: [{ backendRefs: backendRefs("s1") }] }),
    gatewayRoute("HTTPRoute", "web", { hostnames: ["a.test"], rules: [{ backendRefs: backendRefs("no") }] }),
  ],
];

describe("an edit that is not valid and takes a host down", () => {
  it.each(kinds)("of %s keeps the text before", async (_, others, good, bad) => {
    const { put, serves, ask } = pushServer();
    console.log(JSON.stringify(await put([...others, good])));
    console.log(await serves("a.test"));
    console.log(JSON.stringify(await put([...others, bad])));
    console.log(await serves("a.test"));
    console.log(JSON.stringify(await ask("GET", "/status")));
    console.log(JSON.stringify(await ask("GET", "/sources/main/revisions")));
  });
});
