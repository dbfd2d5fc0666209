import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { eventually } from "../support/envoy.js";
import { type Machine, startMachine, whyNoMachine } from "../support/machine.js";
import { runPod, startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { certificateFor, ownManifests, untilAnswered } from "../support/walk.js";

/** Helm, or why it is missing. */
function findHelm(): { readonly path: string } | { readonly reason: string } {
  const script = join(import.meta.dirname, "../../scripts/helm.mjs");
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8", stdio: [...stdio] }));
}

const noCluster = whyNoMachine() ?? (await whyNoCluster());
const found = noCluster === undefined ? findHelm() : { reason: noCluster };
const helm = "path" in found ? `'${found.path}'` : "helm";
const noHelm = "reason" in found ? found.reason : undefined;

const title = (name: string, reason: string | undefined): string => (reason ? `${name}: ${reason}` : name);

/** A machine with a real API server, and with what the manifests name: manifests, tokens and a certificate. */
async function startWith(namespace: string): Promise<Machine> {
  const machine = await startMachine();
  await ownManifests(machine);
  await certificateFor(machine, `isoline.${namespace}.svc`);
  await startCluster(machine);
  await machine.must("isoline token node --name envoy --file tokens --envoy-file token.json");
  return machine;
}

const createSecrets = (machine: Machine, namespace: string): Promise<string> =>
  machine.must(`kubectl create secret generic isoline-tokens -n ${namespace} --from-file=tokens
    kubectl create secret tls isoline-tls -n ${namespace} --cert=tls.crt --key=tls.key
    kubectl create secret generic isoline-envoy -n ${namespace} --from-file=token.json --from-file=ca.crt`);

/**
 * Runs the server and an Envoy with the volumes, arguments and the ServiceAccount of their pods, until Envoy answers on
 * a port and the status of the object is written.
 */
async function expectServed(machine: Machine, namespace: string, port: number): Promise<void> {
  await eventually(
    async () => (await machine.run("kubectl apply -f manifests/")).code === 0,
    "the CRDs are served",
  );
  const server = await runPod(machine, namespace, "deployment/isoline", "isoline", /serves xDS on/);
  await runPod(machine, namespace, "daemonset/envoy", "envoy", /.*/);
  await untilAnswered(machine, `-H 'Host: shop.example.com' http://127.0.0.1:${port}/x`, /^shop: \/x$/m);
  await eventually(
    async () =>
      (await machine.must("kubectl get httpproxy shop -o json")).includes('"currentStatus": "valid"'),
    "the status is written",
  );
  expect(server.output()).not.toMatch(/403|forbidden|not allowed/i);
}

describe.skipIf(noHelm !== undefined)(title("the Helm chart", noHelm), () => {
  const chart = "deploy/helm/isoline";
  const release = `isoline ${chart} --namespace edge`;
  let machine: Machine;
  beforeAll(async () => {
    machine = await startWith("edge");
  });
  afterAll(() => machine?.stop());

  it("has no fault that `helm lint` sees", async () => {
    expect(await machine.must(`${helm} lint --strict ${chart}`)).toContain("0 chart(s) failed");
  });

  it.each([
    ["a name that is not there", "--set replica=2", "additional properties 'replica' not allowed"],
    ["another type", "--set-string replicas=2", "at '/replicas': got string, want integer"],
    ["another word", "--set envoy.kind=Pod", "at '/envoy/kind'"],
    ["a setting of another type", "--set settings.http.port=many", "at '/settings/http/port'"],
    ["a setting with another word", "--set settings.endpoints=none", "at '/settings/endpoints'"],
  ])("refuses values with %s, and installs nothing", async (_, values, message) => {
    const { code, output } = await machine.run(`${helm} install ${release} --create-namespace ${values}`);
    expect(code).not.toBe(0);
    expect(output).toContain(message);
    expect((await machine.run("kubectl get namespace edge")).code).not.toBe(0);
  });

  it.each<[string, string, string]>([
    ["its defaults", "", ""],
    ["a Deployment", "--set replicas=3,envoy.kind=Deployment", "--replicas 3 --envoy-kind Deployment"],
    ["one replica", "--set replicas=1", "--replicas 1"],
    [
      "the Gateway API",
      "--set gateway=true,image=a.example/isoline:1",
      "--gateway --image a.example/isoline:1",
    ],
    ["a server beside Contour", "--set writeStatus=false", "--no-write-status"],
    ["settings", "--set settings.http.port=8081", "--settings settings.yaml"],
  ])("renders %s to the objects of `isoline manifests`", async (_, values, options) => {
    machine.write("settings.yaml", "http:\n  port: 8081");
    // `isoline manifests` reads Envoy's release from its image; the chart's bootstrap is for all releases.
    const image = "registry.example.com/envoy";
    const rendered = await machine.must(
      `${helm} template ${release} --kube-version 1.37.2 --set envoy.image=${image} ${values}`,
    );
    const printed = await machine.must(
      `isoline manifests rbac server envoy --namespace edge --envoy-image ${image} ${options}`,
    );
    const objectsOf = (text: string): readonly string[] =>
      parseAllDocuments(text.replaceAll(/isoline\.dev\/settings: .*/g, "isoline.dev/settings: digest"))
        .map((one) => one.toJS() as { readonly kind: string } | null)
        .filter((one) => one !== null && one.kind !== "Namespace")
        .map((one) => JSON.stringify(one))
        .sort();
    expect(objectsOf(rendered)).toEqual(objectsOf(printed));
  });

  it("installs, and its server and Envoys serve with the rights of its roles alone", async () => {
    const image = "registry.example.com/isoline:0.2.0";
    await machine.must(`${helm} install ${release} --create-namespace --set image=${image}`);
    const read = async (what: string): Promise<string> =>
      (await machine.must(`kubectl get -n edge ${what}`)).trim();
    expect(await read("deployment isoline -o jsonpath='{.spec.template.spec.containers[0].image}'")).toBe(
      image,
    );
    expect(await read("poddisruptionbudget isoline -o jsonpath='{.spec.minAvailable}'")).toBe("1");
    await createSecrets(machine, "edge");
    await expectServed(machine, "edge", 8080);
  });

  it("upgrades: settings replace the pods of the server, and one replica does not block a drain", async () => {
    await machine.must(`${helm} upgrade ${release} --set replicas=1 --set settings.http.port=8081`);
    const pod = (await machine.must(
      "kubectl get deployment isoline -n edge -o jsonpath='{.spec.replicas} {.spec.template.metadata.annotations}'",
    )) as string;
    expect(pod).toMatch(/^1 \{"isoline.dev\/settings":"[0-9a-f]{64}"\}$/);
    const budget = "kubectl get poddisruptionbudget isoline -n edge -o jsonpath='{.spec.minAvailable}'";
    expect(await machine.must(budget)).toBe("0");
    const text = "kubectl get configmap isoline-settings -n edge -o jsonpath='{.data.settings\\.yaml}'";
    expect(await machine.must(text)).toBe("http:\n  port: 8081");
  });

  it("goes back with a rollback, and keeps the CRDs and the users' objects when it is removed", async () => {
    await machine.must(`${helm} rollback isoline 1 --namespace edge`);
    expect((await machine.run("kubectl get configmap isoline-settings -n edge")).code).not.toBe(0);
    await machine.must(`${helm} uninstall isoline --namespace edge`);
    expect((await machine.run("kubectl get deployment isoline -n edge")).code).not.toBe(0);
    await machine.must("kubectl get httpproxy shop");
  });
});

describe.skipIf(noCluster !== undefined)(title("the kustomize base", noCluster), () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await startWith("projectcontour");
  });
  afterAll(() => machine?.stop());

  it("applies with an image of its user, and its server and Envoys serve with the rights of its roles alone", async () => {
    machine.write(
      "overlay/kustomization.yaml",
      `resources: [../deploy/kustomize]
images: [{name: isoline, newName: registry.example.com/isoline, newTag: 0.2.0}]
replicas: [{name: isoline, count: 3}]
`,
    );
    await machine.must("kubectl apply --server-side -k overlay");
    const shown = "'{.spec.replicas} {.spec.template.spec.containers[0].image}'";
    expect(await machine.must(`kubectl get deployment isoline -n projectcontour -o jsonpath=${shown}`)).toBe(
      "3 registry.example.com/isoline:0.2.0",
    );
    await createSecrets(machine, "projectcontour");
    await expectServed(machine, "projectcontour", 8080);
  });
});
