import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readInput } from "../../src/cli/kube-manifests.js";
import { manifestsOf } from "../../src/cli/manifests.js";
import { resources } from "../../src/kubernetes/resources.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { parseSettings } from "../../src/schema/settings.js";
import { httpProxy, type Manifest } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { forUser, gatewayDefinition, kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

const namespace = "projectcontour";
const gatewayRef = { namespace: "default", name: "gateway" };
/** Services have addresses of the loopback network, where the backends listen; endpoints must not. */
const serviceRange = "127.30.0.0/16";
const addresses = { blue: "127.30.0.51", green: "127.30.0.52", tcp: "127.30.0.53" };

/** The CRDs of an older cluster: some kinds lack their newest version, and some are missing. */
const definitions = [
  gatewayDefinition("GatewayClass", "v1", "v1beta1"),
  gatewayDefinition("Gateway", "v1", "v1beta1"),
  gatewayDefinition("HTTPRoute", "v1", "v1beta1"),
  gatewayDefinition("GRPCRoute", "v1"),
  gatewayDefinition("ReferenceGrant", "v1beta1"),
  gatewayDefinition("TCPRoute", "v1alpha2"),
];

const object = (kind: string, version: string, name: string, spec: object): Manifest => ({
  apiVersion: `gateway.networking.k8s.io/${version}`,
  kind,
  metadata: { name, ...(kind === "GatewayClass" ? {} : { namespace: "default" }) },
  spec,
});
const gatewayClass = object("GatewayClass", "v1", "isoline", { controllerName: "isoline.dev/gateway" });

describe.skipIf("reason" in binaries)("a real API server, and a Gateway in the settings", () => {
  let kube: TestKube;
  let envoy: TestEnvoy;
  const backends: Server[] = [];
  let isoline: Awaited<ReturnType<typeof startServer>>;
  let httpPort: number;
  let tcpPort: number;
  let servicePort: number;
  const log: string[] = [];

  const service = ([name, clusterIP]: readonly [string, string]): Manifest => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { clusterIP, ports: [{ port: servicePort }] },
  });
  const rulesTo = (name: string): object[] => [{ backendRefs: [{ name, port: servicePort }] }];
  const httpRoute = (to: string): Manifest =>
    object("HTTPRoute", "v1", "web", {
      parentRefs: [{ name: "gateway", sectionName: "http" }],
      hostnames: ["web.test"],
      rules: rulesTo(to),
    });
  const proxy = (): Manifest =>
    httpProxy("default", "proxy", {
      virtualhost: { fqdn: "proxy.test" },
      routes: [{ services: [{ name: "blue", port: servicePort }] }],
    });

  const gateway = (...more: readonly object[]): Manifest =>
    object("Gateway", "v1", "gateway", {
      gatewayClassName: "isoline",
      // Envoy listens on ports that are 8000 higher.
      listeners: [{ name: "http", port: httpPort - 8000, protocol: "HTTP" }, ...more],
    });

  const answer = async (host: string): Promise<string> => {
    const { status, body } = await request({ port: httpPort, host });
    return status === 200 ? body : String(status);
  };

  const states = async (): Promise<Readonly<Record<string, string>>> => {
    const status = (await (await fetch(`${isoline.url}/status`)).json()) as {
      sources: { kinds: Record<string, { state: string }> }[];
    };
    const kinds = Object.entries(status.sources[0]?.kinds ?? {});
    return Object.fromEntries(kinds.map(([kind, { state }]) => [kind, state]));
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries, serviceRange);
    [httpPort, tcpPort, servicePort] = [await freePort(), await freePort(), await freePort()];
    for (const [name, address] of Object.entries(addresses)) {
      const tcp = createServer((socket) => socket.end(name));
      const backend = name === "tcp" ? tcp : createHttpServer((_, response) => response.end(name));
      backends.push(backend);
      await new Promise<void>((resolve) => backend.listen(servicePort, address, resolve));
    }
    const role = manifestsOf("rbac", {
      namespace,
      image: "",
      replicas: "2",
      envoyImage: "",
      envoyKind: "DaemonSet",
      gateway: true,
    });
    await kube.apply(...role.slice(0, 1), ...(customResourceDefinitions() as readonly Manifest[]));
    await kube.apply(...role.slice(1), ...forUser(role));
    await eventually(async () => {
      await kube.apply(...Object.entries(addresses).map(service), proxy());
      return true;
    }, "the CRDs of Contour are served");
    isoline = await startServer({
      paths: [],
      kube: {
        targets: [{ name: "", kubeconfig: kube.isolineConfig }],
        acceptShrink: false,
        status: { lease: { name: "isoline", namespace } },
      },
      overrides: {
        endpoints: "service",
        gatewayRef,
        ...(await onLoopback(httpPort)),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => log.push(line),
    });
    envoy = await startEnvoy({ xdsPort: Number(new URL(isoline.url).port) });
    await eventually(() => envoy.ready(), "Envoy is ready");
  });

  afterAll(async () => {
    await envoy?.stop();
    await isoline?.close();
    await kube?.stop();
    for (const backend of backends) backend.close();
  });

  it("serves everything else while the CRDs of the Gateway API are missing", async () => {
    expect(await answer("proxy.test")).toBe("blue");
    const custom = resources.filter(({ ofGateway, builtIn }) => ofGateway && !builtIn);
    const absent = Object.entries(await states()).filter(([, state]) => state === "absent");
    expect(absent.map(([kind]) => kind)).toEqual(custom.map(({ kind }) => kind));
    expect(log.filter((line) => /^this cluster has no /.test(line))).toHaveLength(custom.length);
  });

  it("serves the Gateway once they exist, and follows its routes", async () => {
    await kube.apply(...definitions);
    await eventually(async () => {
      await kube.apply(gatewayClass, gateway(), httpRoute("blue"));
      return true;
    }, "the CRDs of the Gateway API are served");
    await eventually(async () => (await answer("web.test")) === "blue", "the route answers");
    await kube.apply(httpRoute("green"));
    await eventually(async () => (await answer("web.test")) === "green", "the changed route answers");
    expect(await answer("proxy.test")).toBe("blue");
    await kube.remove(httpRoute("green"));
    await eventually(async () => (await answer("web.test")) === "404", "the removed route is gone");
    expect(await envoy.rejected()).toEqual([]);
  });

  it("is read at older versions if newer ones are missing", async () => {
    await kube.apply(gateway({ name: "tcp", port: tcpPort - 8000, protocol: "TCP" }));
    const parentRefs = [{ name: "gateway", sectionName: "tcp" }];
    await kube.apply(object("TCPRoute", "v1alpha2", "tcp", { parentRefs, rules: rulesTo("tcp") }));
    await eventually(async () => (await greeting(tcpPort)) === "tcp", "the new listener's backend answers");
    // A kind whose definition the API server did not serve at the first request is requested again.
    await expect.poll(states).toMatchObject({
      TCPRoute: "synced",
      ReferenceGrant: "synced",
      TLSRoute: "absent",
      BackendTLSPolicy: "absent",
      ConfigMap: "synced",
    });
    expect(await envoy.rejected()).toEqual([]);
  });

  it("gets statuses in the version of each kind, without changes to those of other controllers", async () => {
    const route = object("HTTPRoute", "v1", "judged", {
      parentRefs: [{ name: "gateway", sectionName: "http" }],
      hostnames: ["judged.test"],
      rules: rulesTo("nobody"),
    });
    await kube.apply(route);
    const conditionsIn = (of: unknown): Record<string, string> =>
      Object.fromEntries(
        ((of as { conditions?: { type: string; status: string; reason: string }[] }).conditions ?? []).map(
          ({ type, status, reason }) => [type, `${status} ${reason}`],
        ),
      );
    const parents = async (of: Manifest): Promise<readonly unknown[]> =>
      ((await kube.get(of)).status as { parents?: unknown[] } | undefined)?.parents ?? [];
    await eventually(async () => (await parents(route)).length === 1, "the route's status");
    expect((await parents(route)).map(conditionsIn)).toEqual([
      { Accepted: "True Accepted", ResolvedRefs: "False BackendNotFound" },
    ]);
    const tcp = object("TCPRoute", "v1alpha2", "tcp", {});
    await eventually(async () => (await parents(tcp)).length === 1, "the older kind's status");
    const { status } = await kube.get(gateway());
    expect(conditionsIn(status)).toEqual({ Accepted: "True Accepted", Programmed: "True Programmed" });
    expect((status as { listeners: unknown[] }).listeners).toMatchObject([
      { name: "http", attachedRoutes: 1 },
      { name: "tcp", attachedRoutes: 1, supportedKinds: [{ kind: "TCPRoute" }] },
    ]);
    expect(conditionsIn((await kube.get(gatewayClass)).status)).toEqual({ Accepted: "True Accepted" });
  });

  it("is an input of commands, too", async () => {
    const kindsWith = async (settings: object): Promise<Set<string>> => {
      const cluster = { file: [], kube: [""], kubeconfig: kube.isolineConfig };
      const { objects } = await readInput(cluster, parseSettings(settings).settings);
      return new Set(objects.map(({ kind }) => kind));
    };
    expect(await kindsWith({ gatewayRef })).toContain("TCPRoute");
    expect(await kindsWith({})).not.toContain("Gateway");
  });

  it("requires only the rights of `isoline manifests rbac --gateway`", () => {
    expect(log.filter((line) => /403|not allowed/.test(line))).toEqual([]);
  });
});

/** The first data of a TCP server. */
const greeting = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").once("error", reject);
    socket.setTimeout(1000, () => socket.destroy(new Error("it says nothing")));
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once("close", () => reject(new Error("closed")));
  });
