import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ManifestPart } from "../../src/cli/manifest-parts.js";
import { type ManifestsCommandOptions, manifestsOf } from "../../src/cli/manifests.js";
import { type ApiResource, resources } from "../../src/kubernetes/resources.js";
import { gatewayGroup } from "../../src/schema/gateway.js";
import { reportsStatus } from "../../src/status/write/writer.js";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources: readonly string[];
  readonly verbs?: readonly string[];
  readonly scope?: string;
}

const folder = mkdtempSync(join(tmpdir(), "isoline-manifests-"));
const hookTokenFile = join(folder, "hook.token");
writeFileSync(hookTokenFile, "isoline_hook_for-tests");
afterAll(() => rmSync(folder, { recursive: true }));

const printed = (part: ManifestPart, gateway: boolean) =>
  manifestsOf(part, {
    namespace: "projectcontour",
    image: "isoline:test",
    replicas: "2",
    envoyImage: "envoy:test",
    envoyKind: "DaemonSet",
    hookTokenFile,
    ...(gateway ? { gateway } : {}),
  });

const besideWorker = (part: ManifestPart, more: Partial<ManifestsCommandOptions> = {}) =>
  manifestsOf(part, {
    namespace: "projectcontour",
    image: "",
    replicas: "2",
    envoyImage: "envoy:v1.40.0",
    envoyKind: "DaemonSet",
    worker: "https://isoline.example.workers.dev",
    hookTokenFile,
    ...more,
  });

const roleRules = (gateway: boolean): readonly Rule[] => {
  const role = printed("rbac", gateway).find(({ kind }) => kind === "ClusterRole");
  return role?.rules as readonly Rule[];
};

const ofGateway = resources.filter((one) => one.ofGateway && one.kind !== "ConfigMap");
const plurals = (all: readonly ApiResource[]): string[] => all.map(({ plural }) => plural);

