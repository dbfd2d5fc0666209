import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/schema/meta.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { clipped, joined } from "../../src/status/bounds.js";
import { type ObjectStatus, statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { httpProxy, ingressRoute, type Manifest, service } from "../support/backend.js";
import { platform } from "../support/compile.js";
import { gateway, gatewayRoute, gatewaySettings } from "../support/gateway.js";

/** Far below etcd's limit of 1.5 MB for an object with its status. */
const most = 200_000;
const long = (count: number): string => "x".repeat(count);
const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** The statuses of objects and of unreadable objects, by kind. */
function statusesOf(
  objects: readonly Manifest[],
  others: readonly Finding[] = [],
): Map<string, ObjectStatus> {
  const store = createMemoryStore();
  const settings = parseSettings({
    ...gatewaySettings,
    ingressStatusAddress: many(40, (i) => `192.0.2.${i}`).join(),
  });
  const parsed = objects.map((object) => parseObject(object));
  const read = parsed.flatMap((one) => ("object" in one ? [one.object] : []));
  const findings = parsed.flatMap((one) => ("findings" in one ? one.findings : []));
  update(store, [settings.settings, ...read], platform);
  const all = statuses(store, settings.settings.spec, 0, { ...platform, others: [...findings, ...others] });
  return new Map(all.map((one) => [one.kind, one]));
}

const bytesOf = (status: unknown): number => new TextEncoder().encode(JSON.stringify(status)).length;

const manyParents = {
  parentRefs: many(32, (i) => ({ namespace: "infra", name: "edge", sectionName: `l${i}` })),
};
const manyRefs = {
  rules: many(16, (r) => ({ backendRefs: many(16, (i) => ({ name: `${long(200)}-${r}-${i}`, port: 80 })) })),
};
const route = (kind: string, spec: Manifest): Manifest =>
  gatewayRoute(kind, "r", { ...spec, ...manyParents });
const listeners = gateway(
  ...many(64, (i) => ({
    name: `l${i}`,
    protocol: i % 2 === 0 ? "TCP" : "HTTPS",
    port: 80,
    hostname: `${long(60)}.${long(60)}.test`,
    allowedRoutes: { namespaces: { from: "All" }, kinds: many(8, (k) => ({ kind: `${long(50)}${k}` })) },
    tls: { certificateRefs: many(64, (c) => ({ name: `${long(200)}-${c}` })) },
  })),
);

describe("a status is bounded", () => {
  it.each<[string, readonly Manifest[]]>([
    [
      "HTTPProxy",
      [
        httpProxy("default", "p", {
          virtualhost: { fqdn: "p.test" },
          routes: many(3000, (i) => ({
            conditions: [{ prefix: `/${i}` }],
            services: [{ name: `${long(50)}-${i}`, port: 80 }],
          })),
        }),
      ],
    ],
    [
      "HTTPProxy",
      [
        httpProxy("default", "p", {
          virtualhost: { fqdn: "p.test" },
          routes: many(1000, () => ({ conditions: [{ prefix: long(4000) }], services: [] })),
        }),
      ],
    ],
    [
      "HTTPProxy",
      [
        httpProxy("default", "p", {
          virtualhost: { fqdn: "p.test" },
          ...Object.fromEntries(many(5000, (i) => [`field-${i}`, "\u0001\ud83d\ude00"])),
        }),
      ],
    ],
    [
      "IngressRoute",
      [
        ingressRoute("default", "p", {
          virtualhost: { fqdn: "p.test" },
          routes: many(1000, (i) => ({
            match: `/${long(2000)}${i}`,
            services: [{ name: long(5000), port: 80 }],
          })),
        }),
      ],
    ],
    [
      "ExtensionService",
      [
        {
          apiVersion: "projectcontour.io/v1alpha1",
          kind: "ExtensionService",
          metadata: { namespace: "default", name: "p" },
          spec: { services: many(1000, (i) => ({ name: `${long(200)}-${i}`, port: 80 })) },
        },
      ],
    ],
    ["Gateway", listeners],
    ["HTTPRoute", [...listeners, route("HTTPRoute", manyRefs)]],
    ["GRPCRoute", [...listeners, route("GRPCRoute", manyRefs)]],
    ["TLSRoute", [...listeners, route("TLSRoute", manyRefs)]],
    ["TCPRoute", [...listeners, route("TCPRoute", manyRefs)]],
    [
      "BackendTLSPolicy",
      [
        ...gateway({
          name: "http",
          protocol: "HTTP",
          port: 80,
          allowedRoutes: { namespaces: { from: "All" } },
        }),
        gatewayRoute("HTTPRoute", "r", { rules: [{ backendRefs: [{ name: "app", port: 80 }] }] }),
        service("default", "app"),
        {
          apiVersion: "gateway.networking.k8s.io/v1",
          kind: "BackendTLSPolicy",
          metadata: { namespace: "default", name: "p" },
          spec: {
            targetRefs: [{ group: "", kind: "Service", name: "app" }],
            validation: {
              hostname: "app.test",
              caCertificateRefs: many(8, (i) => ({
                group: "",
                kind: "ConfigMap",
                name: `${long(240)}-${i}`,
              })),
            },
          },
        },
      ],
    ],
  ])("for %s", (kind, objects) => {
    const status = statusesOf(objects).get(kind)?.status;
    expect(bytesOf(status)).toBeGreaterThan(50);
    expect(bytesOf(status)).toBeLessThan(most);
  });

  it.each(["HTTPProxy", "IngressRoute", "ExtensionService"] as const)(
    "of a %s that can't be read",
    (kind) => {
      const finding = (i: number): Finding => ({
        about: `${kind}/default/p`,
        severity: i % 2 ? "error" : "warning",
        type: "SchemaError",
        reason: "Invalid",
        message: `${i} ${"\u4e16".repeat(50_000)}`,
        path: long(50_000),
      });
      const { status } = statusesOf([], many(2000, finding)).get(kind) ?? {};
      expect(bytesOf(status)).toBeGreaterThan(50);
      expect(bytesOf(status)).toBeLessThan(most);
    },
  );

  it("has the number of omitted errors", () => {
    const proxy = httpProxy("default", "p", {
      virtualhost: { fqdn: "p.test" },
      routes: many(40, (i) => ({
        conditions: [{ prefix: `/${i}` }],
        services: [{ name: `s${i}`, port: 80 }],
      })),
    });
    const { conditions } = (statusesOf([proxy]).get("HTTPProxy")?.status ?? {}) as {
      conditions: { errors: { reason: string; message: string }[] }[];
    };
    const errors = conditions[0]?.errors ?? [];
    expect(errors).toHaveLength(26);
    expect(errors.at(-1)).toEqual({
      type: "Truncated",
      status: "True",
      reason: "TooMany",
      message: "and 15 more errors; `isoline check` and the server's /status list all",
    });
  });
});

describe("texts of a status", () => {
  it("are truncated between characters", () => {
    expect(clipped("x".repeat(1024))).toHaveLength(1024);
    expect(clipped("x".repeat(1025))).toBe(`${"x".repeat(1023)}…`);
    expect(clipped(`${"x".repeat(1022)}\u{1f600}${"x".repeat(9)}`)).toBe(`${"x".repeat(1022)}…`);
  });

  it("are joined up to the limit, each once", () => {
    expect(joined(["a", "b", "a"])).toBe("a, b");
    expect(joined(["a".repeat(600), "b".repeat(600), "c"])).toBe(`${"a".repeat(600)}, and 2 more`);
    expect(joined(["a".repeat(2000), "b"])).toBe(`${"a".repeat(1023)}…, and 1 more`);
    expect(joined([])).toBe("");
  });
});
