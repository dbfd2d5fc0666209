import { type ApiResource, resourcesWith, versionsOf } from "../kubernetes/resources.js";
import { reportsStatus } from "../status/write/writer.js";
import { type DeploymentNames, type Manifest, type Reading, xdsPort } from "./names.js";

export interface HookOptions extends DeploymentNames {
  /** A token with the role `hook`. It is the last part of the path, because the API server can't send a header. */
  readonly token: string;
  /** The base URL of the server; undefined: the Service in the Kubernetes cluster. */
  readonly url?: string;
  /** The CA certificates (PEM) for the API server. */
  readonly ca?: string;
}

function groupAndVersion({ apiVersion }: ApiResource): readonly [group: string, version: string] {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? ["", first] : [first, second];
}

/** Whether users write objects of this kind by hand, so that admission validates them. */
const isReviewed = (resource: ApiResource): boolean =>
  reportsStatus(resource) ||
  resource.kind === "TLSCertificateDelegation" ||
  resource.kind === "ReferenceGrant";

function ruleOf(resource: ApiResource): object {
  return {
    apiGroups: [groupAndVersion(resource)[0]],
    apiVersions: versionsOf(resource).map((one) => groupAndVersion(one)[1]),
    resources: [resource.plural],
    operations: ["CREATE", "UPDATE", "DELETE"],
    scope: resource.namespaced ? "Namespaced" : "Cluster",
  };
}

/**
 * The webhook that validates objects before they are stored. When Isoline can't be reached, they are stored without
 * validation.
 */
export function webhook({
  name,
  namespace,
  token,
  url,
  ca,
  gateway,
}: HookOptions & Reading): readonly Manifest[] {
  const path = `/hooks/admission/${token}`;
  const target = url
    ? { url: `${url.replace(/\/$/, "")}${path}` }
    : { service: { name, namespace, path, port: xdsPort } };
  return [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name },
      webhooks: [
        {
          name: "admission.isoline.dev",
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
          failurePolicy: "Ignore",
          timeoutSeconds: 5,
          matchPolicy: "Equivalent",
          clientConfig: { ...target, ...(ca ? { caBundle: btoa(ca) } : {}) },
          rules: resourcesWith(gateway).filter(isReviewed).map(ruleOf),
        },
      ],
    },
  ];
}

/**
 * The policy for `kube-apiserver --audit-policy-file`: logs writes of the kinds that routing reads, without their
 * contents.
 */
export const auditPolicy = ({ gateway }: Reading): Manifest => ({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived", "ResponseStarted"],
  rules: [
    {
      level: "Metadata",
      verbs: ["create", "update", "patch", "delete", "deletecollection"],
      resources: resourcesWith(gateway).map((resource) => ({
        group: groupAndVersion(resource)[0],
        resources: [resource.plural],
      })),
    },
    { level: "None" },
  ],
});

/** The file for `kube-apiserver --audit-webhook-config-file`. */
export function auditKubeconfig({ name, namespace, token, url, ca }: HookOptions): Manifest {
  const base = url ?? `https://${name}.${namespace}.svc:${xdsPort}`;
  const cluster = {
    server: `${base.replace(/\/$/, "")}/hooks/audit`,
    ...(ca ? { "certificate-authority-data": btoa(ca) } : {}),
  };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name: "kube-apiserver", user: { token } }],
    contexts: [{ name, context: { cluster: name, user: "kube-apiserver" } }],
    "current-context": name,
  };
}
