import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Bootstrap } from "../../../src/gen/envoy.js";
import type { Manifest } from "../../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../../support/envoy.js";
import { freePort, request } from "../../support/http.js";
import type { TestKube } from "../../support/kube.js";
import { type Balancer, type BalancerOptions, startBalancer } from "./balancer.js";
import type { KubeProxy } from "./kube-proxy.js";
import { type Load, startLoad } from "./load.js";
import { type Backend, hostTo, sliceTo } from "./objects.js";
import { kubeconfig, kubeFlags, makeReplica, type Replica } from "./replica.js";
import { isoline, type ServerProcess } from "./server.js";
import { type FinalState, freshState, servedState } from "./state.js";

export interface RigOptions {
  /** Servers behind a balancer; absent: one server that Envoy reaches directly. */
  readonly replicas?: number;
  readonly balancer?: BalancerOptions;
  /** Each replica has the URLs of the others, and considers its state old after this many seconds without the API server. */
  readonly staleAfter?: number;
  readonly store?: "memory" | "sqlite";
  /** Additional flags of `isoline serve`. */
  readonly flags?: readonly string[];
  readonly settings?: Manifest;
  /** Names of clusters, each reached through its own proxy. */
  readonly clusters?: readonly string[];
  /** Manifests are pushed; no cluster is followed. */
  readonly push?: boolean;
  /** The folder of the store is a separate file system with this size in MB. */
  readonly storeDiskMb?: number;
  /** Each server is PID 1 of its own namespace, as in a container. */
  readonly ownPids?: boolean;
  /** Seconds that the clock of each replica is ahead at the start. */
  readonly clocks?: readonly number[];
  readonly objects: readonly Manifest[];
  /** Hosts with continuous requests, and the expected backend. */
  readonly asked: Readonly<Record<string, Backend>>;
  /** How long the previous backend may answer for a host that has moved. */
  readonly staleMs?: number;
  /** Additional flags of Envoy. */
  readonly envoyFlags?: readonly string[];
}

/** Requests of clients. */
const perSecond = 100;
/** Exit code of `isoline publish`. */
const unreachable = 3;

export class Rig {
  #envoy: TestEnvoy | undefined;
  readonly #closers: (() => Promise<unknown> | unknown)[] = [];

  private constructor(
    readonly kube: TestKube,
    readonly options: RigOptions,
    readonly replicas: readonly Replica[],
    readonly folder: string,
    readonly settingsFile: string,
    readonly ports: { readonly http: number; readonly https: number },
    readonly balancer: Balancer | undefined,
    readonly load: Load,
  ) {}

