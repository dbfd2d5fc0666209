import { describe, expect, it } from "vitest";
import { envoyPort, familyOf, portProblem } from "../../src/graph/api/gateway/ports.js";
import type { Listener } from "../../src/schema/gateway.js";
import { parseObject } from "../../src/schema/object.js";
import { defaultSettings, parseSettings, type SettingsSpec } from "../../src/schema/settings.js";
import { fc } from "../support/fast-check.js";

type Fields = readonly [protocol: string, port: number, hostname?: string];

function listenersOf(all: readonly Fields[]): readonly Listener[] {
  const parsed = parseObject({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "contour", namespace: "projectcontour" },
    spec: {
      gatewayClassName: "contour",
      listeners: all.map(([protocol, port, hostname = ""], i) => ({
        name: `l${i}`,
        protocol,
        port,
        hostname,
      })),
    },
  });
  if (!("object" in parsed) || parsed.object.kind !== "Gateway") throw new Error(JSON.stringify(parsed));
  return parsed.object.spec.listeners;
}

/** The reason for each listener; "" where it can be. */
function reasons(all: readonly Fields[], settings: SettingsSpec = defaultSettings): string[] {
  const good: Listener[] = [];
  return listenersOf(all).map((one) => {
    const problem = portProblem(one, good, settings, settings.http3.enabled);
    if (!problem) good.push(one);
    return problem?.reason ?? "";
  });
}

const settingsOf = (fields: object): SettingsSpec => parseSettings(fields).settings.spec;
const everyPort = Array.from({ length: 65535 }, (_, i) => i + 1);

describe("the port of Envoy for a port of a Gateway", () => {
  it.each([
    [1, 8001],
    [80, 8080],
    [443, 8443],
    [57535, 65535],
    [57536, 1024],
    [58558, 2046],
    [58559, 1024],
    [59581, 2046],
    [59582, 2047],
    [65535, 8000],
  ])("is for %i %i", (port, expected) => {
    expect(envoyPort(port)).toBe(expected);
  });

  it("needs no privileges and is a port", () => {
    expect(everyPort.map(envoyPort).filter((port) => !(port >= 1024 && port <= 65535))).toEqual([]);
  });

  it("is that of Contour", () => {
    const contours = (port: number): number => {
      let moved = port + 8000;
      if (moved > 65535) moved -= 65535;
      if (moved <= 1023) moved += 1023;
      return moved;
    };
    expect(everyPort.filter((port) => envoyPort(port) !== contours(port))).toEqual([]);
  });

  it("is the same for two ports only where the privileged ones are moved to", () => {
    const seen = new Map<number, number[]>();
    for (const port of everyPort) seen.set(envoyPort(port), [...(seen.get(envoyPort(port)) ?? []), port]);
    const shared = [...seen.values()].filter((ports) => ports.length > 1);
    expect(shared).toEqual(Array.from({ length: 1023 }, (_, i) => [57536 + i, 58559 + i]));
  });
});

it.each<[string, string | undefined]>([
  ["HTTP", "http"],
  ["HTTPS", "https"],
  ["TLS", "https"],
  ["projectcontour.io/https", "https"],
  ["TCP", "tcp"],
  ["UDP", "udp"],
  ["SCTP", undefined],
  ["http", undefined],
  ["example.com/http", undefined],
])("protocol %s is of the family %s", (protocol, family) => {
  const [listener] = listenersOf([[protocol, 80]]);
  expect(listener && familyOf(listener)).toBe(family);
});

