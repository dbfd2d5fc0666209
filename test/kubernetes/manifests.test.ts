import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ManifestPart } from "../../src/cli/manifest-parts.js";
import { manifestsOf } from "../../src/cli/manifests.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { hostProxy, httpProxy, type Manifest, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { forUser, kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
const certificate = (kind: "crt" | "key"): string =>
  fileURLToPath(new URL(`../support/certs/loopback.${kind}`, import.meta.url));
const namespace = "projectcontour";
const hookToken = "isoline_hook_for-tests";
const readToken = "isoline_read_for-tests";

interface WithStatus {
  readonly status?: {
    readonly currentStatus?: string;
    readonly description?: string;
    readonly loadBalancer?: { readonly ingress?: readonly object[] };
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration: number;
      readonly lastTransitionTime: string;
    }[];
  };
}

describe.skipIf("reason" in binaries)("what `isoline manifests` prints", () => {
  let kube: TestKube;
  let folder: string;
  let port: number;
  const log: string[] = [];
  const servers: Awaited<ReturnType<typeof startServer>>[] = [];

  const objects = (...parts: ManifestPart[]): Manifest[] =>
    parts.flatMap((part) =>
      manifestsOf(part, {
        namespace,
        image: "isoline:test",
        replicas: "2",
        envoyImage: "envoy:test",
        envoyKind: "DaemonSet",
        hookTokenFile: join(folder, "hook.token"),
        hookUrl: `https://127.0.0.1:${port}`,
        caFile: certificate("crt"),
      }),
    );

  const start = async (at: number): Promise<Awaited<ReturnType<typeof startServer>>> => {
    const server = await startServer({
      paths: [],
      kube: {
        targets: [{ name: "", kubeconfig: kube.isolineConfig }],
        acceptShrink: false,
        status: { envoyService: `${namespace}/envoy`, lease: { name: "isoline", namespace } },
      },
      host: "127.0.0.1",
      port: at,
      tokensFile: join(folder, "tokens"),
      tls: { certFile: certificate("crt"), keyFile: certificate("key") },
      log: (line) => log.push(line),
    });
    servers.push(server);
    return server;
  };

  const statusOf = async (object: Manifest): Promise<NonNullable<WithStatus["status"]>> =>
    ((await kube.get(object)) as WithStatus).status ?? {};

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    folder = await mkdtemp(join(tmpdir(), "isoline-manifests-"));
    port = await freePort();
    await writeFile(join(folder, "hook.token"), hookToken);
    const line = (role: string, token: string): string =>
      `${role} sha256:${createHash("sha256").update(token).digest("hex")}\n`;
    await writeFile(join(folder, "tokens"), line("hook", hookToken) + line("read", readToken));
    await kube.apply(...objects("crds"));
    const [first, ...rest] = objects("rbac");
    if (first) await kube.apply(first);
    await kube.apply(...rest, ...objects("server", "envoy"));
    await kube.apply(...forUser(rest));
    await eventually(async () => {
      await kube.apply(service("default", "app"), hostProxy("good.test", "app"));
      return true;
    }, "the CRDs are served");
    await start(port);
  });

  afterAll(async () => {
    for (const server of servers) await server.close();
    await kube?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("is accepted, and its role has exactly the required rights", async () => {
    await eventually(
      async () => (await statusOf(hostProxy("good.test", "app"))).currentStatus === "valid",
      "a status",
    );
    expect(log.filter((line) => /403|not allowed/.test(line))).toEqual([]);
  });

  it("permits writing statuses: the conditions, the generation, and the address of the Envoys", async () => {
    const bad = hostProxy("bad.test", "missing");
    await kube.apply(bad);
    await eventually(async () => (await statusOf(bad)).currentStatus === "invalid", "a bad verdict");
    const [condition] = (await statusOf(bad)).conditions ?? [];
    expect(condition).toMatchObject({ type: "Valid", status: "False", observedGeneration: 1 });
    await kube.apply(hostProxy("bad.test", "app"));
    await eventually(async () => (await statusOf(bad)).currentStatus === "valid", "a good verdict");
    const [mended] = (await statusOf(bad)).conditions ?? [];
    expect(mended).toMatchObject({ status: "True", observedGeneration: 2 });

    const balanced = { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } };
    await patchStatus("/api/v1/namespaces/projectcontour/services/envoy/status", balanced);
    await eventually(
      async () => (await statusOf(bad)).loadBalancer?.ingress?.length === 1,
      "the address of the Envoys",
    );
    expect((await statusOf(bad)).loadBalancer).toEqual(balanced.loadBalancer);
  });

  it("permits writing the other statuses if one object has the maximum size of the API server", async () => {
    // An object of another class has no status yet; the status of this one is larger than the managedFields that the
    // API server drops.
    const errors = Array.from({ length: 25 }, (_, i) => ({
      conditions: [{ prefix: `/error-${i}` }],
      services: [{ name: `nowhere-${i}`, port: 80 }],
    }));
    const large = (bytes: number, ingressClass = "nothing"): Manifest => {
      const bodies = [...Array.from({ length: Math.floor(bytes / 4000) }, () => 4000), bytes % 4000];
      const routes = bodies.map((length, i) => ({
        conditions: [{ prefix: `/${i}` }],
        directResponsePolicy: { statusCode: 200, body: "x".repeat(length) },
      }));
      const proxy = httpProxy("default", "large", {
        virtualhost: { fqdn: "large.test" },
        routes: [...routes, ...errors],
      });
      const annotations = { "kubernetes.io/ingress.class": ingressClass };
      return { ...proxy, metadata: { ...(proxy.metadata as object), annotations } };
    };
    // The largest accepted one, with a margin below the size of a status.
    let [fits, tooLarge] = [1_000_000, 1_600_000];
    while (tooLarge - fits > 64) {
      const bytes = Math.floor((fits + tooLarge) / 2);
      const taken = await kube.apply(large(bytes)).then(
        () => true,
        () => false,
      );
      if (taken) fits = bytes;
      else tooLarge = bytes;
    }
    const others = [hostProxy("before.test", "app"), hostProxy("later.test", "app", "z-team")];
    await kube.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "z-team" } });
    await kube.apply(large(fits, "contour"), service("z-team", "app"), ...others);
    for (const other of others)
      await eventually(async () => (await statusOf(other)).currentStatus === "valid", "a status of another");
    await eventually(
      async () => log.some((line) => line.startsWith("HTTPProxy/default/large: can't write the status")),
      "a line of the log",
    );
    await kube.apply(hostProxy("last.test", "app"));
    await eventually(
      async () => (await statusOf(hostProxy("last.test", "app"))).currentStatus === "valid",
      "a status after the failure",
    );
    expect(log.filter((line) => line.startsWith("HTTPProxy/default/large: can't write"))).toHaveLength(1);
    const headers = { authorization: `Bearer ${readToken}` };
    const read = async (path: string): Promise<string> =>
      (await request({ port, path, headers, sni: "" })).body;
    expect(await read("/metrics")).toMatch(
      /^isoline_status_write_failures_total\{kind="HTTPProxy",code="\d+"\} [1-9]/m,
    );
    expect(await read("/metrics")).toMatch(/^isoline_statuses_failing 1$/m);
    expect(JSON.parse(await read("/status"))).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ about: "HTTPProxy/default/large", reason: "NotWritten" }),
      ]) as object,
    });
    await kube.remove(large(0));
  });

  it("does not change conditions of others, and restores its own", async () => {
    const proxy = hostProxy("good.test", "app");
    const path = "/apis/projectcontour.io/v1/namespaces/default/httpproxies/good-test/status";
    const other = {
      type: "Audited",
      status: "True",
      reason: "Seen",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    await patchStatus(path, { currentStatus: "forged", conditions: [other] });
    await eventually(async () => (await statusOf(proxy)).currentStatus === "valid", "the verdict is back");
    expect((await statusOf(proxy)).conditions?.map(({ type }) => type).sort()).toEqual(["Audited", "Valid"]);
  });

  it("writes nothing without a difference", async () => {
    const versionOf = async (): Promise<unknown> =>
      ((await kube.get(hostProxy("good.test", "app"))) as { metadata: Manifest }).metadata.resourceVersion;
    const before = await versionOf();
    await kube.apply(service("default", "unrelated"));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(await versionOf()).toBe(before);
  });

  it("has one writer among replicas, and another one after it stops", async () => {
    const second = await start(await freePort());
    await eventually(async () => second.url !== "", "a second replica");
    const lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "isoline", namespace },
    };
    const holder = async (): Promise<unknown> =>
      ((await kube.get(lease)) as { spec: Manifest }).spec.holderIdentity;
    const first = await holder();
    await servers.shift()?.close();
    await eventually(async () => ![first, ""].includes((await holder()) as string), "another holder");
    const proxy = hostProxy("late.test", "app");
    await kube.apply(proxy);
    await eventually(async () => (await statusOf(proxy)).currentStatus === "valid", "statuses go on");
    port = Number(new URL(second.url).port);
  });

  it("has a webhook that denies invalid objects, with the field, and warns about missing ones", async () => {
    await kube.apply(...objects("webhook"));
    const bad = { ...hostProxy("x.test", "app"), spec: { virtualhost: { fqdn: "x.test" }, routes: [{}] } };
    await eventually(
      () =>
        kube.apply(bad).then(
          () => kube.remove(bad).then(() => false),
          () => true,
        ),
      "the webhook is asked",
    );
    await expect(kube.apply(bad)).rejects.toThrow(/spec\.routes\[0\]/);
    await kube.apply(hostProxy("y.test", "missing"));
    expect(log.filter((line) => /unexpected/.test(line))).toEqual([]);
  });

  const patchStatus = async (path: string, status: object): Promise<void> => {
    const answer = await kube.admin.send({
      method: "PATCH",
      path,
      headers: { "content-type": "application/merge-patch+json" },
      body: JSON.stringify({ status }),
      signal: AbortSignal.timeout(5000),
    });
    expect(answer.status).toBe(200);
    for await (const _ of answer.body);
  };
});
