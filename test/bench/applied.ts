import { parseArgs } from "node:util";
import { type EchoServer, startEcho } from "../../src/dev/echo.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { type Manifest, startLoad } from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { applications } from "./apps.js";
import { type Figures, spread, until } from "./spread.js";

const changes = 30;
const switches = 20;
/** Switches to Services without a cluster, and new applications with a Service of their own. */
const cold = 15;
const modes = ["auto", "eds", "inline", "service"] as const;
type Mode = (typeof modes)[number];
/** A held poll for each cluster: beyond, nobody would choose it. */
const maxForEds = 1000;

const metadata = (name: string): Manifest => ({ namespace: "default", name });
const service = (name: string, port: number): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(name),
  spec: { clusterIP: "127.0.0.1", ports: [{ name: "http", port, protocol: "TCP" }] },
});
const slice = (name: string, port: number): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { ...metadata(name), labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port, protocol: "TCP" }],
  endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
});
const proxy = (host: string, to: string, port: number): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: metadata(host.replaceAll(".", "-")),
  spec: { virtualhost: { fqdn: host }, routes: [{ services: [{ name: to, port }] }] },
});

/** A server that is pushed to, and an Envoy of it; ended when `work` is done. */
async function serve(
  mode: Mode,
  count: number,
  work: (
    push: (...objects: readonly Manifest[]) => Promise<void>,
    http: number,
    url: string,
  ) => Promise<Figures>,
): Promise<Figures> {
  const [http, https, stats] = [await freePort(), await freePort(), await freePort()];
  const server = await startServer({
    paths: [],
    push: true,
    host: "127.0.0.1",
    port: await freePort(),
    log: () => undefined,
  });
  const put = async (source: string, body: string): Promise<void> => {
    const answer = await fetch(`${server.url}/sources/${source}`, { method: "PUT", body });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  };
  const at = (port: number): Manifest => ({ address: "127.0.0.1", port });
  const spec = {
    endpoints: mode,
    allowLoopbackEndpoints: true,
    http: at(http),
    https: at(https),
    stats: at(stats),
  };
  await put("all", `${JSON.stringify({ kind: "IsolineSettings", spec })}\n${applications(count)}`);
  const envoy = await startEnvoy({ xdsPort: Number(new URL(server.url).port) });
  try {
    await eventually(() => envoy.ready(), "Envoy is ready", 120_000);
    const push = (...objects: readonly Manifest[]): Promise<void> =>
      put("edited", objects.map((object) => JSON.stringify(object)).join("\n"));
    return { ...(await work(push, http, server.url)), rejected: (await envoy.rejected()).length };
  } finally {
    await envoy.stop();
    await server.close();
  }
}

/** Bytes of configuration that Envoys have been sent. */
async function bytesSent(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^isoline_poll_bytes_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

interface Running {
  readonly echoes: readonly EchoServer[];
  push(...objects: readonly Manifest[]): Promise<void>;
  readonly http: number;
  readonly url: string;
  answers(host: string, name: string): Promise<boolean>;
}

/** What needs a cluster that Envoy does not have: new applications, and switches to other Services under load. */
async function measureCold({ echoes, push, http, url, answers }: Running): Promise<Figures> {
  const objects: Manifest[] = [];
  const at = (i: number): EchoServer => echoes[i % echoes.length] as EchoServer;
  const backend = (name: string, { port }: EchoServer): readonly Manifest[] => [
    service(name, port),
    slice(name, port),
  ];
  const added: number[] = [];
  for (let i = 0; i < cold; i++) {
    objects.push(...backend(`app-${i}`, at(i)), proxy(`app-${i}.test`, `app-${i}`, at(i).port));
    added.push(
      await until(
        () => push(...objects),
        () => answers(`app-${i}.test`, at(i).service),
      ),
    );
  }
  for (let i = 0; i <= cold; i++) objects.push(...backend(`cold-${i}`, at(i)));
  const to = (i: number): Promise<void> => push(...objects, proxy("cold.test", `cold-${i}`, at(i).port));
  await to(0);
  await eventually(() => answers("cold.test", at(0).service), "the host answers", 60_000);
  const before = await bytesSent(url);
  const load = startLoad(http, ["cold.test"], 16);
  const switched: number[] = [];
  for (let i = 1; i <= cold; i++) {
    switched.push(
      await until(
        () => to(i),
        () => answers("cold.test", at(i).service),
      ),
    );
  }
  const { total, bad } = await load.stop();
  return {
    ...spread("new_application", added),
    ...spread("cold_switch", switched),
    bytes_per_cold_switch: Math.round(((await bytesSent(url)) - before) / cold),
    cold_load_requests: total,
    cold_load_failed: sum(Object.values(bad)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, n) => all + n, 0);

async function measure(mode: Mode, count: number): Promise<Figures> {
  const [a, b] = [await startEcho("a"), await startEcho("b")];
  const backends = [service("a", a.port), slice("a", a.port), service("b", b.port), slice("b", b.port)];
  const to = (name: "a" | "b"): Manifest => proxy("switched.test", name, name === "a" ? a.port : b.port);
  try {
    return await serve(mode, count, async (push, http, url) => {
      const answers = async (host: string, name: string): Promise<boolean> => {
        const answer = await request({ port: http, host });
        return answer.status === 200 && answer.echo().service === name;
      };
      await push(...backends, to("a"));
      await eventually(() => answers("switched.test", "a"), "the host answers", 60_000);
      const hosts: Manifest[] = [];
      const before = await bytesSent(url);
      const added: number[] = [];
      for (let i = 0; i < changes; i++) {
        hosts.push(proxy(`new-${i}.test`, "a", a.port));
        added.push(
          await until(
            () => push(...backends, to("a"), ...hosts),
            () => answers(`new-${i}.test`, "a"),
          ),
        );
      }
      const sent = (await bytesSent(url)) - before;
      const load = startLoad(http, ["switched.test"], 16);
      const switched: number[] = [];
      for (let i = 0; i < switches; i++) {
        const name = i % 2 === 0 ? "b" : "a";
        switched.push(
          await until(
            () => push(...backends, to(name), ...hosts),
            () => answers("switched.test", name),
          ),
        );
      }
      const { total, bad } = await load.stop();
      const coldFigures = await measureCold({
        echoes: [a, b],
        push: (...objects) => push(...backends, to("a"), ...hosts, ...objects),
        http,
        url,
        answers,
      });
      return {
        ...spread("new_host", added),
        bytes_per_new_host: Math.round(sent / changes),
        ...spread("switch_under_load", switched),
        load_requests: total,
        load_failed: sum(Object.values(bad)),
        ...coldFigures,
      };
    });
  } finally {
    await Promise.all([a.close(), b.close()]);
  }
}

const { values, positionals } = parseArgs({ options: { mode: { type: "string" } }, allowPositionals: true });
const sizes = positionals.map(Number);
for (const count of sizes.length > 0 ? sizes : [0, 1000, 5000]) {
  for (const mode of modes) {
    if ((mode === "eds" && count > maxForEds) || (values.mode ?? mode) !== mode) continue;
    console.log(
      JSON.stringify({ applications: count, endpoints: mode, changes, ...(await measure(mode, count)) }),
    );
  }
}
