import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type EnvoyDeployment, envoy } from "../deploy/envoy.js";
import { auditKubeconfig, auditPolicy, webhook } from "../deploy/hooks.js";
import type { Manifest } from "../deploy/names.js";
import { leaseRole, rbac } from "../deploy/rbac.js";
import { type SettingsText, server } from "../deploy/server.js";
import { readDocuments } from "../documents/documents.js";
import { writeYaml } from "../documents/write.js";
import { customResourceDefinitions } from "../schema/crds.js";
import { readParameters } from "../schema/gateway-parameters.js";
import { parseObject } from "../schema/object.js";
import { formatLocated } from "../sources/files/objects.js";
import { readSettings, type SettingsFile } from "../sources/files/settings-file.js";
import { type ManifestPart, manifestParts } from "./manifest-parts.js";
import { UsageError } from "./usage.js";

/** The options of `isoline manifests`, as commander passes them. */
export interface ManifestsCommandOptions {
  readonly namespace: string;
  readonly image: string;
  readonly replicas: string;
  readonly envoyImage: string;
  readonly envoyKind: "DaemonSet" | "Deployment";
  readonly xds?: string;
  readonly hookTokenFile?: string;
  readonly hookUrl?: string;
  readonly caFile?: string;
  readonly gateway?: boolean;
  readonly ingressNginxConfigMap?: string;
  readonly gatewayInfrastructure?: boolean;
  readonly http3?: boolean;
  /** A file with the ConfigMap that `parametersRef` of a Gateway or GatewayClass names. */
  readonly gatewayParameters?: string;
  /** The URL of a Worker that is the server. */
  readonly worker?: string;
  /** Whether the server writes statuses (the default). */
  readonly writeStatus?: boolean;
  /** The settings file of the server. */
  readonly settings?: string;
}

const name = "isoline";
const envoyName = "envoy";

/** The default parts: all that are applied to a cluster; the webhook only with a token. */
const applied = ["crds", "rbac", "server", "envoy"] as const;
const appliedBesideWorker = ["crds", "rbac", "envoy"] as const;

/**
 * `isoline manifests [PART…]`: prints manifests for a cluster as YAML documents.
 *
 * @throws UsageError when an option is not valid or missing.
 */
export function manifestsCommand(parts: readonly string[], options: ManifestsCommandOptions): void {
  const unknown = parts.find((part) => !manifestParts.includes(part as ManifestPart));
  if (unknown) throw new UsageError(`no part ${unknown}; the parts are ${manifestParts.join(", ")}`);
  const asked = parts.length > 0 ? (parts as ManifestPart[]) : defaultParts(options);
  const objects = asked.flatMap((part) => manifestsOf(part, options));
  if (options.worker && !asked.includes("webhook"))
    console.error(
      "isoline: without the webhook, the Worker sees a change at its next poll; give --hook-token-file",
    );
  process.stdout.write(objects.map((object) => `---\n${writeYaml(object)}`).join(""));
}

const defaultParts = ({ hookTokenFile, worker }: ManifestsCommandOptions): ManifestPart[] => [
  ...(worker ? appliedBesideWorker : applied),
  ...(hookTokenFile ? ["webhook" as const] : []),
];

/** The objects of one part. */
export function manifestsOf(part: ManifestPart, options: ManifestsCommandOptions): readonly Manifest[] {
  const {
    namespace,
    image,
    envoyImage,
    envoyKind,
    gateway = false,
    gatewayInfrastructure: infrastructure = false,
  } = options;
  const names = { namespace, name };
  const replicas = Number(options.replicas);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > 100)
    throw new UsageError(`--replicas ${options.replicas}: expected a number from 1 to 100`);
  const { ingressNginxConfigMap } = options;
  if (
    ingressNginxConfigMap !== undefined &&
    !/^[-a-z0-9]+\/[-.a-z0-9]+(?:,[-a-z0-9]+\/[-.a-z0-9]+)*$/.test(ingressNginxConfigMap)
  )
    throw new UsageError(
      `--ingress-nginx-config-map ${ingressNginxConfigMap}: expected NAMESPACE/NAME, or several with commas between`,
    );
  const worker = workerUrl(options);
  switch (part) {
    case "crds":
      return customResourceDefinitions() as readonly Manifest[];
    case "rbac":
      return [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
        ...rbac({ ...names, gateway, infrastructure, ingressNginxConfigMap }),
        ...(worker ? [] : leaseRole(names)),
      ];
    case "server":
      if (worker) throw new UsageError("with --worker there is no server in the cluster: leave server out");
      return server({
        ...names,
        image,
        replicas,
        envoyService: envoyName,
        writeStatus: options.writeStatus ?? true,
        ...(options.settings ? { settings: settingsText(options.settings) } : {}),
      });
    case "envoy":
      return envoy({
        ...names,
        envoyName,
        image: envoyImage,
        kind: envoyKind,
        replicas,
        http3: options.http3 ?? false,
        ...polled(options),
        ...(options.settings ? { settings: validSettings(options.settings).settings.spec } : {}),
        ...parametersIn(options.gatewayParameters),
      });
    case "webhook":
      return webhook({ ...names, gateway, ...hookOptions(options) });
    case "audit-policy":
      return [auditPolicy({ gateway })];
    case "audit-kubeconfig":
      return [auditKubeconfig({ ...names, ...hookOptions(options) })];
  }
}

