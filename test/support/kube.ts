import { type ChildProcess, execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Transport } from "../../src/kubernetes/api.js";
import { kubeTransport } from "../../src/kubernetes/node/transport.js";
import type { Manifest } from "./backend.js";
import { eventually } from "./envoy.js";
import { freePort } from "./http.js";

/** Paths of the programs, or why they are missing. */
export async function kubeBinaries(): Promise<{ apiserver: string; etcd: string } | { reason: string }> {
  const script = new URL("../../scripts/kube.mjs", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 1 << 24 });
  const found = JSON.parse(stdout) as { apiserver: string; etcd: string } | { reason: string };
  // Tests that need them are skipped.
  if ("reason" in found)
    process.stderr.write(`isoline: skipping tests with a Kubernetes cluster: ${found.reason}\n`);
  return found;
}

/** A real API server with an empty etcd. */
export interface TestKube {
  /** Kubeconfigs of an administrator, and of a user `isoline` without permissions except those that a test grants. */
  readonly adminConfig: string;
  readonly isolineConfig: string;
  readonly admin: Transport;
  /** Creates or replaces objects by server-side apply. */
  apply(...objects: readonly Manifest[]): Promise<void>;
  remove(object: Manifest): Promise<void>;
  get(object: Manifest): Promise<Manifest>;
  /** Stops the API server like a crash, and starts it again. */
  crash(): void;
  restart(): Promise<void>;
  /** Makes a backup of etcd's data; the server is stopped meanwhile. */
  backup(): Promise<void>;
  /** Restores etcd's data from the backup. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** An API server takes seconds to start, longer on a busy machine. */
const readyMs = 60_000;

const tokens = { admin: "admin-token", isoline: "isoline-token" };

/** Flags of an etcd on two ports of 127.0.0.1. */
export const etcdFlagsOf = (data: string, client: number, peer: number): readonly string[] => [
  `--data-dir=${data}`,
  `--listen-client-urls=http://127.0.0.1:${client}`,
  `--advertise-client-urls=http://127.0.0.1:${client}`,
  `--listen-peer-urls=http://127.0.0.1:${peer}`,
  "--unsafe-no-fsync",
  "--log-level=error",
];

/**
 * Flags of a kube-apiserver on a port of 127.0.0.1 with an etcd on another port, and the files that they name, in
 * `folder`.
 */
export function apiserverFlags(
  folder: string,
  port: number,
  etcd: number,
  serviceRange = "10.96.0.0/16",
): readonly string[] {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    // Unused without the endpoint reconciler, but required on a machine without a default route.
    "--advertise-address=192.0.2.1",
    `--cert-dir=${join(folder, "certs")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${file("sa.pub", publicKey)}`,
    `--service-account-signing-key-file=${file("sa.key", privateKey)}`,
    `--token-auth-file=${file("tokens.csv", `${tokens.admin},admin,1,system:masters\n${tokens.isoline},isoline,2\n`)}`,
    "--authorization-mode=RBAC",
    `--service-cluster-ip-range=${serviceRange}`,
    "--disable-admission-plugins=ServiceAccount",
    "--endpoint-reconciler-type=none",
  ];
}

