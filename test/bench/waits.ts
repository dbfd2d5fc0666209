import { startEcho } from "../../src/dev/echo.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { Hub } from "../../src/server/hub.js";
import type { Manifest } from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { applications } from "./apps.js";
import { until } from "./spread.js";

/** The waits on the way of a new application: what Envoy polls and gets, in ms since the push, medians of as many. */
const rounds = 15;

const metadata = (name: string): Manifest => ({ namespace: "default", name });
const application = (name: string, port: number): readonly Manifest[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(name),
    spec: { clusterIP: "127.0.0.1", ports: [{ name: "http", port, protocol: "TCP" }] },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { ...metadata(name), labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  },
  {
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: metadata(name),
    spec: { virtualhost: { fqdn: `${name}.test` }, routes: [{ services: [{ name, port }] }] },
  },
];

interface Step {
  readonly what: string;
  readonly at: number;
}

/** The polls and answers of a hub, while `steps` is an array. */
const recorded: { steps: Step[] } = { steps: [] };
const { poll } = Hub.prototype;
Hub.prototype.poll = async function (asked, ...rest) {
  const name = asked.type === "routes" ? " of a table" : "";
  recorded.steps.push({ what: `${asked.type}${name} polled`, at: performance.now() });
  const reply = await poll.call(this, asked, ...rest);
  recorded.steps.push({ what: `${asked.type}${name} answered ${reply.status}`, at: performance.now() });
  return reply;
};

const median = (values: readonly number[]): number =>
  Math.round(([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0) * 10) / 10;

async function measure(count: number): Promise<Record<string, number | string>> {
  const [http, https, stats] = [await freePort(), await freePort(), await freePort()];
  const echo = await startEcho("new");
  const server = await startServer({
    paths: [],
    push: true,
    host: "127.0.0.1",
    port: await freePort(),
    log: () => undefined,
  });
  const at = (port: number): Manifest => ({ address: "127.0.0.1", port });
  const spec = { allowLoopbackEndpoints: true, http: at(http), https: at(https), stats: at(stats) };
  const put = async (source: string, body: string): Promise<void> => {
    const answer = await fetch(`${server.url}/sources/${source}`, { method: "PUT", body });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  };
  await put("all", `${JSON.stringify({ kind: "IsolineSettings", spec })}\n${applications(count)}`);
  const objects: Manifest[] = [...application("first", echo.port)];
  const push = (): Promise<void> => put("edited", objects.map((object) => JSON.stringify(object)).join("\n"));
  await push();
  const envoy = await startEnvoy({ xdsPort: Number(new URL(server.url).port) });
  const answers = async (host: string): Promise<boolean> =>
    (await request({ port: http, host })).status === 200;
  const times = new Map<string, number[]>();
  try {
    await eventually(
      () => envoy.ready().then((is) => is && answers("first.test")),
      "Envoy is ready",
      120_000,
    );
    for (let i = 0; i < rounds; i++) {
      let written = 0;
      objects.push(...application(`new-${i}`, echo.port));
      await until(
        async () => {
          await push();
          written = performance.now();
        },
        () => answers(`new-${i}.test`),
      );
      const { steps } = recorded;
      recorded.steps = [];
      const count = new Map<string, number>();
      const end = { what: "the host answers", at: performance.now() };
      for (const { what, at } of [...steps, end]) {
        // Before the push is answered, publication has begun: some 10 ms.
        if (at < written - 100 && !what.includes("polled")) continue;
        if (at < written - 20) continue;
        const nth = (count.get(what) ?? 0) + 1;
        count.set(what, nth);
        const key = nth === 1 ? what : `${what} (${nth})`;
        times.set(key, [...(times.get(key) ?? []), at - written]);
      }
    }
    const usual = [...times].filter(([, all]) => all.length > rounds / 2);
    const sorted = usual.map(([what, all]) => [what, median(all)] as const).sort(([, a], [, b]) => a - b);
    return { applications: count, ...Object.fromEntries(sorted) };
  } finally {
    await envoy.stop();
    await server.close();
    await echo.close();
  }
}

const sizes = process.argv.slice(2).map(Number);
for (const count of sizes.length > 0 ? sizes : [0, 1000, 5000])
  console.log(JSON.stringify(await measure(count)));
