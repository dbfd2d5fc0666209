import type { V1EndpointSlice, V1Ingress, V1Secret, V1Service } from "@kubernetes/client-node";
import { describe, expect, it } from "vitest";
import { parseObject } from "../../src/schema/object.js";

/** Checks that the schemas accept objects with the types of the official client. */
const service: V1Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "app",
    namespace: "team",
    annotations: { "projectcontour.io/max-connections": "5", other: "x" },
  },
  spec: { type: "ClusterIP", clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80, targetPort: "web" }] },
};
const slice: V1EndpointSlice = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "app-1", namespace: "team", labels: { "kubernetes.io/service-name": "app" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: [{ addresses: ["10.0.0.2"] }, { addresses: ["10.0.0.3"], conditions: { ready: false } }],
};
const ingress: V1Ingress = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "app", namespace: "team" },
  spec: {
    ingressClassName: "isoline",
    rules: [
      {
        host: "app.example",
        http: {
          paths: [
            { pathType: "Prefix", path: "/", backend: { service: { name: "app", port: { name: "http" } } } },
          ],
        },
      },
    ],
  },
};
const secret: V1Secret = {
  apiVersion: "v1",
  kind: "Secret",
  type: "Opaque",
  metadata: { name: "ca", namespace: "team" },
  data: { "ca.crt": btoa("certificate"), "other.key": btoa("kept by nobody") },
};

describe("objects of @kubernetes/client-node's types", () => {
  it.each([service, slice, ingress, secret])("are parsed: $kind", (object) => {
    expect(parseObject(object)).toMatchObject({ object: { kind: object.kind, meta: { namespace: "team" } } });
  });

  it("keep readiness, ports and known annotations, and drop the rest", () => {
    expect(parseObject(slice)).toMatchObject({
      object: {
        spec: {
          service: "app",
          endpoints: [
            { addresses: ["10.0.0.2"], ready: true },
            { addresses: ["10.0.0.3"], ready: false },
          ],
        },
      },
    });
    expect(parseObject(service)).toMatchObject({
      object: { meta: { annotations: { "projectcontour.io/max-connections": "5" } } },
    });
    expect(JSON.stringify(parseObject(secret))).not.toContain("kept by nobody");
  });
});
