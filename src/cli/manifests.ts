import { readFileSync } from "node:fs";
import { envoy } from "../deploy/envoy.js";
import { auditKubeconfig, auditPolicy, webhook } from "../deploy/hooks.js";
import type { Manifest } from "../deploy/names.js";
import { leaseRole, rbac } from "../deploy/rbac.js";
import { server } from "../deploy/server.js";
import { writeYaml } from "../documents/write.js";
import { customResourceDefinitions } from "../schema/crds.js";
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
  /** The URL of a Worker that is the server. */
  readonly worker?: string;
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
  if (ingressNginxConfigMap !== undefined && !/^[-a-z0-9]+\/[-.a-z0-9]+$/.test(ingressNginxConfigMap))
    throw new UsageError(`--ingress-nginx-config-map ${ingressNginxConfigMap}: expected NAMESPACE/NAME`);
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
      return server({ ...names, image, replicas, envoyService: envoyName });
    case "envoy":
      return envoy({
        ...names,
        envoyName,
        image: envoyImage,
        kind: envoyKind,
        replicas,
        http3: options.http3 ?? false,
        ...polled(options),
      });
    case "webhook":
      return webhook({ ...names, gateway, ...hookOptions(options) });
    case "audit-policy":
      return [auditPolicy({ gateway })];
    case "audit-kubeconfig":
      return [auditKubeconfig({ ...names, ...hookOptions(options) })];
  }
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