describe("listeners beside each other", () => {
  it.each<[string, Fields[], string[]]>([
    ["one alone", [["HTTP", 80]], [""]],
    [
      "hosts on one port",
      [
        ["HTTP", 80, "a.test"],
        ["HTTP", 80, "*.a.test"],
        ["HTTP", 80],
      ],
      ["", "", ""],
    ],
    [
      "one host on two ports",
      [
        ["HTTP", 80, "a.test"],
        ["HTTP", 81, "a.test"],
      ],
      ["", ""],
    ],
    [
      "one host twice, however it is written",
      [
        ["HTTP", 80, "a.test"],
        ["HTTP", 80, "A.test"],
      ],
      ["", "HostnameConflict"],
    ],
    [
      "any host twice",
      [
        ["HTTPS", 443],
        ["HTTPS", 443],
      ],
      ["", "HostnameConflict"],
    ],
    [
      "protocols of TLS on one port",
      [
        ["HTTPS", 443, "a.test"],
        ["TLS", 443, "b.test"],
        ["projectcontour.io/https", 443],
      ],
      ["", "", ""],
    ],
    [
      "protocols of TLS for one host",
      [
        ["HTTPS", 443, "a.test"],
        ["TLS", 443, "a.test"],
      ],
      ["", "HostnameConflict"],
    ],
    [
      "plain HTTP on a port of TLS",
      [
        ["HTTPS", 443, "a.test"],
        ["HTTP", 443, "b.test"],
      ],
      ["", "ProtocolConflict"],
    ],
    [
      "TCP on a port of HTTP",
      [
        ["HTTP", 80],
        ["TCP", 80],
      ],
      ["", "ProtocolConflict"],
    ],
    [
      "TCP twice, even with hostnames",
      [
        ["TCP", 80, "a.test"],
        ["TCP", 80, "b.test"],
      ],
      ["", "HostnameConflict"],
    ],
    [
      "two ports that are one of Envoy",
      [
        ["HTTP", 57536],
        ["HTTP", 58559, "a.test"],
      ],
      ["", "PortUnavailable"],
    ],
    [
      "an unknown protocol",
      [
        ["DCCP", 53],
        ["SCTP", 53],
      ],
      ["UnsupportedProtocol", "UnsupportedProtocol"],
    ],
    [
      "UDP beside TCP on one port",
      [
        ["UDP", 53],
        ["TCP", 53],
        ["UDP", 53],
      ],
      ["", "", "HostnameConflict"],
    ],
  ])("%s", (_, listeners, expected) => {
    expect(reasons(listeners)).toEqual(expected);
  });

  it.each<[object, number, string]>([
    [{}, 8002, "PortUnavailable"],
    [{}, 8443, ""],
    [{ stats: { port: 9000 } }, 8002, ""],
    [{ stats: { port: 9000 } }, 9000, "PortUnavailable"],
    [{}, 9001, "PortUnavailable"],
    [{ health: { port: 9006 } }, 9006, "PortUnavailable"],
    [{ metrics: { port: 9002 } }, 9002, "PortUnavailable"],
    [{ omEnforcedHealth: { port: 9003 } }, 9003, "PortUnavailable"],
    [{ http: { port: 9004 }, https: { port: 9005 } }, 9004, ""],
  ])("with settings %j, Envoy's port %i: %s", (settings, port, reason) => {
    expect(reasons([["HTTP", port - 8000]], settingsOf(settings))).toEqual([reason]);
  });

  it("can all be served at once, those that can be at all", () => {
    const fields = fc.tuple(
      fc.constantFrom("HTTP", "HTTPS", "TLS", "TCP", "projectcontour.io/https", "UDP"),
      fc.constantFrom(2, 80, 443, 57536, 58559),
      fc.constantFrom("", "a.test", "*.a.test"),
    );
    fc.assert(
      fc.property(fc.array(fields, { minLength: 1, maxLength: 8 }), (all) => {
        const told = reasons(all);
        const good = listenersOf(all).filter((_, i) => told[i] === "");
        for (const [i, one] of good.entries()) {
          expect(envoyPort(one.port)).not.toBe(8002);
          for (const other of good.slice(0, i)) {
            if (familyOf(one) !== "udp" && familyOf(other) !== "udp")
              expect(envoyPort(one.port) === envoyPort(other.port)).toBe(one.port === other.port);
            if (one.port !== other.port || (familyOf(one) === "udp") !== (familyOf(other) === "udp"))
              continue;
            expect(familyOf(one)).toBe(familyOf(other));
            expect([familyOf(one), one.hostname]).not.toEqual(["tcp", other.hostname]);
            expect(one.hostname).not.toBe(other.hostname);
          }
        }
      }),
    );
  });

  it.each<[string, Fields[], string[]]>([
    [
      "of SCTP",
      [
        ["SCTP", 443],
        ["HTTPS", 443],
      ],
      ["UnsupportedProtocol", ""],
    ],
    [
      "in conflict with one before it",
      [
        ["HTTP", 80, "a.test"],
        ["TCP", 80],
        ["HTTP", 80, "b.test"],
      ],
      ["", "ProtocolConflict", ""],
    ],
  ])("one that can't be served costs those after it nothing: %s", (_, listeners, expected) => {
    expect(reasons(listeners)).toEqual(expected);
  });
});
