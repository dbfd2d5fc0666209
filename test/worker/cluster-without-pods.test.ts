import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { tokenFileFor, writeBootstrap } from "../../src/xds/bootstrap.js";
import { certificate, hostProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { startClusterWorker, startEdge, tokenLine } from "../support/cluster-worker.js";
import { eventually, startEnvoy, type TestEnvoy, testedEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { forUser, gatewayDefinition, kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
const isoline = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));
const namespace = "projectcontour";
const tokens = { hook: "isoline_hook_t", node: "isoline_node_t", admin: "isoline_admin_t" };
/** An address of the cluster's range for Services, which is this machine. */
const addresses = { range: "127.41.0.0/16", app: "127.41.0.50", solver: "127.41.0.51" };

const run = (...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) =>
    execFile(process.execPath, [isoline, ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    ),
  );

const answering = (text: string, address: string, port: number): Promise<Server> =>
  new Promise((resolve) => {
    const server: Server = createServer((asked, answer) => answer.end(`${text} ${asked.url}`));
    server.listen(port, address, () => resolve(server));
  });

const service = (name: string, clusterIP: string, port: number): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: { clusterIP, ports: [{ name: "http", port, targetPort: port }] },
});

const ofGateway = (kind: string, name: string, spec: object): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind,
  metadata: { name, ...(kind === "GatewayClass" ? {} : { namespace: "default" }) },
  spec,
});

const site: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "site", namespace: "default", annotations: { "cert-manager.io/cluster-issuer": "acme" } },
  spec: {
    tls: [{ hosts: ["secure.test"], secretName: "site-tls" }],
    rules: [
      {
        host: "secure.test",
        http: {
          paths: [
            { path: "/", pathType: "Prefix", backend: { service: { name: "app", port: { number: 8080 } } } },
          ],
        },
      },
    ],
  },
};

/** The Ingress that cert-manager's solver for HTTP-01 creates, with a generated name. */
const challenge: Manifest = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name: "cm-acme-http-solver-x7k2p",
    namespace: "default",
    labels: { "acme.cert-manager.io/http01-solver": "true", "acme.cert-manager.io/http-token": "1059306157" },
    annotations: { "nginx.ingress.kubernetes.io/whitelist-source-range": "0.0.0.0/0,::/0" },
  },
  spec: {
    rules: [
      {
        host: "secure.test",
        http: {
          paths: [
            {
              path: "/.well-known/acme-challenge/LoqXcYV8",
              pathType: "ImplementationSpecific",
              backend: { service: { name: "cm-acme-http-solver-9q4sd", port: { number: 8089 } } },
            },
          ],
        },
      },
    ],
  },
};

interface Balancer {
  readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[];
}
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly observedGeneration?: number;
}
interface Status {
  readonly currentStatus?: string;
  readonly loadBalancer?: Balancer;
  readonly conditions?: readonly Condition[];
  readonly addresses?: readonly { readonly value: string }[];
  readonly parents?: readonly {
    readonly parentRef: { readonly name: string };
    readonly conditions: readonly Condition[];
  }[];
}

