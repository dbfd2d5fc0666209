import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isMain, run } from "./run.mjs";

const KUBERNETES = "1.37.2";
const ETCD = "3.7.3";

/**
 * Modules that k8s.io/kubernetes replaces with folders of its own tree. A build from the module proxy must list them.
 */
const STAGING =
  "api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap code-generator component-base component-helpers controller-manager cri-api cri-client cri-streaming csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission sample-apiserver streaming".split(
    " ",
  );

const cache = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "isoline", `kubernetes-${KUBERNETES}`);

/** Programs of a cluster and the Go packages that they are built from. */
const PACKAGES = {
  etcd: "go.etcd.io/etcd/server/v3",
  "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
  "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
};

/** The paths of kube-apiserver and etcd, or undefined. `$KUBEBUILDER_ASSETS` has precedence. */
function findKube() {
  for (const folder of [process.env.KUBEBUILDER_ASSETS, cache()]) {
    if (!folder) continue;
    const [apiserver, etcd] = [join(folder, "kube-apiserver"), join(folder, "etcd")];
    if (existsSync(apiserver) && existsSync(etcd)) return { apiserver, etcd };
  }
  return undefined;
}

/** The path of kube-controller-manager, which is built if it is missing. Rejects if it cannot be built. */
export async function controllerManager() {
  const file = join(cache(), "kube-controller-manager");
  if (!existsSync(file)) await buildKube(["kube-controller-manager"]);
  return file;
}

/** Builds programs from the Go module proxy into the user's cache folder, which takes some minutes once. */
async function buildKube(names) {
  const folder = cache();
  const work = join(folder, "build");
  mkdirSync(work, { recursive: true });
  const minor = KUBERNETES.slice(2);
  const module = (name) => `k8s.io/${name}`;
  writeFileSync(
    join(work, "go.mod"),
    [
      "module build",
      "go 1.26",
      `require k8s.io/kubernetes v${KUBERNETES}`,
      `require go.etcd.io/etcd/server/v3 v${ETCD}`,
      "replace (",
      ...STAGING.map((name) => `\t${module(name)} => ${module(name)} v0.${minor}`),
      ")",
      "",
    ].join("\n"),
  );
  writeFileSync(
    join(work, "tools.go"),
    `//go:build tools\n\npackage tools\n\nimport (\n${Object.values(PACKAGES)
      .map((path) => `\t_ "${path}"\n`)
      .join("")})\n`,
  );
  const env = { ...process.env, CGO_ENABLED: "0" };
  const go = async (...args) => {
    if ((await run("go", args, { cwd: work, env, stdio: ["ignore", "ignore", "inherit"] })) !== 0)
      throw new Error(`go ${args.join(" ")} failed`);
  };
  await go("mod", "tidy", "-e");
  for (const name of names) {
    await go("build", "-trimpath", "-ldflags=-s -w", "-o", `${name}.new`, PACKAGES[name]);
    renameSync(join(work, `${name}.new`), join(folder, name));
  }
}

export function hasGo() {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Prints the paths of the binaries as one line of JSON, and builds missing ones if possible. Otherwise prints the
 * reason, for the tests that call this script.
 */
if (isMain(import.meta)) {
  let reason = "";
  if (!findKube() && !hasGo()) {
    reason =
      "kube-apiserver and etcd are missing: set KUBEBUILDER_ASSETS to a folder with both, or install Go 1.26";
  } else if (!findKube()) {
    console.error("isoline: building kube-apiserver and etcd; this takes some minutes, once …");
    await buildKube(["etcd", "kube-apiserver"]).catch((error) => {
      reason = `kube-apiserver and etcd could not be built: ${error.message}`;
    });
  }
  console.log(JSON.stringify(findKube() ?? { reason }));
}
