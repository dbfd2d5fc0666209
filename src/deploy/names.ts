/** An object to apply. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Where things are. */
export interface DeploymentNames {
  readonly namespace: string;
  /** Of the server's objects: Deployment, Service, roles, Lease. */
  readonly name: string;
}

/** Whether the kinds of the Gateway API are read, too. */
export interface Reading {
  readonly gateway: boolean;
}

/** Whether a ServiceAccount is made for each Gateway (the setting `gateway.infrastructure`). */
export interface WrittenInfrastructure {
  readonly infrastructure?: boolean;
}

export const xdsPort = 18_000;

/** The Secrets that the manifests refer to; they are made with `isoline token` and a certificate of one's own. */
export const secrets = {
  /** `tokens`: the lines of the server. */
  tokens: "isoline-tokens",
  /** `tls.crt`, `tls.key`: for https. */
  tls: "isoline-tls",
  /** `token.json`: what Envoys show; `ca.crt`: whom they trust. */
  envoy: "isoline-envoy",
} as const;

/** For containers that need nothing of the machine. */
export const restricted = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};
