/** A Kubernetes object to apply. */
export type Manifest = Readonly<Record<string, unknown>>;

/** The namespace and name of the deployment. */
export interface DeploymentNames {
  readonly namespace: string;
  /** The name of the server's objects: Deployment, Service, roles, Lease. */
  readonly name: string;
}

/** The kinds that the server reads; `gateway`: including those of the Gateway API. */
export interface Reading {
  readonly gateway: boolean;
  /** `namespace/name` of the ConfigMaps that the setting `ingressNginx` names, with commas between. */
  readonly ingressNginxConfigMap?: string | undefined;
}

/** Whether a ServiceAccount is made for each Gateway (the setting `gateway.infrastructure`). */
export interface WrittenInfrastructure {
  readonly infrastructure?: boolean;
}

export const xdsPort = 18_000;

/** The Secrets that the manifests reference. The operator creates them with `isoline token` and a certificate. */
export const secrets = {
  /** `tokens`: the token file of the server. */
  tokens: "isoline-tokens",
  /** `tls.crt`, `tls.key`: the server's certificate for HTTPS. */
  tls: "isoline-tls",
  /** `token.json`: the token of the Envoys; `ca.crt`: their CA certificate for a server without a publicly trusted one. */
  envoy: "isoline-envoy",
} as const;

/** A security context without privileges. */
export const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
