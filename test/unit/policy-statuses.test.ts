import { expect, it } from "vitest";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { certificateFile, type Manifest, secret, service } from "../support/backend.js";
import { parseCase, platform } from "../support/compile.js";
import { classListener, classSettings, gatewayAt, gatewayClass, routeOf } from "../support/gateways.js";
import { KeptStatuses } from "../support/kept-statuses.js";

const policy = (name: string, minute: number, services: readonly string[], ca: string): Manifest => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "BackendTLSPolicy",
  metadata: { namespace: "shop", name, creationTimestamp: `2026-01-01T00:${10 + minute}:00Z` },
  spec: {
    targetRefs: services.map((one) => ({ group: "", kind: "Service", name: one })),
    validation: { hostname: "app.test", caCertificateRefs: [{ group: "", kind: "Secret", name: ca }] },
  },
});

const ca = (name: string): Manifest => secret("shop", name, { "ca.crt": certificateFile("ca.crt") });

it.each([
  ["the CA of a policy that an older one replaces", ca("later")],
  ["an older policy for another of its Services", policy("first", 0, ["unused"], "ca")],
])("%s is part of the status of a BackendTLSPolicy", (_, change) => {
  const store = createMemoryStore();
  const kept = new KeptStatuses(store);
  const parse = (...manifests: readonly Manifest[]) =>
    manifests.flatMap((one) => parseCase(JSON.stringify(one)).objects);
  const objects = parse(
    gatewayClass(),
    gatewayAt("edge", "10.80.0.1", [classListener("http", "HTTP", 80)]),
    service("shop", "web"),
    routeOf("HTTPRoute", "web", ["edge"], "web"),
    ca("ca"),
    policy("old", 1, ["web"], "ca"),
    policy("new", 2, ["web", "unused"], "later"),
  );
  kept.take(update(store, [...objects, ...parseCase("", JSON.stringify(classSettings)).objects], platform));
  const before = JSON.stringify(kept.all);
  kept.take(update(store, parse(change), platform));
  expect(kept.all).toEqual(statuses(store, settingsOf(store), 0, platform));
  expect(JSON.stringify(kept.all)).not.toBe(before);
});
