import { describe, expect, it } from "vitest";
import { orphanFindings } from "../../src/graph/core/orphan.js";
import { parseSettings } from "../../src/schema/settings.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { parseCase, platform } from "../support/compile.js";

const yaml = `
apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: good, namespace: default, generation: 7}
spec:
  virtualhost: {fqdn: good.test}
  includes: [{name: child, conditions: [{prefix: /child}]}]
  routes: [{services: [{name: app, port: 80}]}]
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: child, namespace: default}
spec: {routes: [{services: [{name: app, port: 80}]}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: orphan, namespace: default}
spec: {routes: [{services: [{name: app, port: 80}]}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: bad, namespace: default, generation: 2}
spec:
  virtualhost: {fqdn: bad.test}
  routes:
    - services: [{name: nowhere, port: 80}]
    - conditions: [{prefix: /hash}]
      services: [{name: app, port: 80}]
      loadBalancerPolicy: {strategy: RequestHash, requestHashPolicies: [{terminal: true}]}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: unreadable, namespace: default}
spec: {virtualhost: {fqdn: 7}}
---
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: foreign, namespace: default}
spec: {ingressClassName: other, virtualhost: {fqdn: foreign.test}}
---
apiVersion: contour.heptio.com/v1beta1
kind: IngressRoute
metadata: {name: route, namespace: default}
spec: {virtualhost: {fqdn: route.test}, routes: [{match: /, services: [{name: app, port: 80}]}]}
---
apiVersion: contour.heptio.com/v1beta1
kind: IngressRoute
metadata: {name: lost, namespace: default}
spec: {routes: [{match: /, services: [{name: app, port: 80}]}]}
---
apiVersion: contour.heptio.com/v1beta1
kind: IngressRoute
metadata: {name: wrong, namespace: default}
spec: {virtualhost: {fqdn: wrong.test}, routes: [{match: /, services: [{name: nowhere, port: 80}]}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ingress, namespace: default}
spec: {defaultBackend: {service: {name: app, port: {number: 80}}}}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: fine, namespace: default, generation: 3}
spec: {services: [{name: app, port: 80}]}
---
apiVersion: projectcontour.io/v1alpha1
kind: ExtensionService
metadata: {name: broken, namespace: default}
spec: {services: [{name: nowhere, port: 80}]}
`;

const { objects, findings } = parseCase(yaml);
const { settings } = parseSettings({ ingressStatusAddress: "192.0.2.1, edge.example ,2001:db8::1" });
const store = createMemoryStore();
update(store, [settings, ...objects], platform);
const all = new Map(
  statuses(store, settings.spec, 0, { others: findings, ...platform }).map(({ ref, ...status }) => [
    ref as string,
    status,
  ]),
);
const loadBalancer = {
  ingress: [{ ip: "192.0.2.1" }, { hostname: "edge.example" }, { ip: "2001:db8::1" }],
};
const errors = { reason: "ErrorPresent", message: "At least one error present, see Errors for details" };

describe("status", () => {
  it("reports a valid HTTPProxy", () => {
    expect(all.get("HTTPProxy/default/good")).toEqual({
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata: { namespace: "default", name: "good" },
      status: {
        currentStatus: "valid",
        description: "Valid HTTPProxy",
        conditions: [
          {
            type: "Valid",
            status: "True",
            observedGeneration: 7,
            reason: "Valid",
            message: "Valid HTTPProxy",
          },
        ],
        loadBalancer,
      },
    });
    expect(all.get("HTTPProxy/default/child")?.status.currentStatus).toBe("valid");
  });

  it("lists each error and warning of an invalid HTTPProxy", () => {
    expect(all.get("HTTPProxy/default/bad")?.status).toMatchObject({
      currentStatus: "invalid",
      description: errors.message,
      conditions: [
        {
          status: "False",
          observedGeneration: 2,
          ...errors,
          errors: [{ type: "ServiceError", status: "True", reason: "ServiceUnresolvedReference" }],
          warnings: [
            { type: "SpecError", status: "True", reason: "IgnoredField" },
            { type: "SpecError", status: "True", reason: "IgnoredField" },
          ],
        },
      ],
    });
  });

  it("reports an HTTPProxy that can't be read", () => {
    expect(all.get("HTTPProxy/default/unreadable")?.status).toMatchObject({
      currentStatus: "invalid",
      conditions: [{ status: "False", errors: [{ type: "SchemaError" }] }],
    });
  });

  it("reports orphans, which are findings too", () => {
    const message = "this HTTPProxy is not part of a delegation chain from a root HTTPProxy";
    expect(all.get("HTTPProxy/default/orphan")?.status).toMatchObject({
      currentStatus: "orphaned",
      description: message,
      conditions: [{ status: "False", errors: [{ type: "Orphaned", reason: "Orphaned", message }] }],
    });
    expect(all.get("IngressRoute/default/lost")?.status).toMatchObject({ currentStatus: "orphaned" });
    expect(
      orphanFindings(store, settings.spec)
        .map(({ about }) => about)
        .sort(),
    ).toEqual(["HTTPProxy/default/orphan", "IngressRoute/default/lost"]);
  });

  it("has one word and the first error for IngressRoutes", () => {
    expect(all.get("IngressRoute/default/route")?.status).toEqual({
      currentStatus: "valid",
      description: "valid IngressRoute",
      loadBalancer,
    });
    expect(all.get("IngressRoute/default/wrong")?.status).toMatchObject({
      currentStatus: "invalid",
      description: "Service [nowhere:80] is invalid or missing",
    });
  });

  it("has the addresses for Ingresses", () => {
    expect(all.get("Ingress/default/ingress")?.status).toEqual({ loadBalancer });
  });

  it("reports ExtensionServices", () => {
    expect(all.get("ExtensionService/default/fine")?.status).toMatchObject({
      conditions: [{ status: "True", observedGeneration: 3, message: "Valid ExtensionService" }],
    });
    expect(all.get("ExtensionService/default/broken")?.status).toMatchObject({
      conditions: [{ status: "False", ...errors, errors: [{ reason: "ServiceUnresolvedReference" }] }],
    });
  });

  it("reports ExtensionServices of any ingress class", () => {
    const { settings: other } = parseSettings({ ingressClassNames: ["other"] });
    const refs = statuses(store, other.spec, 0, { ...platform }).map(({ ref }) => ref);
    expect(refs).toContain("ExtensionService/default/broken");
    expect(refs).not.toContain("Ingress/default/ingress");
  });

  it("is not reported for objects of another class", () => {
    expect([...all.keys()].filter((ref) => ref.includes("foreign"))).toEqual([]);
  });
});
