import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Manifest } from "./backend.js";
import { eventually } from "./envoy.js";
import { apiserverFlags, etcdFlagsOf, kubeBinaries, kubeconfig } from "./kube.js";
import { type Machine, type Running, untilPrinted } from "./machine.js";

/** Why documentation tests can't have a Kubernetes cluster; undefined if they can. */
export async function whyNoCluster(): Promise<string | undefined> {
  const binaries = await kubeBinaries();
  if ("reason" in binaries) return binaries.reason;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, "kubectl")))
    ? undefined
    : "kubectl is not on the PATH";
}

const [apiPort, etcdPort, peerPort] = [6443, 2379, 2380];

/** Contexts that the pages name, all of the same cluster. */
const contexts = ["test", "production", "east", "arn:aws:eks:eu-west-1:1:cluster/shop"];

/** Starts a real API server on the machine, and writes `~/.kube/config` for its administrator. */
export async function startCluster(machine: Machine): Promise<void> {
  const binaries = await kubeBinaries();
  if ("reason" in binaries) throw new Error(binaries.reason);
  const folder = mkdtempSync(join(machine.home, "cluster-"));
  const line = (program: string, flags: readonly string[]): string =>
    `exec ${[program, ...flags].map((one) => `'${one}'`).join(" ")}`;
  machine.start(line(binaries.etcd, etcdFlagsOf(join(folder, "etcd"), etcdPort, peerPort)));
  const server = machine.start(line(binaries.apiserver, apiserverFlags(folder, apiPort, etcdPort)));
  mkdirSync(join(machine.home, ".kube"));
  await eventually(
    async () => {
      if (!server.isRunning()) throw new Error(server.output().slice(-2000));
      const ca = readFileSync(join(folder, "certs/apiserver.crt"));
      writeFileSync(
        join(machine.home, ".kube/config"),
        kubeconfig(apiPort, ca.toString("base64"), "admin", contexts),
      );
      machine.write("cluster-ca.crt", ca.toString());
      return (await machine.run("kubectl get --raw /readyz")).code === 0;
    },
    "kube-apiserver is ready",
    60_000,
  );
}

interface Workload extends Manifest {
  readonly spec: { readonly template: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly containers: readonly [
    {
      readonly command?: readonly string[];
      readonly args: readonly string[];
      readonly volumeMounts: readonly Mount[];
    },
  ];
  readonly volumes: readonly {
    readonly name: string;
    readonly secret?: { readonly secretName: string };
    readonly configMap?: { readonly name: string };
  }[];
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
}

/**
 * Runs the container of a workload as a kubelet does: with its volumes at their paths, its service account and its
 * arguments.
 *
 * @param entrypoint of the image, for a container without a command.
 * @param ready the output that indicates that it is ready.
 */
export async function runPod(
  machine: Machine,
  namespace: string,
  workload: string,
  entrypoint: string,
  ready: RegExp,
): Promise<Running> {
  const get = async (what: string): Promise<Manifest> =>
    JSON.parse(await machine.must(`kubectl get ${what} -n ${namespace} -o json`)) as Manifest;
  const { serviceAccountName, volumes, containers } = ((await get(workload)) as Workload).spec.template.spec;
  const [{ command = [entrypoint], args, volumeMounts }] = containers;
  const put = async (
    path: string,
    files: Readonly<Record<string, string>>,
    encoding: "utf8" | "base64",
  ): Promise<void> => {
    const folder = `pod-${workload.replace("/", "-")}${path}`;
    for (const [name, text] of Object.entries(files))
      machine.write(`${folder}/${name}`, Buffer.from(text, encoding).toString());
    await machine.must(`mkdir -p ${path} ${folder} && cp -r ${folder}/. ${path}`);
  };
  for (const { name, mountPath } of volumeMounts) {
    const { secret, configMap } = volumes.find((one) => one.name === name) ?? {};
    const { data = {} } = secret
      ? await get(`secret/${secret.secretName}`)
      : configMap
        ? await get(`configmap/${configMap.name}`)
        : {};
    await put(mountPath, data as Record<string, string>, secret ? "base64" : "utf8");
  }
  if (serviceAccountName !== undefined) {
    const token = await machine.must(`kubectl create token ${serviceAccountName} -n ${namespace}`);
    const files = { token: token.trim(), namespace, "ca.crt": machine.read("cluster-ca.crt") };
    await put("/var/run/secrets/kubernetes.io/serviceaccount", files, "utf8");
  }
  const words = [...command, ...args].map((word) => `'${word.replaceAll("$(POD_NAME)", "pod-1")}'`);
  const inPod = `KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=${apiPort} KUBECONFIG= HOME=/nonexistent`;
  const running = machine.start(`exec env ${inPod} ${words.join(" ")}`);
  await untilPrinted(running, ready);
  return running;
}