describe.skipIf("reason" in binaries)("a cluster without pods of Isoline, followed by the Worker", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-no-pods-"));
  const ports = { worker: 0, edge: 0, http: 0, https: 0 };
  const lines: string[] = [];
  const envoys: TestEnvoy[] = [];
  const closing: (() => unknown)[] = [];
  let kube: TestKube;
  let worker: Miniflare;
  let settings: Manifest;
  let printed: Manifest[];
  let asked: string[] = [];

  const startWorker = async (bindings: Readonly<Record<string, string>> = {}): Promise<void> => {
    worker = await startClusterWorker({
      port: ports.worker,
      folder: join(folder, "objects"),
      kubeconfig: kube.isolineConfig,
      kubeToken: "isoline-token",
      tokens: Object.entries(tokens).map(([role, token]) => tokenLine(role, token)),
      settings,
      bindings: { ISOLINE_INSECURE: "0", KUBE_WRITE_STATUS: "1", KUBE_POLL_SECONDS: "5", ...bindings },
      asked: (method) => asked.push(method),
      logged: (text) => lines.push(text),
    });
  };
  const statusOf = async (object: Manifest): Promise<Status> =>
    ((await kube.get(object)).status ?? {}) as Status;
  const url = (): string => `https://localhost:${ports.edge}`;
  const body = async (host: string, path = "/"): Promise<string> => {
    const answer = await request({ port: ports.http, host, path });
    return answer.status === 200 ? answer.body : String(answer.status);
  };
  const setStatus = async (path: string, status: object): Promise<void> => {
    const answer = await kube.admin.send({
      method: "PATCH",
      path: `${path}/status`,
      headers: { "content-type": "application/merge-patch+json", accept: "application/json" },
      body: JSON.stringify({ status }),
      signal: AbortSignal.timeout(5000),
    });
    for await (const _ of answer.body);
    expect(answer.status).toBe(200);
  };

  const startOne = async (nodeId: string): Promise<TestEnvoy> => {
    const envoy = await testedEnvoy();
    return startEnvoy({
      xdsPort: ports.edge,
      bootstrap: async (port) =>
        writeBootstrap({
          xdsUrl: url(),
          nodeId,
          nodeCluster: "test",
          admin: { address: "127.0.0.1", port },
          envoy,
          tokenFile: join(folder, "token.json"),
          caFile: fileURLToPath(new URL("../support/certs/loopback.crt", import.meta.url)),
        }),
    });
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries, addresses.range);
    Object.assign(ports, { worker: await freePort(), edge: await freePort(), http: await freePort() });
    const loopback = await onLoopback(ports.http);
    ports.https = Number(loopback.httpsPort);
    settings = {
      ...loopback,
      endpoints: "service",
      gatewayRef: { namespace: "default", name: "gateway" },
    };
    for (const [name, token] of Object.entries(tokens)) writeFileSync(join(folder, name), token);
    writeFileSync(join(folder, "token.json"), tokenFileFor(tokens.node));
    writeFileSync(join(folder, "ca.crt"), certificate("loopback").cert);
    const edge = await startEdge(ports.edge, ports.worker);
    closing.push(() => edge.close());
    const given = [
      "--gateway",
      "--hook-token-file",
      join(folder, "hook"),
      "--ca-file",
      join(folder, "ca.crt"),
    ];
    const { code, stdout } = await run("manifests", "--worker", url(), ...given);
    expect(code).toBe(0);
    printed = parseAllDocuments(stdout).map((one) => one.toJS() as Manifest);
    const crds = printed.filter(({ kind }) => kind === "CustomResourceDefinition");
    const [first, ...rest] = printed.filter((one) => !crds.includes(one));
    const kinds = [
      "GatewayClass",
      "Gateway",
      "HTTPRoute",
      "GRPCRoute",
      "TLSRoute",
      "ReferenceGrant",
      "BackendTLSPolicy",
    ];
    await kube.apply(...crds, ...kinds.map((kind) => gatewayDefinition(kind, "v1")));
    await kube.apply(gatewayDefinition("TCPRoute", "v1alpha2"));
    if (first) await kube.apply(first);
    await eventually(async () => {
      await kube.apply(...rest, ...forUser(rest));
      return true;
    }, "what is printed is accepted");
    await setStatus(`/api/v1/namespaces/${namespace}/services/envoy`, {
      loadBalancer: { ingress: [{ ip: "192.0.2.7" }] },
    });
    const app = await answering("app", addresses.app, 8080);
    closing.push(() => app.close());
    await kube.apply(service("app", addresses.app, 8080));
    await startWorker();
    for (const id of ["one", "two"]) envoys.push(await startOne(id));
    await eventually(
      async () => (await Promise.all(envoys.map((one) => one.ready()))).every(Boolean),
      "ready",
    );
  });

  afterAll(async () => {
    for (const envoy of envoys) await envoy.stop();
    await worker?.dispose();
    for (const close of closing) close();
    await kube?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is all that is printed: definitions, a role, Envoys and the webhook", () => {
    const kinds = new Set(printed.map(({ kind }) => kind));
    kinds.delete("CustomResourceDefinition");
    expect([...kinds].sort()).toEqual([
      "ClusterRole",
      "ClusterRoleBinding",
      "ConfigMap",
      "DaemonSet",
      "Namespace",
      "Service",
      "ServiceAccount",
      "ValidatingWebhookConfiguration",
    ]);
  });

  it("serves an HTTPProxy to all Envoys and writes its status, also that of one with an error", async () => {
    const [good, bad] = [hostProxy("shop.test", "app"), hostProxy("bad.test", "missing")];
    const goodSpec = {
      ...good,
      spec: { virtualhost: { fqdn: "shop.test" }, routes: [{ services: [{ name: "app", port: 8080 }] }] },
    };
    await kube.apply(goodSpec, bad);
    await eventually(async () => (await body("shop.test")) === "app /", "traffic");
    await eventually(async () => (await statusOf(good)).currentStatus === "valid", "a valid status");
    await eventually(async () => (await statusOf(bad)).currentStatus === "invalid", "an invalid status");
    expect((await statusOf(good)).conditions?.[0]).toMatchObject({ status: "True", observedGeneration: 1 });
    // external-dns reads this for its source contour-httpproxy.
    expect((await statusOf(good)).loadBalancer).toEqual({ ingress: [{ ip: "192.0.2.7" }] });
    for (const envoy of envoys) {
      // The answers before may all be from the other Envoy.
      await eventually(
        async () => JSON.stringify(await envoy.configDump()).includes("shop.test"),
        "each Envoy has the host",
      );
      expect(await envoy.rejected()).toEqual([]);
    }
  });

  const count = Number(process.env.HOOKS ?? 12);
  it("has a change in Envoy soon after the webhook, whenever it comes", {
    timeout: 300_000 + count * 3000,
  }, async () => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const answered = `change ${i}`;
      const spec = {
        virtualhost: { fqdn: "hooked.test" },
        routes: [{ directResponsePolicy: { statusCode: 200, body: answered } }],
      };
      await sleep(Math.random() * 1000);
      const since = performance.now();
      await kube.apply({ ...hostProxy("hooked.test", "app"), spec });
      await eventually(async () => (await body("hooked.test")) === answered, `change ${i} arrives`);
      times.push(performance.now() - since);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): number => Math.round(times[Math.floor(share * (count - 1))] ?? 0);
    console.log(
      `from the write to Envoy, ${count} hooks: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
    );
    expect(at(0.5)).toBeLessThan(10_000);
  });

  it("refuses an object that is not valid before it is stored, by the printed webhook", async () => {
    const spec = { virtualhost: { fqdn: "x.test" }, routes: [{ timeoutPolicy: { response: "soon" } }] };
    await expect(kube.apply({ ...hostProxy("x.test", "app"), spec })).rejects.toThrow(
      /timeoutPolicy.response/,
    );
  });

  it("answers the challenge of cert-manager's solver for HTTP-01, and serves the certificate that it stores", async () => {
    await kube.apply(site);
    // external-dns reads this for its source ingress.
    await eventually(
      async () => (await statusOf(site)).loadBalancer?.ingress?.[0]?.ip === "192.0.2.7",
      "the Ingress has the address",
    );
    const path = "/.well-known/acme-challenge/LoqXcYV8";
    const solver = await answering("key", addresses.solver, 8089);
    closing.push(() => solver.close());
    await kube.apply(service("cm-acme-http-solver-9q4sd", addresses.solver, 8089), challenge);
    await eventually(
      async () => (await body("secure.test", path)) === `key ${path}`,
      "the challenge is answered",
    );
    await kube.remove(challenge);
    await eventually(async () => (await body("secure.test", path)) !== `key ${path}`, "the solver is gone");
    await kube.apply({
      ...tlsSecret("default", "secure"),
      metadata: { name: "site-tls", namespace: "default" },
    });
    await eventually(async () => {
      const answer = await request({ port: ports.https, host: "secure.test", sni: "secure.test" });
      return answer.status === 200 && answer.certificate === "secure.test";
    }, "https with the certificate");
  });

  it("writes the statuses of a Gateway and its routes, as external-dns's source gateway-httproute reads them", async () => {
    // Envoy listens on ports that are 8000 higher.
    const listeners = [{ name: "http", port: ports.http - 8000, protocol: "HTTP" }];
    const gateway = ofGateway("Gateway", "gateway", { gatewayClassName: "isoline", listeners });
    const route = ofGateway("HTTPRoute", "web", {
      parentRefs: [{ name: "gateway" }],
      hostnames: ["web.test"],
      rules: [{ backendRefs: [{ name: "app", port: 8080 }] }],
    });
    await kube.apply(
      ofGateway("GatewayClass", "isoline", { controllerName: "isoline.dev/gateway" }),
      gateway,
      route,
    );
    await eventually(async () => (await body("web.test")) === "app /", "traffic");
    const isTrue = (conditions: readonly Condition[] = [], type = ""): boolean =>
      conditions.some((one) => one.type === type && one.status === "True");
    await eventually(async () => {
      const [parent] = (await statusOf(route)).parents ?? [];
      return parent?.parentRef.name === "gateway" && isTrue(parent.conditions, "Accepted");
    }, "the route is accepted");
    await eventually(async () => isTrue((await statusOf(gateway)).conditions, "Programmed"), "programmed");
    expect((await statusOf(gateway)).addresses).toMatchObject([{ value: "192.0.2.7" }]);
  });

  it("says without a token whether it is ready", async () => {
    const answer = await fetch(`http://127.0.0.1:${ports.worker}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([200, "ok\n"]);
    expect((await fetch(`http://127.0.0.1:${ports.worker}/status`)).status).toBe(401);
  });

  it("writes many statuses in turns, with limited requests in each", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `many-${i}.test`);
    const proxies = names.map((name) => ({
      ...hostProxy(name, "app"),
      spec: { virtualhost: { fqdn: name }, routes: [{ services: [{ name: "app", port: 8080 }] }] },
    }));
    await worker.dispose();
    await kube.apply(...proxies);
    asked = [];
    await startWorker({ KUBE_STATUS_REQUESTS: "8", KUBE_POLL_SECONDS: "60" });
    await eventually(async () => {
      const words = await Promise.all(proxies.map(async (one) => (await statusOf(one)).currentStatus));
      return words.every((word) => word === "valid");
    }, "all statuses");
    const patches = asked.filter((method) => method === "PATCH").length;
    expect(patches).toBeGreaterThanOrEqual(30);
    // A correct status is not written again.
    expect(patches).toBeLessThan(40);
    // The test itself asks for the status without a token.
    const refused = lines.filter((line) => !line.includes("authentication-failed"));
    expect(refused.filter((line) => /40[13]|not allowed/.test(line))).toEqual([]);
  });

  it("holds deletions of a list, until the command confirms them", async () => {
    await worker.dispose();
    const gone = Array.from({ length: 30 }, (_, i) => hostProxy(`many-${i}.test`, "app"));
    for (const one of gone) await kube.remove(one);
    await startWorker();
    const confirm = (): ReturnType<typeof run> =>
      run(
        ...["accept-shrink", "HTTPProxy", "--xds", url(), "--expect", "30"],
        ...["--token-file", join(folder, "admin"), "--ca-file", join(folder, "ca.crt")],
      );
    await eventually(async () => lines.join("").includes("kube-held: httpproxies"), "the deletions are held");
    expect(await body("many-0.test")).toBe("app /");
    const { code, stderr } = await confirm();
    expect([code, stderr]).toEqual([0, "HTTPProxy: confirmed; 30 objects are deleted at once\n"]);
    await eventually(async () => (await body("many-0.test")) === "404", "the hosts are gone");
    expect(await body("shop.test")).toBe("app /");
  });
});
