import { spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ApiResponse, Transport } from "../../src/kubernetes/api.js";
import { kubeTransport } from "../../src/kubernetes/node/transport.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { ClusterFollower } from "../../src/sources/kubernetes/cluster-follower.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Manifest } from "../support/backend.js";
import { engineOf } from "../support/engine.js";
import { eventually } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { kubeBinaries, type TestKube } from "../support/kube.js";
import { startCluster } from "./cluster.js";
import type { Figures } from "./spread.js";

const isoline = fileURLToPath(new URL("../isoline.js", import.meta.url));

const proxy = (body: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: "edited", namespace: "default" },
  spec: {
    virtualhost: { fqdn: "edited.test" },
    routes: [{ directResponsePolicy: { statusCode: 200, body } }],
  },
});

/** Requests and the bytes of their answers. */
class Counted implements Transport {
  requests = 0;
  bytes = 0;

  constructor(private readonly inner: Transport) {}

  async send(request: Parameters<Transport["send"]>[0]): Promise<ApiResponse> {
    this.requests += 1;
    const { status, body } = await this.inner.send(request);
    return { status, body: this.#counted(body) };
  }

  async *#counted(body: ApiResponse["body"]): ApiResponse["body"] {
    for await (const chunk of body) {
      this.bytes += chunk.length;
      yield chunk;
    }
  }

  take(name: string): Figures {
    const figures = { [`${name}_requests`]: this.requests, [`${name}_bytes`]: this.bytes };
    this.requests = 0;
    this.bytes = 0;
    return figures;
  }
}

/** What a look costs at the first time, with nothing changed, and after one change. */
async function countLooks(kube: TestKube): Promise<Figures> {
  const transport = new Counted(await kubeTransport({ kubeconfig: kube.adminConfig }));
  const source = new ClusterFollower({
    server: "https://kube.test",
    transport,
    engine: engineOf(createMemoryStore(), { platform: { checkKeyPair } }),
    acceptShrink: false,
    namespaces: [],
    changed: () => undefined,
    log: (line) => console.error(line),
    now: Date.now,
    sleep: async () => undefined,
    random: () => 0,
  });
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const look = (): Promise<void> => source.refresh(1, signal);
  await look();
  const first = transport.take("first");
  await look();
  const idle = transport.take("idle");
  await kube.apply(proxy("two"));
  await look();
  return { ...first, ...idle, ...transport.take("change") };
}

/** The command itself, with its watches: how long until it is ready, and how much memory it takes. */
async function measureServer(kube: TestKube): Promise<Figures> {
  const port = await freePort();
  const args = [
    isoline,
    "serve",
    "--kube",
    "--kubeconfig",
    kube.adminConfig,
    "--listen",
    `127.0.0.1:${port}`,
  ];
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  try {
    const ready = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true;
    await eventually(ready, "it is ready", 120_000);
    const readyMs = Math.round(performance.now() - began);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    const megabytes = (key: string): number =>
      Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024);
    return { ready_ms: readyMs, rss_mib: megabytes("VmRSS"), peak_rss_mib: megabytes("VmHWM") };
  } finally {
    child.kill();
  }
}

const binaries = await kubeBinaries();
if ("reason" in binaries) {
  console.error(`isoline: skipped: ${binaries.reason}`);
} else {
  const sizes = process.argv.slice(2).map(Number);
  for (const count of sizes.length > 0 ? sizes : [0, 1000, 10_000]) {
    const kube = await startCluster(binaries, count);
    try {
      await kube.apply(proxy("one"));
      console.log(
        JSON.stringify({ applications: count, ...(await countLooks(kube)), ...(await measureServer(kube)) }),
      );
    } finally {
      await kube.stop();
    }
  }
}
