import { expect, onTestFinished, test } from "vitest";
import {
  certificateFile,
  endpointSlice,
  type Manifest,
  secret,
  service,
  startTlsEcho,
  tlsSecret,
} from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { backendRefs } from "../support/gateway.js";
import { classListener, controllerName, gatewayClass } from "../support/gateways.js";
import { freePort, request, tcpExchange, tlsExchange } from "../support/http.js";
import { startRig } from "../support/isoline.js";
import { mutate, random } from "../support/nasty.js";

const group = "gateway.networking.k8s.io";
const batches = 6;
const setsPerBatch = 50;

const object = (kind: string, namespace: string, name: string, spec: Manifest): Manifest => ({
  apiVersion: `${group}/${kind === "TCPRoute" || kind === "UDPRoute" ? "v1alpha2" : "v1"}`,
  kind,
  metadata: { namespace, name },
  spec,
});

const https = { tls: { certificateRefs: [{ name: "secure" }] } };
const headers = { set: [{ name: "x-a", value: "1" }], add: [{ name: "x-b", value: "2" }], remove: ["x-c"] };

/** A Gateway with a listener of each protocol, a ListenerSet, a class, and routes of each kind attached to them and to the good Gateway. All are valid. */
function gatewaySet(id: string, i: number): Manifest[] {
  const [gateway, host] = [`g-${id}`, `h-${id}.test`];
  const parents = [
    { name: gateway, namespace: "infra" },
    { name: "good", namespace: "infra" },
  ];
  const rules = [{ backendRefs: backendRefs("a") }];
  return [
    object("Gateway", "infra", gateway, {
      gatewayClassName: "isoline",
      ...(i % 3 === 0 ? {} : { addresses: [{ type: "IPAddress", value: `127.91.${i % 4}.${i + 1}` }] }),
      allowedListeners: { namespaces: { from: "All" } },
      infrastructure: { labels: { team: "web" }, annotations: { note: "x" } },
      listeners: [
        classListener("http", "HTTP", 21_080),
        classListener("host", "HTTP", 21_080, { hostname: host }),
        classListener("https", "HTTPS", 21_443, { ...https, hostname: "*.test" }),
        classListener("pass", "TLS", 21_443, { hostname: "p.example.test", tls: { mode: "Passthrough" } }),
        classListener("tcp", "TCP", 21_090),
        classListener("udp", "UDP", 21_090),
      ],
    }),
    object("ListenerSet", "default", `s-${id}`, {
      parentRef: { group, kind: "Gateway", name: gateway, namespace: "infra" },
      listeners: [classListener("own", "HTTP", 21_081, { hostname: `*.${host}` })],
    }),
    object("HTTPRoute", "default", `h-${id}`, {
      parentRefs: [...parents, { kind: "ListenerSet", name: `s-${id}` }],
      hostnames: [host, `*.${host}`],
      rules: [
        {
          name: "one",
          matches: [
            {
              path: { type: "PathPrefix", value: "/a" },
              headers: [{ type: "RegularExpression", name: "x-m", value: "a+" }],
              queryParams: [{ name: "q", value: "v" }],
              method: "GET",
            },
          ],
          filters: [
            { type: "RequestHeaderModifier", requestHeaderModifier: headers },
            { type: "ResponseHeaderModifier", responseHeaderModifier: headers },
            {
              type: "URLRewrite",
              urlRewrite: {
                hostname: "in.test",
                path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" },
              },
            },
            { type: "RequestMirror", requestMirror: { backendRef: { name: "b", port: 80 }, percent: 50 } },
            { type: "CORS", cors: { allowOrigins: ["https://*.x.test"], allowMethods: ["GET"], maxAge: 5 } },
          ],
          retry: { attempts: 2, codes: [503], backoff: "100ms" },
          timeouts: { request: "10s", backendRequest: "5s" },
          sessionPersistence: { sessionName: "s", type: "Cookie", absoluteTimeout: "1h" },
          backendRefs: [{ name: "a", port: 80, weight: 3 }, ...backendRefs("b")],
        },
        {
          filters: [
            {
              type: "RequestRedirect",
              requestRedirect: {
                scheme: "https",
                hostname: "new.test",
                port: 8443,
                statusCode: 308,
                path: { type: "ReplaceFullPath", replaceFullPath: "/new" },
              },
            },
          ],
        },
      ],
    }),
    object("GRPCRoute", "default", `r-${id}`, {
      parentRefs: parents,
      hostnames: [`r-${id}.test`],
      rules: [
        {
          matches: [
            { method: { service: "s", method: "m" }, headers: [{ name: "a", value: "b" }] },
            { method: { type: "RegularExpression", service: "s.*" } },
          ],
          backendRefs: backendRefs("a"),
        },
      ],
    }),
    object("TLSRoute", "default", `t-${id}`, { parentRefs: parents, hostnames: ["p.example.test"], rules }),
    object("TCPRoute", "default", `c-${id}`, { parentRefs: [{ ...parents[0], sectionName: "tcp" }], rules }),
    object("UDPRoute", "default", `u-${id}`, {
      parentRefs: [{ ...parents[0], port: 21_090 }],
      rules: [{ backendRefs: [{ name: "dns", port: 53 }] }],
    }),
    object("BackendTLSPolicy", "default", `p-${id}`, {
      targetRefs: [{ group: "", kind: "Service", name: "b", sectionName: `s-${id}` }],
      validation: {
        hostname: "a.test",
        caCertificateRefs: [{ group: "", kind: "Secret", name: "ca" }],
        subjectAltNames: [
          { type: "Hostname", hostname: "a.test" },
          { type: "URI", uri: "spiffe://a/b" },
        ],
      },
    }),
    object("ReferenceGrant", "default", `g-${id}`, {
      from: [{ group, kind: "HTTPRoute", namespace: "infra" }],
      to: [{ group: "", kind: "Service", name: "a" }],
    }),
    { ...gatewayClass(`class-${id}`), spec: { controllerName, description: "mutated" } },
  ];
}

