import { type ApiResource, configMapNames, resourcesWith } from "../kubernetes/resources.js";
import { reportsStatus } from "../status/write/writer.js";
import type { DeploymentNames, Manifest, Reading, WrittenInfrastructure } from "./names.js";

const groupOf = ({ apiVersion }: ApiResource): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";

/** One rule for each API group, with the resource names that `pick` returns. */
function rules(
  resources: readonly ApiResource[],
  verbs: readonly string[],
  pick: (resource: ApiResource) => readonly string[],
): object[] {
  const groups = new Map<string, string[]>();
  for (const resource of resources) {
    const group = groupOf(resource);
    groups.set(group, [...(groups.get(group) ?? []), ...pick(resource)]);
  }
  return [...groups]
    .filter(([, plurals]) => plurals.length > 0)
    .map(([group, plurals]) => ({ apiGroups: [group], resources: plurals, verbs }));
}

const rbacApi = "rbac.authorization.k8s.io";

/** The permission for server-side apply. */
const serviceAccounts = { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["create", "patch"] };

/**
 * The permissions of Isoline: read the kinds for routing, write statuses, and make ServiceAccounts of
 * Gateways if the setting is on.
 */
export function rbac({
  namespace,
  name,
  gateway,
  infrastructure = false,
  ingressNginxConfigMap,
}: DeploymentNames & Reading & WrittenInfrastructure): readonly Manifest[] {
  const resources = resourcesWith(gateway);
  const names = configMapNames(ingressNginxConfigMap?.split(",") ?? []);
  const options =
    ingressNginxConfigMap === undefined || gateway
      ? []
      : [
          {
            apiGroups: [""],
            resources: ["configmaps"],
            ...(names.length === 1 ? { resourceNames: names } : {}),
            verbs: ["list", "watch"],
          },
        ];
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
    {
      apiVersion: `${rbacApi}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      rules: [
        ...rules(resources, ["list", "watch"], ({ plural }) => [plural]),
        ...options,
        ...rules(resources, ["get"], (resource) => (reportsStatus(resource) ? [resource.plural] : [])),
        ...rules(resources, ["patch"], (resource) =>
          reportsStatus(resource) ? [`${resource.plural}/status`] : [],
        ),
        ...(infrastructure ? [serviceAccounts] : []),
      ],
    },
    {
      apiVersion: `${rbacApi}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name },
      roleRef: { apiGroup: rbacApi, kind: "ClusterRole", name },
      subjects,
    },
  ];
}

/** The permission to hold one Lease, by which one of several replicas writes statuses. */
export function leaseRole({ namespace, name }: DeploymentNames): readonly Manifest[] {
  const subjects = [{ kind: "ServiceAccount", name, namespace }];
  const lease = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  return [
    {
      apiVersion: `${rbacApi}/v1`,
      kind: "Role",
      metadata: { name, namespace },
      rules: [
        { ...lease, verbs: ["create"] },
        { ...lease, resourceNames: [name], verbs: ["get", "update"] },
      ],
    },
    {
      apiVersion: `${rbacApi}/v1`,
      kind: "RoleBinding",
      metadata: { name, namespace },
      roleRef: { apiGroup: rbacApi, kind: "Role", name },
      subjects,
    },
  ];
}
