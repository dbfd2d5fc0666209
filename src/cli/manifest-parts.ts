/** What can be printed for a cluster. */
export const manifestParts = [
  "crds",
  "rbac",
  "server",
  "envoy",
  "webhook",
  "audit-policy",
  "audit-kubeconfig",
] as const;
export type ManifestPart = (typeof manifestParts)[number];
