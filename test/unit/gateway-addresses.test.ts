import { describe, expect, it } from "vitest";
import { listenersIn } from "../../src/explain/served-hosts.js";
import { link } from "../../src/link/snapshot.js";
import type { KubeObject } from "../../src/schema/object.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { statuses } from "../../src/status/status.js";
import type { Manifest } from "../support/backend.js";
import { compileAll, parseCase, platform } from "../support/compile.js";
import { classListener, controllerName, gatewayClass } from "../support/gateways.js";

const settings = {
  gateway: {
    controllerName,
    addressPool: "10.80.1.0/30",
    staticAddresses: ["10.80.0.0/24", "10.80.1.0/30", "fd00::/64", "fe80::/10"],
  },
};

/** A Gateway that was created at a minute. */
const gatewayOf = (
  name: string,
  minute: number,
  addresses: readonly string[],
  listeners: readonly Manifest[],
): Manifest => {
  const [namespace, own] = name.split("/");
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { namespace, name: own, creationTimestamp: `2026-01-01T00:${10 + minute}:00Z` },
    spec: { gatewayClassName: "isoline", addresses: addresses.map((value) => ({ value })), listeners },
  };
};

const http = (port: number): Manifest => classListener(`http-${port}`, "HTTP", port);
const udp = (port: number): Manifest => classListener(`udp-${port}`, "UDP", port);

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

interface Result {
  /** `address:port` of each of Envoy's listeners by name. */
  readonly listeners: Readonly<Record<string, string>>;
  gateway(name: string): readonly string[];
  listener(name: string, listener: string): readonly string[];
}

function compiled(...manifests: readonly Manifest[]): Result {
  const objects: KubeObject[] = [gatewayClass(), ...manifests].flatMap(
    (one) => parseCase(JSON.stringify(one)).objects,
  );
  const store = compileAll([...objects, ...parseCase("", JSON.stringify(settings)).objects]);
  const { sets } = link(store, settingsOf(store));
  const listeners = [...listenersIn(sets.listeners)].flatMap(([name, { address }]) => {
    const { address: ip, port_value: port } = address?.socket_address ?? {};
    return name.includes("/") ? [[name, `${ip}:${port}`] as const] : [];
  });
  const all = statuses(store, settingsOf(store), 0, platform);
  const statusOf = (name: string) =>
    all.find(({ ref }) => ref === `Gateway/${name}`)?.status as unknown as {
      readonly conditions: readonly Condition[];
      readonly listeners: readonly { readonly name: string; readonly conditions: readonly Condition[] }[];
    };
  const bad = (conditions: readonly Condition[] = []): string[] =>
    conditions
      .filter(({ type, status }) => status === "False" && type !== "Conflicted")
      .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  return {
    listeners: Object.fromEntries(listeners),
    gateway: (name) => bad(statusOf(name)?.conditions),
    listener: (name, own) => bad(statusOf(name)?.listeners.find((one) => one.name === own)?.conditions),
  };
}

describe("an address of several Gateways", () => {
  it("belongs to the oldest one, whatever another namespace asks for", () => {
    const found = compiled(
      gatewayOf("infra/zone", 1, ["10.80.0.1"], [http(443)]),
      gatewayOf("evil/a", 2, ["10.80.0.1"], [http(443), http(80)]),
    );
    expect(found.listeners).toEqual({ "infra/zone/http-443": "10.80.0.1:443" });
    expect(found.gateway("evil/a").join()).toMatch(/Programmed AddressNotUsable: .*Gateway infra\/zone/);
    expect(found.gateway("infra/zone")).toEqual([]);
  });

  it("is shared in a namespace, where a port belongs to the oldest one", () => {
    const found = compiled(
      gatewayOf("infra/old", 1, ["10.80.0.1"], [http(80)]),
      gatewayOf("infra/new", 2, ["10.80.0.1"], [http(80), http(81), udp(80)]),
    );
    expect(found.listeners).toEqual({
      "infra/old/http-80": "10.80.0.1:80",
      "infra/new/http-81": "10.80.0.1:81",
    });
    expect(found.listener("infra/new", "http-80").join()).toMatch(
      /Accepted PortUnavailable: port 80 of address 10\.80\.0\.1 is in use by a listener of Gateway infra\/old/,
    );
    expect(found.listener("infra/new", "http-81")).toEqual([]);
    expect(found.listener("infra/new", "udp-80")).toEqual([]);
  });

  it("is free where the older Gateway is not served at it", () => {
    const found = compiled(
      gatewayOf("one/a", 1, ["10.80.0.1"], [http(80)]),
      gatewayOf("two/b", 2, ["10.80.0.1", "10.80.0.2"], [http(80)]),
      gatewayOf("three/c", 3, ["10.80.0.2"], [http(80)]),
    );
    expect(Object.keys(found.listeners).sort()).toEqual(["one/a/http-80", "three/c/http-80"]);
  });

  it("of the pool stays with the Gateway that has it when a younger one asks for it", () => {
    const pooled = gatewayOf("infra/pooled", 1, [], [http(80)]);
    const own = compiled(pooled).listeners["infra/pooled/http-80"] ?? "";
    const [address = ""] = own.split(":");
    const later = compiled(pooled, gatewayOf("evil/a", 2, [address], [http(80), http(81)]));
    expect(later.listeners).toEqual({ "infra/pooled/http-80": own });
    const earlier = compiled(pooled, gatewayOf("infra/asks", 0, [address], [http(80)]));
    expect(earlier.listeners["infra/asks/http-80"]).toBe(own);
    expect(earlier.listeners["infra/pooled/http-80"]).not.toBe(own);
    expect(earlier.listeners["infra/pooled/http-80"]).toMatch(/^10\.80\.1\./);
  });

  it.each(["10.80.0", "0x0a500001", "010.80.0.1", "10.80.0.1%eth0", "FD00::1", "fd00:0::1", "fe80::1%eth0"])(
    "%s is refused: Envoy takes addresses in their usual form alone",
    (address) => {
      const found = compiled(gatewayOf("infra/odd", 1, [address], [http(80)]));
      expect(found.listeners).toEqual({});
      expect(found.gateway("infra/odd").join()).toMatch(/Programmed AddressNotUsable/);
    },
  );

  it("in its usual form is served, of IPv6 too", () => {
    expect(compiled(gatewayOf("infra/six", 1, ["fd00::1"], [http(80)])).listeners).toEqual({
      "infra/six/http-80": "fd00::1:80",
    });
  });
});
