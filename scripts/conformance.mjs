import { execFileSync, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:https";
import { createConnection } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { controllerManager, hasGo } from "./kube.mjs";
import { isMain, root, run } from "./run.mjs";

/**
 * Runs the official conformance suite of the Gateway API against Isoline and a real Envoy, on one machine without
 * containers. The API server and the controllers are real; the pods are network namespaces (test/conformance).
 * Everything is in separate namespaces, which end with the run.
 */

const VERSION = "1.6.3";
const PROFILES = ["GATEWAY-HTTP", "GATEWAY-GRPC", "GATEWAY-TLS", "GATEWAY-TCP", "GATEWAY-UDP"];
const CONTROLLER = "isoline.dev/gateway-controller";
const CLASS = "isoline";

/** Addresses inside the namespace: the node and its pods, and the Gateways. All of them are local. */
const NODE = "10.78.0.1";
const GATEWAYS = "10.79.0.0/16";
const USABLE_ADDRESS = "10.79.250.1";
const UNUSABLE_ADDRESS = "192.0.2.1";
const XDS_PORT = 18000;

const options = {
  test: { type: "string", multiple: true, default: [] },
  report: { type: "string" },
  features: { type: "string" },
  profiles: { type: "string", default: PROFILES.join(",") },
  timeouts: { type: "string" },
  keep: { type: "boolean", default: false },
  parallel: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

const HELP = `npm run conformance -- [options]: the conformance suite of the Gateway API ${VERSION}. Needs Linux, root, Go 1.26 and Envoy (npm run setup).

  --test NAME       run one test; may be given several times
  --report FILE     where the report goes (conformance-report.yaml)
  --profiles A,B    conformance profiles (${PROFILES.join(",")})
  --features A,B    features to ask for, in place of those that the GatewayClass lists in its status
  --timeouts A:S;…  seconds of the suite's own timeouts, such as MaxTimeToConsistency:15
  --parallel        run tests that may run beside each other at once
  --keep            keep the logs of a run without failures

`;

const cache = () =>
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "isoline", `conformance-${VERSION}`);
const suiteModule = join(root, "test", "conformance");

/** Builds the programs for the suite, and returns their paths. */
async function prepare() {
  const folder = cache();
  mkdirSync(folder, { recursive: true });
  await build();
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" };
  const go = (...args) =>
    execFileSync("go", args, {
      cwd: suiteModule,
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
  console.log("conformance: building the suite …");
  go("build", "-o", join(folder, "node"), ".");
  go("build", "-o", join(folder, "echo-basic"), "sigs.k8s.io/gateway-api/conformance/echo-basic");
  go("test", "-c", "-o", join(folder, "suite"), ".");
  const crds = join(
    go("list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").trim(),
    "config",
    "crd",
    "experimental",
  );
  const envoy = await findEnvoy();
  return { folder, crds, envoy, ...(await kubePrograms()) };
}

/** The paths of the Kubernetes programs. @throws when one is missing and can't be built */
async function kubePrograms() {
  const script = join(root, "scripts", "kube.mjs");
  const kube = JSON.parse(
    execFileSync(process.execPath, [script], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
  );
  if (kube.reason) throw new Error(kube.reason);
  return { manager: await controllerManager(), ...kube };
}

/** The path of the Envoy that other tests use, too. */
async function findEnvoy() {
  const { build: bundle } = await import("esbuild");
  const contents = 'export { findEnvoy } from "./src/dev/envoy.ts";';
  const stdin = { contents, resolveDir: root };
  const { outputFiles } = await bundle({
    stdin,
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    write: false,
  });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
  return (await import(url)).findEnvoy(console.error);
}

/** The network and the processes inside the namespaces. */
class Rig {
  constructor(programs, values, work) {
    this.programs = programs;
    this.values = values;
    this.work = work;
    this.kubeconfig = join(work, "kubeconfig.json");
    this.start = performance.now();
  }

  step(text) {
    console.log(`[${((performance.now() - this.start) / 1000).toFixed(1).padStart(6)} s] ${text}`);
  }

  spawn(name, command, args, env = {}) {
    const log = openSync(join(this.work, `${name}.log`), "a");
    const child = spawn(command, args, {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
      cwd: this.work,
    });
    child.on("exit", (code, signal) =>
      console.log(`conformance: ${name} ended: ${signal ?? code} (${join(this.work, `${name}.log`)})`),
    );
    return child;
  }

  network() {
    const batch = [
      "link set lo up",
      `route add local ${GATEWAYS} dev lo`,
      // A fixed address. Otherwise, the bridge has the address of one of its ports, and pods lose the bridge when this
      // port is removed.
      "link add br0 address 02:00:0a:4e:00:01 type bridge",
      `addr add ${NODE}/16 dev br0`,
      "link set br0 up",
    ];
    execFileSync("ip", ["-batch", "-"], { input: `${batch.join("\n")}\n` });
  }

  async cluster() {
    const { apiserver, etcd, manager, folder } = this.programs;
    const keys = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    const file = (name, text) => {
      writeFileSync(join(this.work, name), text, { mode: 0o600 });
      return join(this.work, name);
    };
    const key = file("service-accounts.pem", keys.privateKey);
    file("kubeconfig.json", kubeconfig());
    this.spawn("etcd", etcd, [
      `--data-dir=${join(this.work, "etcd")}`,
      "--listen-client-urls=http://127.0.0.1:2379",
      "--advertise-client-urls=http://127.0.0.1:2379",
      "--listen-peer-urls=http://127.0.0.1:2380",
      "--unsafe-no-fsync",
      "--log-level=error",
    ]);
    this.spawn("kube-apiserver", apiserver, [
      "--etcd-servers=http://127.0.0.1:2379",
      "--bind-address=0.0.0.0",
      `--advertise-address=${NODE}`,
      "--secure-port=6443",
      `--cert-dir=${join(this.work, "certificates")}`,
      "--authorization-mode=AlwaysAllow",
      `--token-auth-file=${file("tokens.csv", "admin,admin,admin,system:masters\n")}`,
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--endpoint-reconciler-type=none",
      "--disable-admission-plugins=ServiceAccount",
      "--kubelet-preferred-address-types=InternalIP",
      "--enable-priority-and-fairness=false",
    ]);
    await this.eventually(
      "kube-apiserver is ready",
      async () => (await call("GET", "/readyz")).status === 200,
    );
    this.spawn("kube-controller-manager", manager, [
      `--kubeconfig=${this.kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--kube-api-qps=200",
      "--kube-api-burst=400",
      "--controllers=deployment-controller,replicaset-controller,endpointslice-controller,endpointslice-mirroring-controller,namespace-controller,garbage-collector-controller",
    ]);
    const node = [
      "-kubeconfig",
      this.kubeconfig,
      "-echo",
      join(folder, "echo-basic"),
      "-folder",
      join(this.work, "volumes"),
      "-address",
      NODE,
    ];
    this.spawn("node", join(folder, "node"), node);
    this.step("kube-apiserver is ready");
  }

  async definitions() {
    const { crds } = this.programs;
    // Not at the top: `npm test` imports this module before it installs the packages.
    const { parseAllDocuments } = await import("yaml");
    const files = readdirSync(crds).filter((name) => name.startsWith("gateway.networking"));
    const objects = files.flatMap((name) =>
      parseAllDocuments(readFileSync(join(crds, name), "utf8")).map((one) => one.toJS()),
    );
    for (const object of objects.filter(Boolean)) await apply(object);
    const established = ({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === "Established" && is === "True");
    await this.eventually("the CRDs are established", async () => {
      const { body } = await call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions");
      return body.items.every(established);
    });
    await apply({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GatewayClass",
      metadata: { name: CLASS },
      spec: { controllerName: CONTROLLER },
    });
    this.step("the CRDs and the GatewayClass are there");
  }

  async plane() {
    const { envoy } = this.programs;
    const isoline = join(root, "dist", "isoline.js");
    const settings = join(this.work, "settings.json");
    writeFileSync(
      settings,
      JSON.stringify({
        gateway: {
          controllerName: CONTROLLER,
          addressPool: GATEWAYS,
          staticAddresses: [GATEWAYS],
          infrastructure: "serviceAccount",
        },
      }),
    );
    const url = `http://127.0.0.1:${XDS_PORT}`;
    this.spawn("isoline", process.execPath, [
      ...[
        isoline,
        "serve",
        "--kube",
        "--kubeconfig",
        this.kubeconfig,
        "--write-status",
        "--settings",
        settings,
      ],
      ...["--listen", `127.0.0.1:${XDS_PORT}`, "--insecure", "--disable-leader-election"],
    ]);
    await this.eventually("isoline listens", () => answers(XDS_PORT));
    await this.eventually("the GatewayClass has its features", async () => {
      const { body } = await call("GET", `/apis/gateway.networking.k8s.io/v1/gatewayclasses/${CLASS}`);
      return body.status?.supportedFeatures?.length > 0;
    });
    const bootstrap = join(this.work, "envoy.json");
    writeFileSync(
      bootstrap,
      execFileSync(process.execPath, [isoline, "bootstrap", "-", "--xds", url, "--refresh-delay", "0.1s"]),
    );
    this.spawn("envoy", envoy, [
      "-c",
      bootstrap,
      "--concurrency",
      "1",
      "--disable-hot-restart",
      "--log-level",
      "warning",
    ]);
    this.step("isoline and Envoy run");
  }

  /** Envoy's counters of rejected configuration that are not 0. */
  async refusals() {
    const response = await fetch("http://127.0.0.1:9001/stats?filter=update_rejected");
    const lines = (await response.text()).split("\n");
    return lines.filter((line) => line !== "" && !line.endsWith(": 0"));
  }

  /** Runs the suite. Returns the result of each test by its name, and whether the suite passed. */
  async suite() {
    const { values, work, programs } = this;
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const report = resolve(root, values.report ?? "conformance-report.yaml");
    const pattern =
      values.test.length > 0 ? `^TestConformance$/^(${values.test.join("|")})$` : "^TestConformance$";
    const args = [
      "-test.v",
      "-test.timeout=40m",
      `-test.run=${pattern}`,
      `-gateway-class=${CLASS}`,
      `-conformance-profiles=${values.profiles}`,
      `-report-output=${report}`,
      "-organization=isoline",
      "-project=isoline",
      "-url=https://isoline.dev",
      `-version=${version}`,
      "-contact=https://isoline.dev",
      `-usable-address=${USABLE_ADDRESS}`,
      `-unusable-address=${UNUSABLE_ADDRESS}`,
      ...(values.parallel ? [] : ["-disable-parallel-tests"]),
      ...(values.features ? [`-supported-features=${values.features}`] : []),
      ...(values.timeouts ? [`-timeout-config-overrides=${values.timeouts}`] : []),
    ];
    const child = spawn(join(programs.folder, "suite"), args, {
      cwd: work,
      env: { ...process.env, KUBECONFIG: this.kubeconfig },
    });
    const log = createWriteStream(join(work, "suite.log"));
    child.stderr.pipe(log, { end: false });
    const results = new Map();
    let last = performance.now();
    for await (const line of createInterface({ input: child.stdout })) {
      log.write(`${line}\n`);
      const [, result, name] = /^RESULT (\w+) (\S+)$/.exec(line) ?? [];
      if (name === undefined) continue;
      results.set(name, result);
      if (result !== "skipped")
        this.step(`${result} ${name} (${((performance.now() - last) / 1000).toFixed(1)} s)`);
      last = performance.now();
    }
    const code = child.exitCode ?? (await new Promise((done) => child.on("close", done)));
    this.step(`report: ${report}`);
    return { results, isContent: code === 0 };
  }

  async eventually(what, check) {
    for (let tries = 0; tries < 600; tries++) {
      if (await check().catch(() => false)) return;
      await new Promise((done) => setTimeout(done, 200));
    }
    throw new Error(`not so after two minutes: ${what} (logs: ${this.work})`);
  }
}

const kubeconfig = () =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "conformance",
    clusters: [
      { name: "conformance", cluster: { server: `https://${NODE}:6443`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "conformance", user: { token: "admin" } }],
    contexts: [{ name: "conformance", context: { cluster: "conformance", user: "conformance" } }],
  });

/** Sends a request to the API server, whose certificate is self-signed. */
function call(method, path, body, type = "application/json") {
  return new Promise((done, fail) => {
    const headers = {
      authorization: "Bearer admin",
      ...(body === undefined ? {} : { "content-type": type }),
    };
    const sent = request(
      { host: NODE, port: 6443, method, path, headers, rejectUnauthorized: false },
      async (response) => {
        const chunks = [];
        for await (const chunk of response) chunks.push(chunk);
        const text = Buffer.concat(chunks).toString();
        done({ status: response.statusCode, body: text.startsWith("{") ? JSON.parse(text) : text });
      },
    );
    sent.on("error", fail);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Server-side apply of an object without a namespace. */
async function apply(object) {
  const { apiVersion, kind, metadata } = object;
  const plurals = { CustomResourceDefinition: "customresourcedefinitions", GatewayClass: "gatewayclasses" };
  const plural = plurals[kind];
  if (!plural) return;
  const path = `/apis/${apiVersion}/${plural}/${metadata.name}?fieldManager=conformance&force=true`;
  const { status, body } = await call("PATCH", path, object, "application/apply-patch+yaml");
  if (status >= 300) throw new Error(`${kind} ${metadata.name}: ${status} ${JSON.stringify(body)}`);
}

const answers = (port) =>
  new Promise((done) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    socket.on("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.on("error", () => done(false));
  });

async function inside(values) {
  const programs = JSON.parse(process.env.ISOLINE_CONFORMANCE ?? "{}");
  const work = mkdtempSync(join(tmpdir(), "isoline-conformance-"));
  const rig = new Rig(programs, values, work);
  rig.network();
  await rig.cluster();
  await rig.definitions();
  await rig.plane();
  const { results, isContent } = await rig.suite();
  const refusals = await rig.refusals();
  // Tests of service meshes belong to another profile.
  for (const name of results.keys()) if (name.startsWith("Mesh")) results.delete(name);
  const count = (result) => [...results.values()].filter((one) => one === result).length;
  for (const [name, result] of results) if (result === "failed") console.log(`failed: ${name}`);
  for (const line of refusals) console.log(`Envoy has refused configuration: ${line}`);
  if (values.keep || !isContent) console.log(`logs: ${work}`);
  else rmSync(work, { recursive: true, force: true });
  console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  return isContent && results.size > 0 && refusals.length === 0 ? 0 : 1;
}

/** A few quick tests that cover most of the Gateway features, for every change. */
const FEW = [
  "GatewayHTTPListenerIsolation",
  "GatewayModifyListeners",
  "GatewayStaticAddresses",
  "GRPCRouteHeaderMatching",
  "HTTPRouteHTTPSListenerDetectMisdirectedRequests",
  "HTTPRouteMatchingAcrossRoutes",
  "HTTPRouteRequestMirror",
  "ListenerSetHTTPRouting",
  "TCPRouteWeightedRouting",
  "TLSRouteMixedTerminationSameNamespace",
  "UDPRoute",
];

/** A step of the tests: the whole suite, or with `few` some of its tests. It is skipped where the suite cannot run. */
export const conformance = (few) => ({
  name: few ? "conformance, some tests" : "conformance",
  async run() {
    const why = conformanceProblem() ?? (await missingProgram());
    if (why) return { passed: 0, failed: 0, why: `the conformance suite ${why}` };
    const args = few ? FEW.flatMap((name) => ["--test", name]) : [];
    let tail = "";
    const file = fileURLToPath(import.meta.url);
    const report = join(tmpdir(), `isoline-conformance-${process.pid}.yaml`);
    const code = await run(process.execPath, [file, "--report", report, ...args], {
      onOutput: (chunk) => {
        tail = (tail + chunk).slice(-1000);
      },
    });
    const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(tail) ?? [];
    if (failed === undefined || (failed === "0") !== (code === 0)) return { passed: 0, failed: 1 };
    return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
  },
});

/** The reason why the suite cannot run here, or undefined. */
function conformanceProblem() {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, for network namespaces";
  return hasGo() ? undefined : "needs Go 1.26";
}

/** The reason why a program of others cannot be had here, or undefined. Builds them, which takes some minutes once. */
async function missingProgram() {
  try {
    execFileSync("go", ["mod", "download"], { cwd: suiteModule, stdio: ["ignore", "ignore", "inherit"] });
    await kubePrograms();
    return undefined;
  } catch (error) {
    return `lacks a program: ${error.message}`;
  }
}

async function main(args) {
  const { values } = parseArgs({ args, options });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (process.env.ISOLINE_CONFORMANCE) return inside(values);
  const problem = conformanceProblem();
  if (problem) throw new Error(`the conformance suite ${problem}`);
  const programs = await prepare();
  const command = [
    "--net",
    "--pid",
    "--mount",
    "--fork",
    "--kill-child",
    "--mount-proc",
    process.execPath,
    process.argv[1],
    ...args,
  ];
  const env = { ...process.env, ISOLINE_CONFORMANCE: JSON.stringify(programs) };
  return spawnSync("unshare", command, { stdio: "inherit", env }).status ?? 1;
}

if (isMain(import.meta)) {
  process.exitCode = await main(process.argv.slice(2)).catch((error) => {
    console.error(`conformance: ${error.message}`);
    return 1;
  });
  // Inside the namespaces, all processes end with this one.
  if (process.env.ISOLINE_CONFORMANCE) process.exit();
}
