import { settingsOf } from "../../src/schema/stored-settings.js";
import { type ObjectStatus, statuses } from "../../src/status/status.js";
import type { Store } from "../../src/store/store.js";
import { certificateFile, type Manifest, secret, service } from "./backend.js";
import { parseCase, platform } from "./compile.js";

export const group = "gateway.networking.k8s.io";
export const controllerName = "isoline.dev/gateway-controller";
export const settings = {
  gateway: { controllerName, addressPool: "10.79.0.0/24", staticAddresses: ["10.80.0.0/24"] },
};
const all = { namespaces: { from: "All" } };
const text = (...manifests: readonly object[]): string =>
  manifests.map((one) => JSON.stringify(one)).join("\n---\n");
export const parse = (manifests: readonly object[], own: object = settings) =>
  parseCase(text(...manifests), JSON.stringify(own)).objects;
export const only = (manifest: object) => parseCase(text(manifest)).objects;

export const gatewayClass: Manifest = {
  apiVersion: `${group}/v1`,
  kind: "GatewayClass",
  metadata: { name: "isoline", generation: 4 },
  spec: { controllerName },
};
export const http: Manifest = { name: "http", port: 80, protocol: "HTTP", allowedRoutes: all };
export const https = (name: string, hostname?: string): Manifest => ({
  name,
  port: 443,
  protocol: "HTTPS",
  ...(hostname ? { hostname } : {}),
  tls: { certificateRefs: [{ name: "secure" }] },
  allowedRoutes: all,
});
export const pair = secret("infra", "secure", {
  "tls.crt": certificateFile("secure.crt"),
  "tls.key": certificateFile("secure.key"),
});
export const gateway = (
  name: string,
  listeners: readonly Manifest[],
  spec: Manifest = {},
  meta: Manifest = {},
): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: "Gateway",
  metadata: { namespace: "infra", name, generation: 2, ...meta },
  spec: { gatewayClassName: "isoline", listeners, ...spec },
});
export const route = (name: string, parent: Manifest | string, spec: Manifest = {}): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: "HTTPRoute",
  metadata: { namespace: "shop", name },
  spec: {
    parentRefs: [typeof parent === "string" ? { namespace: "infra", name: parent } : parent],
    rules: [{ backendRefs: [{ name: "app", port: 80 }] }],
    ...spec,
  },
});
export const app = service("shop", "app");

/** A status, or an entry of one. */
export type Shown = Record<string, unknown> & {
  readonly conditions?: readonly {
    type: string;
    status: string;
    reason: string;
    observedGeneration: number;
  }[];
  readonly listeners?: readonly Shown[];
  readonly parents?: readonly Shown[];
  readonly ancestors?: readonly Shown[];
};

export const statusOf = (store: Store, ref: string): Shown =>
  (statuses(store, settingsOf(store), 0, platform).find((one: ObjectStatus) => one.ref === ref)?.status ??
    {}) as Shown;
export const conditionsOf = ({ conditions = [] }: Shown): Record<string, string> =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));

/** A ListenerSet of the Gateway `infra/edge`. */
export const listenerSet = (name: string, listeners: readonly Manifest[], namespace = "infra"): Manifest => ({
  apiVersion: `${group}/v1`,
  kind: "ListenerSet",
  metadata: { namespace, name, generation: 3 },
  spec: { parentRef: { name: "edge", namespace: "infra" }, listeners },
});