/** The mutated objects of a set. Every second Gateway is valid, with a mutated one beside it, so that its mutated routes and ListenerSet have listeners. */
function mutated(set: readonly Manifest[], i: number, next: () => number): Manifest[] {
  const [gateway, ...others] = set;
  const changed = others.map((one) => mutate(one, next));
  if (!gateway) return changed;
  const one = mutate(gateway, next);
  if (i % 2 === 0) return [one, ...changed];
  const meta = gateway.metadata as { readonly name: string; readonly namespace: string };
  return [{ ...one, metadata: { ...meta, name: `m-${meta.name}` } }, gateway, ...changed];
}

const manyListeners = 75;

/** Listeners on the ports that mutations give need the right to bind any port. */
test.skipIf(process.getuid?.() !== 0)(
  "3,000 mutated Gateways of classes, ListenerSets, routes and policies: a real Envoy refuses nothing, and a valid Gateway stays served",
  async () => {
    const next = random(17);
    const [web, secure, tcp] = [await freePort(), await freePort(), await freePort()];
    const pass = await startTlsEcho("pass");
    onTestFinished(() => pass.close());
    const at = (section: string) => [{ namespace: "infra", name: "good", sectionName: section }];
    const good: Manifest[] = [
      gatewayClass(),
      tlsSecret("infra", "secure"),
      {
        ...object("Gateway", "infra", "good", {
          gatewayClassName: "isoline",
          addresses: [{ value: "127.0.0.1" }],
          listeners: [
            classListener("web", "HTTP", web),
            classListener("secure", "HTTPS", secure, https),
            classListener("pass", "TLS", secure, { hostname: "pass.test", tls: { mode: "Passthrough" } }),
            classListener("tcp", "TCP", tcp),
          ],
        }),
        metadata: { namespace: "infra", name: "good", creationTimestamp: "2020-01-01T00:00:00Z" },
      },
      object("HTTPRoute", "default", "good", {
        parentRefs: [...at("web"), ...at("secure")],
        hostnames: ["good.test"],
        rules: [{ backendRefs: backendRefs("a") }],
      }),
      object("TLSRoute", "default", "good", {
        parentRefs: at("pass"),
        hostnames: ["pass.test"],
        rules: [{ backendRefs: backendRefs("pass-echo") }],
      }),
      object("TCPRoute", "default", "good", {
        parentRefs: at("tcp"),
        rules: [{ backendRefs: backendRefs("tcp-echo") }],
      }),
      service("default", "pass-echo"),
      endpointSlice("default", "pass-echo", pass.port),
      secret("default", "ca", { "ca.crt": certificateFile("ca.crt") }),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { namespace: "default", name: "dns" },
        spec: { ports: [{ port: 53, protocol: "UDP" }] },
      },
    ];
    const rig = await startRig({
      backends: ["a", "b", "tcp-echo"],
      objects: good,
      settings: {
        gateway: {
          controllerName,
          addressPool: "127.90.0.0/16",
          staticAddresses: ["127.91.0.0/16", "127.0.0.1/32"],
        },
      },
    });
    const marker = (batch: number): Manifest =>
      object("HTTPRoute", "default", "marker", {
        parentRefs: at("web"),
        hostnames: [`marker-${batch}.test`],
        rules: [{ backendRefs: backendRefs("a") }],
      });
    const counted = async (name: string): Promise<number | undefined> =>
      (await rig.envoy.stats(/listener_manager\./)).get(`listener_manager.${name}`);
    let mutants = 0;
    let listeners = 0;
    for (let batch = 0; batch < batches; batch++) {
      const sets = Array.from({ length: setsPerBatch }, (_, i) => gatewaySet(`${batch}-${i}`, i));
      mutants += sets.flat().length;
      await rig.isoline.apply("mutated", ...sets.flatMap((set, i) => mutated(set, i, next)), marker(batch));
      await eventually(
        async () => (await request({ port: web, host: `marker-${batch}.test` })).status === 200,
        `batch ${batch} is served`,
      );
      const host = "good.test";
      expect((await request({ port: web, host })).status).toBe(200);
      expect((await request({ port: secure, host, sni: host })).status).toBe(200);
      expect((await tlsExchange(secure, "pass.test", "ping")).received).toBe("pass\nping");
      expect(await tcpExchange(tcp, "ping")).toBe("tcp-echo\nping");
      expect(await rig.envoy.rejected(), `batch ${batch}`).toEqual([]);
      // The routes of a batch may arrive before its listeners.
      for (let i = 0; i < 10 && listeners <= manyListeners; i++) {
        if (i > 0) await new Promise((resolve) => setTimeout(resolve, 200));
        listeners = Math.max(listeners, (await counted("total_listeners_active")) ?? 0);
      }
      expect(await counted("listener_create_failure"), `batch ${batch}`).toBe(0);
    }
    expect(mutants).toBe(3000);
    // Many Gateways are still valid: their listeners are there.
    expect(listeners).toBeGreaterThan(manyListeners);
  },
  600_000,
);
