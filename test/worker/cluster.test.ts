import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { type Manifest, service } from "../support/backend.js";
import { startClusterWorker, tokenLine } from "../support/cluster-worker.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();

const deployed = { id: "a1b2", tag: "", timestamp: "2026-04-01T00:00:00Z" };

const answering = (host: string, body: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: host.replaceAll(".", "-"), namespace: "default" },
  spec: { virtualhost: { fqdn: host }, routes: [{ directResponsePolicy: { statusCode: 200, body } }] },
});

describe.skipIf("reason" in binaries)("the Worker with a real API server", () => {
  let kube: TestKube;
  let worker: Miniflare;
  let envoy: TestEnvoy;
  let folder: string;
  let asked = 0;
  const ports = { worker: 0, http: 0 };

  const ring = (): Promise<number> =>
    fetch(`http://127.0.0.1:${ports.worker}/hooks/refresh/h`, { method: "POST" }).then(
      ({ status }) => status,
    );
  const body = async (host: string): Promise<string> => {
    const answer = await request({ port: ports.http, host });
    return answer.status === 200 ? answer.body : String(answer.status);
  };

  const start = async (): Promise<void> => {
    const at = (port: number): object => ({ address: "127.0.0.1", port });
    worker = await startClusterWorker({
      port: ports.worker,
      folder,
      kubeconfig: kube.adminConfig,
      kubeToken: "admin-token",
      tokens: [tokenLine("hook", "h"), tokenLine("node", "n"), tokenLine("read", "r")],
      bindings: { KUBE_POLL_SECONDS: "3600", CF_VERSION_METADATA: deployed },
      settings: {
        http: at(ports.http),
        https: at(await freePort()),
        stats: at(await freePort()),
      },
      asked: () => asked++,
    });
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    folder = await mkdtemp(join(tmpdir(), "isoline-worker-"));
    kube = await startKube(binaries);
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(async () => {
      await kube.apply(service("default", "app"), answering("first.test", "first"));
      return true;
    }, "the CRDs are served");
    ports.worker = await freePort();
    ports.http = await freePort();
    await start();
    envoy = await startEnvoy({ xdsPort: ports.worker, token: "n", http1: true });
    await eventually(() => envoy.ready(), "Envoy is ready");
  });

  afterAll(async () => {
    await envoy?.stop();
    await worker?.dispose();
    await kube?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it("lists it once, and polls again when a hook rings", async () => {
    await eventually(async () => (await body("first.test")) === "first", "the first host answers");
    await kube.apply(answering("second.test", "second"));
    expect(await ring()).toBe(202);
    await eventually(async () => (await body("second.test")) === "second", "the ring is answered");
    expect(await envoy.rejected()).toEqual([]);
  });

  /** The number of requests, once there was none for two seconds. */
  const untilStill = async (): Promise<number> => {
    for (let last = -1; ; ) {
      if (last === asked) return last;
      last = asked;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  };

  it("polls at most once a second, however often it rings", async () => {
    const before = await untilStill();
    const start = performance.now();
    const rings = await Promise.all(Array.from({ length: 200 }, ring));
    const seconds = (performance.now() - start) / 1000;
    expect(new Set(rings)).toEqual(new Set([202]));
    await untilStill();
    const status = await fetch(`http://127.0.0.1:${ports.worker}/status`, {
      headers: { authorization: "Bearer r" },
    });
    const report = (await status.json()) as { sources: { kinds: object }[]; deployed: object };
    const { sources } = report;
    expect(report.deployed).toEqual(deployed);
    const kinds = Object.keys(sources[0]?.kinds ?? {}).length;
    // Each poll also checks the version of the server.
    expect(asked - before).toBeLessThanOrEqual((2 + Math.floor(seconds)) * (kinds + 1));
  });

  it("resumes after a restart, without an effect on traffic", async () => {
    await worker.dispose();
    expect(await body("second.test")).toBe("second");
    await kube.apply(answering("third.test", "third"));
    await start();
    await ring();
    await eventually(async () => (await body("third.test")) === "third", "what changed meanwhile arrives");
    expect(await body("first.test")).toBe("first");
  });
});