/** Starts etcd and kube-apiserver on free ports of 127.0.0.1, with RBAC. Services get addresses of `serviceRange`. */
export async function startKube(
  binaries: { apiserver: string; etcd: string },
  serviceRange = "10.96.0.0/16",
): Promise<TestKube> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-kube-"));
  const [port, client, peer] = [await freePort(), await freePort(), await freePort()];
  const data = join(folder, "etcd");
  const etcdFlags = etcdFlagsOf(data, client, peer);
  const startEtcd = (): ChildProcess => spawn(binaries.etcd, etcdFlags, { stdio: "ignore" });
  let etcd = startEtcd();
  const flags = apiserverFlags(folder, port, client, serviceRange);
  let server: ChildProcess | undefined;
  const configs = { admin: join(folder, "admin.json"), isoline: join(folder, "isoline.json") };
  const start = async (): Promise<void> => {
    server = spawn(binaries.apiserver, flags, { stdio: ["ignore", "ignore", "ignore"] });
    await eventually(
      async () => {
        const ca = readFileSync(join(folder, "certs", "apiserver.crt"), "base64");
        for (const [user, path] of Object.entries(configs))
          writeFileSync(path, kubeconfig(port, ca, user as keyof typeof tokens));
        return (await statusOf(await kubeTransport({ kubeconfig: configs.admin }), "/readyz")) === 200;
      },
      "kube-apiserver is ready",
      readyMs,
    );
  };
  const stop = async (): Promise<void> => {
    await end(server, "SIGKILL");
    await end(etcd, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  await start().catch(async (error) => {
    await stop();
    throw error;
  });
  const admin = await kubeTransport({ kubeconfig: configs.admin });
  return {
    adminConfig: configs.admin,
    isolineConfig: configs.isoline,
    admin,
    apply: async (...objects) =>
      void (await Promise.all(objects.map((object) => applyObject(admin, object)))),
    remove: async (object) => void (await call(admin, "DELETE", pathOf(object))),
    get: (object) => call(admin, "GET", pathOf(object)),
    crash: () => void server?.kill("SIGKILL"),
    restart: start,
    backup: async () => {
      await end(server, "SIGKILL");
      await end(etcd, "SIGTERM");
      cpSync(data, `${data}-backup`, { recursive: true });
      etcd = startEtcd();
      await start();
    },
    restore: async () => {
      await end(server, "SIGKILL");
      await end(etcd, "SIGTERM");
      rmSync(data, { recursive: true });
      cpSync(`${data}-backup`, data, { recursive: true });
      etcd = startEtcd();
      await start();
    },
    stop,
  };
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill(signal);
  await ended;
}

/** Copies of the bindings that `isoline rbac` prints, for the user `isoline`. */
export const forUser = (manifests: readonly Manifest[]): Manifest[] =>
  manifests
    .filter(({ kind }) => String(kind).endsWith("Binding"))
    .map((binding) => ({
      ...binding,
      metadata: { ...(binding.metadata as object), name: "isoline-user" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "isoline" }],
    }));

/** A kubeconfig of one cluster with several equal contexts, the current one first. */
export const kubeconfig = (
  port: number,
  ca: string,
  user: keyof typeof tokens,
  contexts: readonly string[] = ["test"],
): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": ca } },
    ],
    users: [{ name: user, user: { token: tokens[user] } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "test", user } })),
    "current-context": contexts[0],
  });

const plurals: Readonly<Record<string, string>> = {
  HTTPProxy: "httpproxies",
  Ingress: "ingresses",
  IngressClass: "ingressclasses",
  GatewayClass: "gatewayclasses",
  BackendTLSPolicy: "backendtlspolicies",
};
const pluralOf = (kind: string): string => plurals[kind] ?? `${kind.toLowerCase()}s`;

/** The CRD of a Gateway API kind with some versions, without validation. The first version is stored. */
export function gatewayDefinition(kind: string, ...versions: readonly string[]): Manifest {
  const group = "gateway.networking.k8s.io";
  const [singular, plural] = [kind.toLowerCase(), pluralOf(kind)];
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // Required for groups of *.k8s.io.
      annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
    },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, singular, plural },
      scope: kind === "GatewayClass" ? "Cluster" : "Namespaced",
      versions: versions.map((name, i) => ({
        name,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        subresources: { status: {} },
      })),
    },
  };
}

/** The path of one object, for the kinds in tests. */
function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const { name, namespace } = metadata as { name: string; namespace?: string };
  const group = String(apiVersion).includes("/")
    ? `/apis/${String(apiVersion)}`
    : `/api/${String(apiVersion)}`;
  return `${group}${namespace ? `/namespaces/${namespace}` : ""}/${pluralOf(String(kind))}/${name}`;
}

async function applyObject(admin: Transport, object: Manifest): Promise<void> {
  await call(admin, "PATCH", `${pathOf(object)}?fieldManager=test&force=true`, object);
}

async function call(
  admin: Transport,
  method: "GET" | "PATCH" | "DELETE",
  path: string,
  body?: Manifest,
): Promise<Manifest> {
  const response = await admin.send({
    method,
    path,
    headers: { "content-type": "application/apply-patch+yaml", accept: "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await read(response.body);
  if (response.status > 299) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 2000)}`);
  return JSON.parse(text) as Manifest;
}

async function statusOf(transport: Transport, path: string): Promise<number> {
  const { status, body } = await transport.send({ method: "GET", path, signal: AbortSignal.timeout(5000) });
  await read(body);
  return status;
}

async function read(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
