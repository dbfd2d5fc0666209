import { describe, expect, it } from "vitest";
import { parseSettings } from "../../src/schema/settings.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { parseCase, platform } from "../support/compile.js";

const yaml = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: isoline, generation: 2}
spec: {controllerName: example.test/controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra, generation: 7}
spec:
  gatewayClassName: isoline
  listeners:
  - {name: http, protocol: HTTP, port: 80, allowedRoutes: {namespaces: {from: All}}}
  - {name: same, protocol: HTTP, port: 8080}
  - {name: secure, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: nobody}]}}
  - {name: clash, protocol: TCP, port: 80}
  - name: kinds
    protocol: HTTP
    port: 9000
    allowedRoutes: {kinds: [{kind: HTTPRoute}, {kind: TCPRoute}]}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: sealed, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: good, namespace: default, generation: 3}
spec:
  parentRefs:
  - {name: edge, namespace: infra, sectionName: http}
  - {name: edge, namespace: infra, sectionName: same}
  - {name: edge, namespace: infra, sectionName: nothing}
  - {name: other, namespace: infra}
  hostnames: [good.test]
  rules:
  - {backendRefs: [{name: app, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: unresolved, namespace: default}
spec:
  parentRefs: [{name: edge, namespace: infra}]
  hostnames: [unresolved.test]
  rules:
  - backendRefs: [{name: nobody, port: 80}, {name: app, namespace: far, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /x}}]
    filters: [{type: ExtensionRef}]
    backendRefs: [{name: app, port: 80}]
  - matches: [{path: {value: /sealed}}]
    backendRefs: [{name: sealed, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: second, namespace: default}
spec:
  parentRefs: [{name: edge, namespace: infra, port: 80}]
  hostnames: [good.test]
  rules:
  - {backendRefs: [{name: app, port: 80}]}
  - {matches: [{path: {value: /free}}], backendRefs: [{name: app, port: 80}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: stranger, namespace: default}
spec: {parentRefs: [{name: other, namespace: infra}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: used, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: sealed}]
  validation: {hostname: app.test, caCertificateRefs: [{group: "", kind: ConfigMap, name: nobody}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: unused, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: nobody}]
  validation: {hostname: app.test, caCertificateRefs: [{group: "", kind: ConfigMap, name: nobody}]}
`;

interface Shown {
  readonly conditions: readonly { type: string; status: string; reason: string; message: string }[];
}

const { objects, findings } = parseCase(yaml);
const { settings } = parseSettings({
  gatewayRef: { namespace: "infra", name: "edge" },
  ingressStatusAddress: "192.0.2.1,edge.example",
});
const store = createMemoryStore();
update(store, [settings, ...objects], platform);
const all = new Map(
  statuses(store, settings.spec, 0, { others: findings, ...platform }).map((one) => [one.ref as string, one]),
);
const shortly = ({ conditions }: Shown): Record<string, string> =>
  Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
const statusOf = <T>(ref: string): T => all.get(ref)?.status as T;
const fine = { Accepted: "True Accepted", ResolvedRefs: "True ResolvedRefs" };

describe("statuses of the Gateway API", () => {
  it("the class is accepted", () => {
    expect(all.get("GatewayClass//isoline")).toMatchObject({
      apiVersion: "gateway.networking.k8s.io/v1",
      status: { conditions: [{ type: "Accepted", status: "True", observedGeneration: 2 }] },
    });
  });

  it("a Gateway tells of each listener, and has addresses", () => {
    const status = statusOf<Shown & { addresses: object; listeners: (Shown & Record<string, unknown>)[] }>(
      "Gateway/infra/edge",
    );
    expect(shortly(status)).toEqual({ Accepted: "True Accepted", Programmed: "False ListenersNotValid" });
    expect(status.addresses).toEqual([
      { type: "IPAddress", value: "192.0.2.1" },
      { type: "Hostname", value: "edge.example" },
    ]);
    const listeners = status.listeners.map((one) => [one.name, one.attachedRoutes, shortly(one)]);
    const good = { ...fine, Programmed: "True Programmed", Conflicted: "False NoConflicts" };
    const bad = { ...good, Programmed: "False Invalid" };
    expect(listeners).toEqual([
      ["http", 3, good],
      ["same", 0, good],
      ["secure", 0, { ...bad, ResolvedRefs: "False InvalidCertificateRef" }],
      ["clash", 0, { ...bad, Conflicted: "True ProtocolConflict" }],
      ["kinds", 0, { ...bad, ResolvedRefs: "False InvalidRouteKinds" }],
    ]);
    expect(status.listeners.at(-1)?.supportedKinds).toEqual([
      { group: "gateway.networking.k8s.io", kind: "HTTPRoute" },
    ]);
  });

  const parentsOf = (ref: string) =>
    statusOf<{ parents: (Shown & { parentRef: object; controllerName: string })[] }>(ref).parents;

  it("a route tells of each parent that is this Gateway", () => {
    const parents = parentsOf("HTTPRoute/default/good");
    const parentRef = {
      group: "gateway.networking.k8s.io",
      kind: "Gateway",
      namespace: "infra",
      name: "edge",
    };
    expect(parents.map((parent) => [parent.parentRef, shortly(parent)])).toEqual([
      [{ ...parentRef, sectionName: "http" }, fine],
      [
        { ...parentRef, sectionName: "same" },
        { ...fine, Accepted: "False NotAllowedByListeners" },
      ],
      [
        { ...parentRef, sectionName: "nothing" },
        { ...fine, Accepted: "False NoMatchingParent" },
      ],
    ]);
    expect(parents[0]).toMatchObject({ controllerName: "example.test/controller" });
    expect(parents[0]?.conditions[0]).toMatchObject({ observedGeneration: 3, message: "Accepted HTTPRoute" });
  });

  it("what is wrong with its rules", () => {
    const [parent] = parentsOf("HTTPRoute/default/unresolved");
    expect(parent && shortly(parent)).toEqual({
      Accepted: "False UnsupportedValue",
      ResolvedRefs: "False BackendNotFound",
    });
    const resolved = parent?.conditions.find(({ type }) => type === "ResolvedRefs")?.message;
    expect(resolved).toContain('spec.rules[0].backendRefs[0]: service "default/nobody" not found');
    expect(resolved).toContain("spec.rules[0].backendRefs[1].namespace: Service far/app must be");
  });

  it("rules that conflict with an older route, or one before by name", () => {
    const [parent] = parentsOf("HTTPRoute/default/second");
    expect(parent && shortly(parent)).toEqual({
      ...fine,
      PartiallyInvalid: "True RuleMatchPartiallyConflict",
    });
    expect(parent?.conditions.at(-1)?.message).toContain(
      "spec.rules[0]: host good.test: HTTPRoute/default/good",
    );
  });

  it("policies that count, and nothing of others", () => {
    const { ancestors } = statusOf<{ ancestors: (Shown & { ancestorRef: object })[] }>(
      "BackendTLSPolicy/default/used",
    );
    expect(ancestors.map(shortly)).toEqual([
      { Accepted: "False NoValidCACertificate", ResolvedRefs: "False InvalidCACertificateRef" },
    ]);
    expect([...all.keys()].sort()).toEqual([
      "BackendTLSPolicy/default/used",
      "Gateway/infra/edge",
      "GatewayClass//isoline",
      "HTTPRoute/default/good",
      "HTTPRoute/default/second",
      "HTTPRoute/default/unresolved",
    ]);
  });
});
