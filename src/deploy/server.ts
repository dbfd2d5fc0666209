import { type DeploymentNames, type Manifest, restricted, secrets, xdsPort } from "./names.js";

export interface ServerDeployment extends DeploymentNames {
  readonly image: string;
  readonly replicas: number;
  /** The Service of the Envoys; statuses contain its addresses. */
  readonly envoyService: string;
  /** Whether the server writes statuses. It must not beside another controller that writes them. */
  readonly writeStatus: boolean;
  /** The content of the settings file; undefined for the defaults. */
  readonly settings?: SettingsText;
}

export interface SettingsText {
  readonly text: string;
  /** Changes with the text: settings are read at the start, so pods with other settings are replaced. */
  readonly digest: string;
}

/** The Node server in a Kubernetes cluster. All replicas serve, and one of them writes statuses. */
export function server(options: ServerDeployment): readonly Manifest[] {
  const { namespace, name, replicas, settings } = options;
  const selector = { "app.kubernetes.io/name": name };
  const metadata = { name, namespace, labels: selector };
  const podMetadata = {
    labels: selector,
    ...(settings ? { annotations: { "isoline.dev/settings": settings.digest } } : {}),
  };
  return [
    ...(settings
      ? [
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: `${name}-settings`, namespace, labels: selector },
            data: { "settings.yaml": settings.text },
          },
        ]
      : []),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        selector,
        // All connections of an Envoy go to the same replica.
        sessionAffinity: "ClientIP",
        ports: [{ name: "xds", port: xdsPort, targetPort: "xds" }],
      },
    },
    peers(options, selector),
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata,
      spec: { minAvailable: replicas > 1 ? 1 : 0, selector: { matchLabels: selector } },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        replicas,
        selector: { matchLabels: selector },
        template: { metadata: podMetadata, spec: pod(options, selector) },
      },
    },
  ];
}

/** A headless Service with the addresses of all replicas, ready or not. Replicas use it to compare their states. */
function peers(options: ServerDeployment, selector: Manifest): Manifest {
  const { namespace } = options;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: peersName(options), namespace, labels: selector },
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector,
      ports: [{ name: "xds", port: xdsPort, targetPort: "xds" }],
    },
  };
}

const peersName = ({ name }: DeploymentNames): string => `${name}-replicas`;

function pod(options: ServerDeployment, selector: Manifest): Manifest {
  const { image, name, namespace, envoyService, writeStatus, settings } = options;
  const probe = (path: string): Manifest => ({ httpGet: { path, port: "xds", scheme: "HTTPS" } });
  return {
    serviceAccountName: name,
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: selector },
      },
    ],
    containers: [
      {
        name: "isoline",
        image,
        args: [
          "serve",
          "--kube",
          ...(writeStatus ? ["--write-status"] : []),
          `--listen=0.0.0.0:${xdsPort}`,
          "--tokens=/etc/isoline/tokens/tokens",
          "--tls-cert-file=/etc/isoline/tls/tls.crt",
          "--tls-key-file=/etc/isoline/tls/tls.key",
          `--peer=https://${peersName(options)}.${namespace}.svc:${xdsPort}`,
          `--envoy-service-name=${envoyService}`,
          `--envoy-service-namespace=${namespace}`,
          `--leader-election-resource-name=${name}`,
          ...(settings ? ["--settings=/etc/isoline/settings/settings.yaml"] : []),
        ],
        ports: [{ name: "xds", containerPort: xdsPort }],
        livenessProbe: probe("/healthz"),
        // The Service drops a hung pod at about the time at which Envoys close their connections to it.
        readinessProbe: { ...probe("/readyz"), periodSeconds: 3, timeoutSeconds: 2, failureThreshold: 2 },
        resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
        securityContext: { ...restricted, runAsUser: 65_532, runAsGroup: 65_532 },
        volumeMounts: [
          { name: "tokens", mountPath: "/etc/isoline/tokens", readOnly: true },
          { name: "tls", mountPath: "/etc/isoline/tls", readOnly: true },
          ...(settings ? [{ name: "settings", mountPath: "/etc/isoline/settings", readOnly: true }] : []),
        ],
      },
    ],
    volumes: [
      { name: "tokens", secret: { secretName: secrets.tokens } },
      { name: "tls", secret: { secretName: secrets.tls } },
      ...(settings ? [{ name: "settings", configMap: { name: `${name}-settings` } }] : []),
    ],
  };
}
