import { expect, test } from "vitest";
import {
  hostProxy,
  httpProxy,
  ingressRoute,
  type Manifest,
  startLoad,
  tlsSecret,
} from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request, tlsExchange } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";
import { apart, forTenant } from "../support/poison.js";
import { poisons } from "../support/poison-catalogue.js";

const to = (name: string): readonly Manifest[] => [{ name, port: 80 }];

const goodHosts = ["proxy.good.test", "route.good.test", "ingress.good.test"];
const secureHost = "secure.good.test";
const tcpHost = "tcp.good.test";

const good: readonly Manifest[] = [
  hostProxy("proxy.good.test", "a"),
  ingressRoute("default", "route", {
    virtualhost: { fqdn: "route.good.test" },
    routes: [{ match: "/", services: to("a") }],
  }),
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "default", name: "ingress" },
    spec: {
      rules: [
        {
          host: "ingress.good.test",
          http: { paths: [{ path: "/", backend: { service: { name: "a", port: { number: 80 } } } }] },
        },
      ],
    },
  },
  tlsSecret("default", "secure"),
  httpProxy("default", "secure", {
    virtualhost: { fqdn: secureHost, tls: { secretName: "secure" } },
    routes: [{ services: to("a") }],
  }),
  httpProxy("default", "tcp", {
    virtualhost: { fqdn: tcpHost, tls: { secretName: "secure" } },
    tcpproxy: { services: to("tcp") },
  }),
];

/** A host whose name identifies the publication that Envoy has, over HTTP and HTTPS. */
const marker = (step: number): Manifest =>
  httpProxy("default", `marker-${step}`, {
    virtualhost: { fqdn: `marker-${step}.test`, tls: { secretName: "secure" } },
    routes: [{ permitInsecure: true, services: to("a") }],
  });

async function untilTaken(rig: Rig, step: number): Promise<void> {
  const host = `marker-${step}.test`;
  await eventually(async () => {
    const plain = await request({ port: rig.httpPort, host });
    const secure = await request({ port: rig.httpsPort, host, sni: host });
    return plain.status === 200 && secure.status === 200;
  }, `Envoy serves ${host}`);
}

async function probe(rig: Rig): Promise<void> {
  for (const host of goodHosts) expect((await request({ port: rig.httpPort, host })).status, host).toBe(200);
  const secure = await request({ port: rig.httpsPort, host: secureHost, sni: secureHost });
  expect([secure.status, secure.certificate]).toEqual([200, "secure.test"]);
  expect((await tlsExchange(rig.httpsPort, tcpHost, "ping")).received).toBe("tcp\nping");
}

async function refusals(rig: Rig): Promise<string> {
  return JSON.stringify([...(await rig.envoy.stats(/update_rejected$/))].filter(([, count]) => count > 0));
}

/** Several poisons at a time, each in its own namespace; neighbours in the catalogue are never together. */
const groups = apart(poisons);

test.each([
  ["eds", "sds"],
  ["inline", "inline"],
] as const)(
  "endpoints %s, secrets %s: no poison reaches Envoy",
  async (endpoints, secrets) => {
    const rig = await startRig({
      backends: ["a", "tcp"],
      objects: good,
      endpoints,
      settings: { secrets, ...(endpoints === "inline" ? { enableExternalNameService: true } : {}) },
    });
    await rig.isoline.apply("poison", marker(0));
    await untilTaken(rig, 0);
    const load = startLoad(rig.httpPort, goodHosts, 1);

    const problems: string[] = [];
    let before = await refusals(rig);
    let step = 0;
    for (const group of groups) {
      step += 1;
      const objects = group.flatMap((poison, i) => forTenant(poison, `${step}-${i}`));
      await rig.isoline.apply("poison", ...objects, marker(step));
      const names = group.map(({ name }) => name).join(", ");
      await untilTaken(rig, step)
        .then(() => probe(rig))
        .catch((error: unknown) => problems.push(`one of ${names}: ${error}`));
      const now = await refusals(rig);
      if (now !== before) problems.push(`one of ${names}: ${now}`);
      before = now;
    }

    const { bad } = await load.stop();
    expect(problems).toEqual([]);
    expect(bad).toEqual({});
    expect(await rig.envoy.rejected()).toEqual([]);
  },
  600000,
);