  /** Starts everything, with objects in the API server and Envoy ready. */
  static async start(kube: TestKube, options: RigOptions): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), "isoline-chaos-"));
    const ports = { http: await freePort(), https: await freePort() };
    const settingsFile = join(folder, "settings.json");
    const at = (port: number): Manifest => ({ address: "127.0.0.1", port });
    const listeners = { http: at(ports.http), https: at(ports.https), stats: at(await freePort()) };
    writeFileSync(settingsFile, JSON.stringify({ ...listeners, ...options.settings }));
    // A few at a time: hundreds at once exceed the time limit of the API server.
    for (let i = 0; i < options.objects.length && !options.push; i += 40)
      await kube.apply(...options.objects.slice(i, i + 40));
    const xdsPorts: number[] = [];
    for (let i = 0; i < (options.replicas ?? 1); i++) xdsPorts.push(await freePort());
    const replicas: Replica[] = [];
    for (const [i, port] of xdsPorts.entries())
      replicas.push(
        await makeReplica(kube, options, settingsFile, {
          folder: join(folder, String(i)),
          index: i,
          port,
          xdsPorts,
        }),
      );
    const targets = replicas.map(({ server }) => server.port);
    const balancer = options.balancer && (await startBalancer(targets, options.balancer));
    const load = startLoad({ port: ports.http, perSecond, staleMs: options.staleMs ?? 0 });
    const rig = new Rig(kube, options, replicas, folder, settingsFile, ports, balancer, load);
    return rig;
  }

  /** Starts the servers and Envoy, and waits until the hosts answer. */
  async begin(): Promise<void> {
    for (const { server } of this.replicas) server.start();
    const refusal = this.options.push ? await this.push("one", this.options.objects) : undefined;
    if (refusal) throw new Error(`the first push is refused: ${refusal}`);
    for (const { server } of this.replicas)
      if ((await server.untilReady(30_000)) === null)
        throw new Error(`the server does not get ready:\n${server.log.slice(-2000)}`);
    await eventually(
      async () => this.balancer?.ready().every(Boolean) ?? true,
      "the balancer has all servers",
    );
    this.balancer?.stickTo(0);
    await this.startEnvoy();
    await this.ask();
  }

  get server(): ServerProcess {
    return this.replica.server;
  }

  get replica(): Replica {
    const [first] = this.replicas;
    if (!first) throw new Error("there is no replica");
    return first;
  }

  get api(): KubeProxy {
    const [first] = this.replica.apis;
    if (!first) throw new Error("there is no cluster");
    return first;
  }

  get envoy(): TestEnvoy {
    if (!this.#envoy) throw new Error("there is no Envoy");
    return this.#envoy;
  }

  /** Uses the bootstrap that the command line prints. */
  async startEnvoy(): Promise<void> {
    const port = this.balancer?.port ?? this.server.port;
    const { envoyFlags: flags } = this.options;
    this.#envoy = await startEnvoy({
      xdsPort: port,
      ...(flags ? { flags } : {}),
      bootstrap: async (admin) => {
        const args = ["bootstrap", "-", "--xds", `http://127.0.0.1:${port}`, "--node-id", "envoy-0"];
        const more = ["--admin-port", String(admin), "--envoy-version", "1.40"];
        const { stdout } = await promisify(execFile)(process.execPath, [isoline, ...args, ...more]);
        return JSON.parse(stdout) as Bootstrap;
      },
    });
  }

  /** Replaces Envoy by a new one, as when its machine is replaced. Requests pause until its hosts answer. */
  async restartEnvoy(): Promise<number | null> {
    this.load.pause();
    await sleep(200);
    await this.envoy.stop();
    const began = performance.now();
    await this.startEnvoy();
    const host = Object.keys(this.options.asked)[0] ?? "";
    const seen = await this.until(async () => (await this.answer(host)) !== "404", 30_000, began);
    if (seen !== null) this.load.resume();
    return seen;
  }

  /** Starts the load, once each host answers as expected. */
  async ask(): Promise<void> {
    for (const [host, backend] of Object.entries(this.options.asked)) {
      await eventually(async () => (await this.answer(host)) === backend, `${host} answers`, 20_000);
      this.load.expect(host, backend);
    }
  }

  /** The backend that answers for a host, or the status. */
  async answer(host: string): Promise<string> {
    const { status, body } = await request({ port: this.ports.http, host });
    return status === 200 ? body : String(status);
  }

  /** ms until a condition holds; null if it does not in time. */
  async until(
    check: () => Promise<boolean>,
    withinMs: number,
    began = performance.now(),
  ): Promise<number | null> {
    return eventually(check, "it holds", withinMs).then(
      () => Math.round(performance.now() - began),
      () => null,
    );
  }

  /** Creates a host. Returns the ms until Envoy serves it. */
  async newHost(host: string, to: string, backend: Backend, withinMs: number): Promise<number | null> {
    const began = performance.now();
    await this.kube.apply(hostTo(host, to));
    return this.until(async () => (await this.answer(host)) === backend, withinMs, began);
  }

  /** Moves a host to another Service. Returns the ms until the new backend answers. */
  async moveHost(host: string, to: string, backend: Backend, withinMs: number): Promise<number | null> {
    const began = performance.now();
    this.load.expect(host, backend);
    await this.kube.apply(hostTo(host, to));
    return this.until(async () => (await this.answer(host)) === backend, withinMs, began);
  }

  /** Moves the endpoints of a Service. */
  async moveEndpoints(
    name: string,
    host: string,
    backend: Backend,
    withinMs: number,
  ): Promise<number | null> {
    const began = performance.now();
    this.load.expect(host, backend);
    await this.kube.apply(sliceTo(name, backend));
    return this.until(async () => (await this.answer(host)) === backend, withinMs, began);
  }

  /** ms until every kind is followed again. */
  untilSynced(withinMs: number): Promise<number | null> {
    return this.until(async () => (await this.server.notSynced()).length === 0, withinMs);
  }

  /**
   * Runs `isoline publish` for these objects as one source, once the server can be reached. Returns its output when it
   * is refused.
   */
  async push(source: string, objects: readonly Manifest[]): Promise<string | undefined> {
    const file = join(this.folder, `${source}.json`);
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
    const to = `http://127.0.0.1:${this.server.port}`;
    const args = [isoline, "publish", "-f", file, "--to", to, "--source", source];
    let refusal: string | undefined;
    const reached = async (): Promise<boolean> => {
      const [code, printed] = await new Promise<readonly [unknown, string]>((done) =>
        execFile(process.execPath, args, (error, stdout, stderr) =>
          done([error?.code ?? 0, stdout + stderr]),
        ),
      );
      refusal = code === 0 ? undefined : printed;
      return code !== unreachable;
    };
    await eventually(reached, `source ${source} is pushed`, 30_000);
    return refusal;
  }

  /** The replicas or Envoys whose state differs from what a fresh server makes of the current cluster. */
  async finalProblems(withinMs = 20_000): Promise<string[]> {
    const fresh = await freshState(this.#freshArgs());
    let problems: string[] = [];
    const same = async (): Promise<boolean> => {
      problems = [];
      for (const [i, { server }] of this.replicas.entries())
        if (server.running) problems.push(...differences(`replica ${i}`, fresh, await servedState(server)));
      const rejected = await this.envoy.rejected();
      if (rejected.length > 0) problems.push(`Envoy refused: ${rejected.join(", ")}`);
      return problems.length === 0;
    };
    await eventually(same, "the final state is right", withinMs).catch((error) => {
      if (problems.length === 0)
        problems.push(`the final state can't be read: ${String(error.cause ?? error)}`);
    });
    return problems;
  }

  #freshArgs(): readonly string[] {
    const { push, clusters } = this.options;
    const settings = ["--settings", this.settingsFile];
    if (push)
      return [...settings, ...["one", "two"].flatMap((name) => ["-f", join(this.folder, `${name}.json`)])];
    const config = join(this.folder, "fresh.json");
    writeFileSync(config, kubeconfig(this.kube, clusters ?? [""], undefined));
    return [...settings, ...kubeFlags(clusters), "--kubeconfig", config];
  }

  onClose(close: () => Promise<unknown> | unknown): void {
    this.#closers.unshift(close);
  }

  async close(): Promise<void> {
    await this.load.stop();
    for (const close of this.#closers) await close();
    await this.#envoy?.stop();
    await this.balancer?.close();
    for (const { server, apis } of this.replicas) {
      server.signal("SIGCONT");
      await server.end("SIGKILL");
      for (const api of apis) await api.close();
    }
    if (this.options.storeDiskMb)
      for (const { storeFile } of this.replicas) execFileSync("umount", [dirname(storeFile)]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function differences(who: string, fresh: FinalState, served: FinalState): string[] {
  return Object.entries(fresh).flatMap(([type, hash]) =>
    served[type] === hash
      ? []
      : [`${who} serves other ${type} than a fresh server makes of the same objects`],
  );
}