/** The parameters of the ConfigMap in a file; they take precedence over other options. */
function parametersIn(file: string | undefined): Partial<EnvoyDeployment> {
  if (file === undefined) return {};
  const fail = (message: string): UsageError => new UsageError(`--gateway-parameters ${file}: ${message}`);
  const [first, more] = [...readDocuments(readFileSync(file, "utf8"))].filter((step) => step !== undefined);
  const parsed = first && "value" in first ? parseObject(first.value) : undefined;
  if (more || !parsed || !("object" in parsed) || parsed.object.kind !== "ConfigMap")
    throw fail("expected one ConfigMap");
  const read = readParameters(parsed.object.spec.data);
  if ("problem" in read) throw fail(read.problem);
  const {
    "envoy.workload": kind,
    "envoy.replicas": replicas,
    "envoy.image": image,
    "envoy.service-type": type,
    "envoy.external-traffic-policy": externalTrafficPolicy,
    "envoy.service-annotations": annotations,
  } = read.parameters;
  return {
    ...(kind ? { kind } : {}),
    ...(replicas ? { replicas } : {}),
    ...(image ? { image } : {}),
    service: {
      ...(type ? { type } : {}),
      ...(externalTrafficPolicy ? { externalTrafficPolicy } : {}),
      ...(annotations ? { annotations } : {}),
    },
  };
}

/** @throws UsageError if a setting is not valid: the server would use a default in its place. */
function validSettings(file: string): SettingsFile {
  const read = readSettings(file);
  const errors = read.findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return read;
  throw new UsageError(errors.map((finding) => formatLocated(read.locate(finding))).join("\n"));
}

/** The text of a settings file, as the server reads it. */
function settingsText(file: string): SettingsText {
  validSettings(file);
  const text = readFileSync(file, "utf8");
  return { text, digest: createHash("sha256").update(text).digest("hex") };
}

function workerUrl({ worker, xds, hookUrl }: ManifestsCommandOptions): string | undefined {
  if (worker === undefined) return undefined;
  if (xds || hookUrl) throw new UsageError("--worker replaces --xds and --hook-url: use one or the other");
  if (!URL.canParse(worker) || new URL(worker).protocol !== "https:")
    throw new UsageError(`--worker ${worker}: expected an https:// URL, as \`wrangler deploy\` prints it`);
  return worker;
}

/** The server that the Envoys poll. */
function polled({ xds, worker, caFile }: ManifestsCommandOptions) {
  if (worker) return { xdsUrl: worker, publicCa: caFile === undefined };
  return xds ? { xdsUrl: xds } : {};
}

function hookOptions({ hookTokenFile, worker, hookUrl = worker, caFile }: ManifestsCommandOptions) {
  if (!hookTokenFile)
    throw new UsageError("--hook-token-file is required: a token made by `isoline token hook`");
  const token = readFileSync(hookTokenFile, "utf8").trim();
  if (!/^[\w.~-]+$/.test(token))
    throw new UsageError(`--hook-token-file ${hookTokenFile}: contains no token`);
  return {
    token,
    ...(hookUrl ? { url: hookUrl } : {}),
    ...(caFile ? { ca: readFileSync(caFile, "utf8") } : {}),
  };
}
