import { type ApiResource, resourcesWith, versionsOf } from "../kubernetes/resources.js";
import { reportsStatus } from "../status/write/writer.js";
import { type DeploymentNames, type Manifest, type Reading, xdsPort } from "./names.js";

export interface HookOptions extends DeploymentNames {
  /** Of the role `hook`; the API server can't send a header, so it is the last part of the path. */
  readonly token: string;
  /** Base of the server's URL; undefined: the Service in the cluster. */
  readonly url?: string;
  /** Certificates (PEM) that the API server is to trust. */
  readonly ca?: string;
}

function groupAndVersion({ apiVersion }: ApiResource): readonly [group: string, version: string] {
  const [first = "", second] = apiVersion.split("/");
  return second === undefined ? ["", first] : [first, second];
}

/** What users write by hand, and so what is worth a verdict. */
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

/** Asks Isoline about objects before they are stored; when it can't be reached they are stored unasked. */
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

/** For `kube-apiserver --audit-policy-file`: writes of what routing reads, by name alone. */
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

/** For `kube-apiserver --audit-webhook-config-file`. */
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
