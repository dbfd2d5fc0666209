/** The printable parts of an installation. */
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
