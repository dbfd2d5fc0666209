import { type BootstrapOptions, writeBootstrap } from "../xds/bootstrap.js";
import { type EnvoyVersion, parseEnvoyVersion } from "../xds/envoy-version.js";
import { type DeploymentNames, type Manifest, restricted, secrets, xdsPort } from "./names.js";

export interface EnvoyDeployment extends DeploymentNames {
  readonly image: string;
  readonly kind: "DaemonSet" | "Deployment";
  readonly replicas: number;
  /** The Service and workload of the Envoys. */
  readonly envoyName: string;
  /** The URL of the server; undefined: the server in the same namespace. */
  readonly xdsUrl?: string;
  /** Whether the server has a publicly trusted certificate, which the authorities of Envoy's image verify. */
  readonly publicCa?: boolean;
  /** UDP ports for the setting `http3`. */
  readonly http3?: boolean;
  readonly service?: {
    readonly type?: "ClusterIP" | "LoadBalancer" | "NodePort";
    readonly externalTrafficPolicy?: "Cluster" | "Local";
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** The settings of the server, whose runtime values are part of the bootstrap. */
  readonly settings?: BootstrapOptions["settings"];
}

/** Envoys that poll Isoline, and the Service in front of them. */
export function envoy(options: EnvoyDeployment): readonly Manifest[] {
  const { namespace, envoyName, kind, replicas, http3 } = options;
  const { type = "LoadBalancer", externalTrafficPolicy = "Local", annotations } = options.service ?? {};
  const selector = { "app.kubernetes.io/name": envoyName };
  const metadata = { name: envoyName, namespace, labels: selector };
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "envoy.json": bootstrapOf(options) } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, ...(annotations ? { annotations } : {}) },
      spec: {
        type,
        // Only Services that are reached from outside of the cluster have it.
        ...(type === "ClusterIP" ? {} : { externalTrafficPolicy }),
        selector,
        ports: [
          { name: "http", port: 80, targetPort: "http" },
          { name: "https", port: 443, targetPort: "https" },
          ...(http3 ? [{ name: "http3", port: 443, targetPort: "http3", protocol: "UDP" }] : []),
        ],
      },
    },
    {
      apiVersion: "apps/v1",
      kind,
      metadata,
      spec: {
        ...(kind === "Deployment" ? { replicas } : {}),
        selector: { matchLabels: selector },
        template: { metadata: { labels: selector }, spec: pod(options) },
      },
    },
  ];
}

/** A writable folder of this pod for the admin socket: unlike a port, other containers on its network can't reach it. */
const adminFolder = "/run/envoy";

/** A bootstrap without a node id: each Envoy gets the name of its pod as an argument. */
function bootstrapOf({ name, namespace, xdsUrl, image, publicCa, settings }: EnvoyDeployment): string {
  const bootstrap = writeBootstrap({
    xdsUrl: xdsUrl ?? `https://${name}.${namespace}.svc:${xdsPort}`,
    nodeId: "",
    nodeCluster: namespace,
    ...releaseOf(image),
    ...(settings ? { settings } : {}),
    admin: { socket: `${adminFolder}/admin.sock` },
    tokenFile: "/etc/isoline/token.json",
    ...(publicCa ? {} : { caFile: "/etc/isoline/ca.crt" }),
  });
  return `${JSON.stringify(bootstrap, null, 2)}\n`;
}

/** The release in the tag of an image such as `envoyproxy/envoy:distroless-v1.40.0`, if it has one. */
function releaseOf(image: string): { envoy?: EnvoyVersion } {
  const envoy = parseEnvoyVersion(/:(?:.*-)?(v?\d+\.\d+\.\d+)$/.exec(image.replace(/@.*/, ""))?.[1] ?? "");
  return envoy ? { envoy } : {};
}

const pod = ({ image, envoyName, http3 }: EnvoyDeployment): Manifest => ({
  automountServiceAccountToken: false,
  terminationGracePeriodSeconds: 60,
  containers: [
    {
      name: "envoy",
      image,
      command: ["envoy"],
      args: ["-c", "/etc/envoy/envoy.json", "--service-node", "$(POD_NAME)", "--log-level", "warn"],
      env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
      ports: [
        { name: "http", containerPort: 8080 },
        { name: "https", containerPort: 8443 },
        ...(http3 ? [{ name: "http3", containerPort: 8443, protocol: "UDP" }] : []),
        { name: "stats", containerPort: 8002 },
      ],
      readinessProbe: {
        httpGet: { path: "/ready", port: "stats" },
        initialDelaySeconds: 1,
        periodSeconds: 3,
      },
      // Time for load balancers to detect that the pod is terminating.
      lifecycle: { preStop: { sleep: { seconds: 10 } } },
      resources: { requests: { cpu: "100m", memory: "128Mi" } },
      securityContext: { ...restricted, runAsUser: 65_532, runAsGroup: 65_532 },
      volumeMounts: [
        { name: "bootstrap", mountPath: "/etc/envoy", readOnly: true },
        { name: "isoline", mountPath: "/etc/isoline", readOnly: true },
        { name: "admin", mountPath: adminFolder },
      ],
    },
  ],
  volumes: [
    { name: "admin", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    { name: "bootstrap", configMap: { name: envoyName } },
    { name: "isoline", secret: { secretName: secrets.envoy } },
  ],
});
