import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestKube } from "../../support/kube.js";
import { type FakeClock, fakeClock } from "./clock.js";
import { type KubeProxy, startKubeProxy } from "./kube-proxy.js";
import type { RigOptions } from "./rig.js";
import { ServerProcess } from "./server.js";

/** One server with the proxies to its clusters. */
export interface Replica {
  readonly server: ServerProcess;
  /** In the order of the clusters. */
  readonly apis: readonly KubeProxy[];
  readonly clock: FakeClock | undefined;
  readonly folder: string;
  readonly kubeconfig: string;
  readonly storeFile: string;
}

const adminToken = "admin-token";
/** The token in a kubeconfig for the proxy. */
export const kubeconfigToken = "of-the-kubeconfig";

export const kubeFlags = (clusters: readonly string[] | undefined): readonly string[] =>
  clusters ? clusters.map((name) => `--kube=${name}`) : ["--kube="];

/** A kubeconfig for the API server itself, or for its proxies, one for each cluster. */
export function kubeconfig(
  kube: TestKube,
  clusters: readonly string[],
  apis: readonly KubeProxy[] | undefined,
): string {
  const admin = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
    clusters: readonly [{ cluster: { server: string } }];
  };
  const real = admin.clusters[0].cluster.server;
  const name = (i: number): string => clusters[i] || "only";
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: clusters.map((_, i) => ({
      name: name(i),
      cluster: {
        server: apis ? `https://127.0.0.1:${apis[i]?.port}` : real,
        "insecure-skip-tls-verify": true,
      },
    })),
    users: [{ name: "user", user: { token: apis ? kubeconfigToken : adminToken } }],
    contexts: clusters.map((_, i) => ({ name: name(i), context: { cluster: name(i), user: "user" } })),
    "current-context": name(0),
  });
}

const peerFlags = (port: number): readonly string[] => ["--peer", `http://127.0.0.1:${port}`];

interface Place {
  readonly folder: string;
  readonly index: number;
  readonly port: number;
  /** Of all replicas. */
  readonly xdsPorts: readonly number[];
}

/** Creates a server that is not started yet, with its own proxies. */
export async function makeReplica(
  kube: TestKube,
  options: RigOptions,
  settingsFile: string,
  place: Place,
): Promise<Replica> {
  const { clusters, flags = [], push = false, clocks, store, staleAfter } = options;
  const { folder, index, port, xdsPorts } = place;
  mkdirSync(folder);
  const admin = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
    clusters: readonly [{ cluster: { server: string } }];
  };
  const names = clusters ?? [""];
  const apis = push
    ? []
    : await Promise.all(names.map(() => startKubeProxy(admin.clusters[0].cluster.server, adminToken)));
  const config = join(folder, "kubeconfig.json");
  if (!push) writeFileSync(config, kubeconfig(kube, names, apis));
  const storeFile = join(folder, "store", "isoline.db");
  const clock = clocks?.[index] === undefined ? undefined : fakeClock(folder, clocks[index]);
  const args = [
    ...(push ? ["--push"] : [...kubeFlags(clusters), "--kubeconfig", config]),
    "--settings",
    settingsFile,
    ...(store === "sqlite" ? ["--store", `sqlite:${storeFile}`] : []),
    ...(staleAfter === undefined ? [] : ["--stale-after", String(staleAfter)]),
    ...(staleAfter === undefined ? [] : xdsPorts.filter((one) => one !== port).flatMap(peerFlags)),
    ...flags,
  ];
  if (options.storeDiskMb) mountDisk(dirname(storeFile), options.storeDiskMb);
  const prefix = options.ownPids ? pidNamespace : [];
  const server = new ServerProcess(port, args, clock?.env, prefix);
  return { server, apis, clock, folder, kubeconfig: config, storeFile };
}

export const pidNamespace = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Removed with the mounts of this network namespace; `close` unmounts it before. */
function mountDisk(folder: string, mb: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mb}m`, "tmpfs", folder]);
}