describe("the output of `isoline manifests`", () => {
  it("grants access to the Gateway API and to ConfigMaps only with the option", () => {
    const text = JSON.stringify([
      printed("rbac", false),
      printed("webhook", false),
      printed("audit-policy", false),
    ]);
    expect(text).not.toContain(gatewayGroup);
    expect(text).not.toContain("configmaps");
    expect(printed("server", true)).toEqual(printed("server", false));
  });

  it("has Envoys as the ConfigMap of a Gateway's parametersRef describes them", () => {
    const file = join(folder, "parameters.yaml");
    const write = (data: string): void =>
      writeFileSync(file, `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: envoys}\ndata:\n${data}`);
    write(
      [
        "  envoy.workload: Deployment",
        '  envoy.replicas: "3"',
        "  envoy.service-type: NodePort",
        "  envoy.external-traffic-policy: Cluster",
        "  envoy.service-annotations: |",
        "    example.com/a: b",
        "",
      ].join("\n"),
    );
    const objects = besideWorker("envoy", { gatewayParameters: file });
    expect(objects.find(({ kind }) => kind === "Deployment")).toMatchObject({ spec: { replicas: 3 } });
    expect(objects.find(({ kind }) => kind === "Service")).toMatchObject({
      metadata: { annotations: { "example.com/a": "b" } },
      spec: { type: "NodePort", externalTrafficPolicy: "Cluster" },
    });
    write("  envoy.service-type: ClusterIP\n");
    const [, service] = besideWorker("envoy", { gatewayParameters: file });
    expect(service).toMatchObject({ spec: { type: "ClusterIP" } });
    expect(service).not.toHaveProperty("spec.externalTrafficPolicy");
    write("  replicas: '3'\n  envoy.image: a\n");
    expect(() => besideWorker("envoy", { gatewayParameters: file })).toThrow(
      'key "replicas" is not supported',
    );
    writeFileSync(file, "[]");
    expect(() => besideWorker("envoy", { gatewayParameters: file })).toThrow("expected one ConfigMap");
  });

  it("has no server and no Lease for a cluster that a Worker follows", () => {
    expect(JSON.stringify(besideWorker("rbac"))).not.toContain("leases");
    expect(JSON.stringify(besideWorker("rbac"))).toContain("httpproxies/status");
    expect(() => besideWorker("server")).toThrow(/--worker there is no server/);
    expect(JSON.stringify(besideWorker("webhook"))).toContain(
      '"url":"https://isoline.example.workers.dev/hooks/admission/isoline_hook_for-tests"',
    );
  });

  it("makes Envoys trust the authorities of their image for a Worker, or those of the Secret with --ca-file", () => {
    const own = JSON.stringify(besideWorker("envoy"));
    expect(own).toContain("/etc/ssl/certs/ca-certificates.crt");
    expect(own).toContain("isoline.example.workers.dev");
    expect(own).not.toContain("/etc/isoline/ca.crt");
    expect(JSON.stringify(besideWorker("envoy", { caFile: hookTokenFile }))).toContain("/etc/isoline/ca.crt");
  });

  it.each([
    [{ worker: "http://isoline.example.workers.dev" }, /expected an https:\/\/ URL/],
    [{ worker: "isoline.example.workers.dev" }, /expected an https:\/\/ URL/],
    [{ xds: "https://xds.example.com" }, /--worker replaces --xds and --hook-url/],
    [{ hookUrl: "https://xds.example.com" }, /--worker replaces --xds and --hook-url/],
  ])("refuses %j with --worker", (more, message) => {
    expect(() => besideWorker("envoy", more)).toThrow(message);
  });

  it("grants with the option the permissions to read all its kinds and to write their statuses", () => {
    const rules = roleRules(true);
    const granted = (group: string, verb: string): readonly string[] =>
      rules
        .filter((rule) => rule.apiGroups[0] === group && rule.verbs?.includes(verb))
        .flatMap((rule) => rule.resources);
    expect(granted(gatewayGroup, "list")).toEqual(plurals(ofGateway));
    expect(granted(gatewayGroup, "watch")).toEqual(plurals(ofGateway));
    expect(granted("", "watch")).toContain("configmaps");
    const reported = plurals(ofGateway.filter(reportsStatus));
    expect(granted(gatewayGroup, "get")).toEqual(reported);
    expect(granted(gatewayGroup, "patch")).toEqual(reported.map((plural) => `${plural}/status`));
    expect(
      rules.flatMap(({ verbs = [] }) => verbs).filter((verb) => !/^(get|list|watch|patch)$/.test(verb)),
    ).toEqual([]);
  });

  it("gives the right to make ServiceAccounts for the setting gateway.infrastructure alone", () => {
    const rulesWith = (gatewayInfrastructure: boolean): readonly Rule[] => {
      const options = {
        namespace: "n",
        image: "i",
        replicas: "1",
        envoyImage: "e",
        envoyKind: "DaemonSet",
      } as const;
      const objects = manifestsOf("rbac", { ...options, gateway: true, gatewayInfrastructure });
      return objects.find(({ kind }) => kind === "ClusterRole")?.rules as readonly Rule[];
    };
    const more = rulesWith(true).filter(
      (rule) => !JSON.stringify(rulesWith(false)).includes(JSON.stringify(rule)),
    );
    expect(more).toEqual([{ apiGroups: [""], resources: ["serviceaccounts"], verbs: ["create", "patch"] }]);
  });

  it("registers the webhook for every supported version", () => {
    const [webhook] = printed("webhook", true) as readonly {
      webhooks: readonly { rules: readonly Rule[] }[];
    }[];
    const rules = webhook?.webhooks[0]?.rules.filter(({ apiGroups }) => apiGroups[0] === gatewayGroup) ?? [];
    const judged = ofGateway.filter((one) => reportsStatus(one) || one.kind === "ReferenceGrant");
    expect(rules.flatMap((rule) => rule.resources)).toEqual(plurals(judged));
    expect(rules.find((rule) => rule.resources[0] === "referencegrants")).toMatchObject({
      apiVersions: ["v1", "v1beta1", "v1alpha2"],
      scope: "Namespaced",
    });
  });

  it("audits writes to all kinds", () => {
    const [policy] = printed("audit-policy", true) as readonly {
      rules: readonly { resources: readonly object[] }[];
    }[];
    const audited = policy?.rules[0]?.resources ?? [];
    for (const resource of plurals(ofGateway))
      expect(audited).toContainEqual({ group: gatewayGroup, resources: [resource] });
    expect(audited).toContainEqual({ group: "", resources: ["configmaps"] });
  });
});

describe("--http3", () => {
  const portsOf = (http3: boolean): unknown[] => {
    const objects = besideWorker("envoy", { http3 }) as readonly {
      readonly kind: string;
      readonly spec?: {
        readonly ports?: readonly { readonly protocol?: string }[];
        readonly template?: {
          readonly spec: {
            readonly containers: readonly { readonly ports: readonly { readonly protocol?: string }[] }[];
          };
        };
      };
    }[];
    return objects.flatMap(({ kind, spec }) =>
      [...(spec?.ports ?? []), ...(spec?.template?.spec.containers.flatMap(({ ports }) => ports) ?? [])]
        .filter(({ protocol }) => protocol === "UDP")
        .map((port) => ({ kind, ...port })),
    );
  };

  it("adds the UDP ports of the Service and of the Envoys", () => {
    expect(portsOf(false)).toEqual([]);
    expect(portsOf(true)).toEqual([
      { kind: "Service", name: "http3", port: 443, targetPort: "http3", protocol: "UDP" },
      { kind: "DaemonSet", name: "http3", containerPort: 8443, protocol: "UDP" },
    ]);
  });
});
