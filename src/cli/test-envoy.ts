import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type EnvoyProcess, envoyVersion, findEnvoy, runEnvoy } from "../dev/envoy.js";
import { type EnvoyConfig, endpointsOf } from "../explain/config.js";
import type { Explanation } from "../explain/explanation.js";
import { parseListenerName } from "../explain/listener-names.js";
import { serviceOf } from "../explain/names.js";
import { readRequest } from "../explain/request.js";
import type { Observed } from "../route-tests/observed.js";
import type { SettingsSpec } from "../schema/settings.js";
import { writeBootstrap } from "../xds/bootstrap.js";
import type { CompiledPaths } from "./compiled.js";
import { type EchoBackend, startEchoBackend } from "./echo-backends.js";
import { sendTo, takesTls } from "./envoy-request.js";
import type { Explainer } from "./explain.js";
import { localConfig } from "./local-envoy-config.js";
import { asObserved } from "./observed-answer.js";
import type { PlacedTest } from "./test-files.js";

/** An Envoy on 127.0.0.1 with echo servers as its backends. */
export interface TestEnvoy {
  /** Sends the request of a test. What Envoy does not show comes from `explained`. */
  observe(test: PlacedTest, explanation: Explanation, explained: Observed): Promise<Observed>;
  stop(): Promise<void>;
}

const readyMs = 30_000;

/**
 * Starts an Envoy with the compiled configuration, with all addresses on 127.0.0.1.
 *
 * @throws EnvoyNotFound; Error with the end of Envoy's log when it rejects the configuration.
 */
export async function startTestEnvoy(
  { config, settings }: CompiledPaths,
  knowsEndpoints: Explainer["knowsEndpoints"],
): Promise<TestEnvoy> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const binary = await findEnvoy((line) => console.error(line));
    const folder = await mkdtemp(join(tmpdir(), "isoline-envoy-"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const backends = new Map<string, EchoBackend>();
    for (const cluster of clustersWithEndpoints(config, knowsEndpoints)) {
      const backend = await startEchoBackend(cluster);
      backends.set(cluster, backend);
      undo.push(() => backend.close());
    }
    const listeners = new Map<string, number>();
    for (const name of config.listeners.keys())
      if (parseListenerName(name)) listeners.set(name, await freePort());
    const envoy = await startEnvoy(binary, folder, config, settings.spec, { listeners, backends });
    undo.push(() => envoy.stop());
    await untilOpen([...listeners.values()], envoy, join(folder, "envoy.log"));
    const names = certificateNames(config);
    return { observe: (...asked) => observe(listeners, backends, names, ...asked), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Clusters of Services that have endpoints, or whose endpoints are not known. */
const clustersWithEndpoints = (
  config: EnvoyConfig,
  knowsEndpoints: Explainer["knowsEndpoints"],
): readonly string[] =>
  [...config.clusters.keys()].filter(
    (name) =>
      (endpointsOf(config, name)?.endpoints ?? []).some(({ lb_endpoints }) => lb_endpoints?.length) ||
      (serviceOf(name) !== name && !knowsEndpoints(name)),
  );

interface LocalServers {
  readonly listeners: ReadonlyMap<string, number>;
  readonly backends: ReadonlyMap<string, EchoBackend>;
}

async function startEnvoy(
  binary: string,
  folder: string,
  config: EnvoyConfig,
  settings: SettingsSpec,
  { listeners, backends }: LocalServers,
): Promise<EnvoyProcess> {
  const ports = new Map([...backends].map(([name, { port }]) => [name, port]));
  const bootstrap = writeBootstrap({
    xdsUrl: "http://127.0.0.1:1",
    nodeId: "isoline-test",
    nodeCluster: "isoline-test",
    admin: { socket: join(folder, "admin.sock") },
    envoy: await envoyVersion(binary),
    settings,
  });
  const { dynamic_resources: _, static_resources: __, ...rest } = bootstrap;
  return runEnvoy(
    binary,
    folder,
    { ...rest, static_resources: localConfig(config, { listeners, backends: ports }) },
    1,
  );
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function untilOpen(ports: readonly number[], envoy: EnvoyProcess, logFile: string): Promise<void> {
  let ended: number | string | undefined;
  void envoy.exited.then((code) => (ended = code));
  for (const deadline = Date.now() + readyMs; ended === undefined && Date.now() < deadline; await sleep(50))
    if ((await Promise.all(ports.map(isOpen))).every(Boolean)) return;
  const tail = (await readFile(logFile, "utf8")).trimEnd().split("\n").slice(-15).join("\n");
  const what = ended === undefined ? `does not listen within ${readyMs / 1000} s` : `ended (${ended})`;
  throw new Error(`Envoy ${what}; the end of its log:\n${tail}`);
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      done(true);
    });
    socket.on("error", () => done(false));
  });

/** Names of Secrets by their certificates (DER in base64). */
function certificateNames({ secrets }: EnvoyConfig): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const [name, { tls_certificate: pair }] of secrets) {
    const pem = pair?.certificate_chain?.inline_bytes;
    if (!pem) continue;
    const key = new X509Certificate(Buffer.from(pem, "base64")).raw.toString("base64");
    names.set(key, [...(names.get(key) ?? []), name]);
  }
  return names;
}

async function observe(
  listeners: LocalServers["listeners"],
  backends: LocalServers["backends"],
  names: ReadonlyMap<string, readonly string[]>,
  { request: text, expect, not }: PlacedTest,
  { listener }: Explanation,
  explained: Observed,
): Promise<Observed> {
  const port = listeners.get(listener?.name ?? "");
  // Without a listener there is no port for a request.
  if (port === undefined) return explained;
  const request = readRequest(text.method, text.url, text.headers);
  const before = new Map(
    [...backends].map(([name, one]) => [name, { requests: one.requests(), secured: one.secured() }]),
  );
  const answer = await sendTo(port, request);
  const reached = [...backends].filter(([name, one]) => one.requests() > (before.get(name)?.requests ?? 0));
  const secured = reached.filter(([name, one]) => one.secured() > (before.get(name)?.secured ?? 0));
  const asksVersion = [expect, not ?? {}].some(
    ({ tls }) => typeof tls === "object" && tls.minimumVersion !== undefined,
  );
  const isTls = request.scheme === "https";
  const takesOld = isTls && asksVersion ? await takesTls(port, request.serverName, "TLSv1.2") : undefined;
  return asObserved({
    answer,
    isTls,
    reached: new Set(reached.map(([name]) => name)),
    secured: new Set(secured.map(([name]) => name)),
    certificates: answer?.certificate && (names.get(answer.certificate.toString("base64")) ?? []),
    minimum: takesOld === undefined ? undefined : takesOld ? "1.2" : "1.3",
    explained,
    expectations: [expect, ...(not ? [not] : [])],
  });
}
