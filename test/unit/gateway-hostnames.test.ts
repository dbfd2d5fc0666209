import { describe, expect, it } from "vitest";
import { hostsOf, isUnder } from "../../src/graph/api/gateway/hostnames.js";
import { fc } from "../support/fast-check.js";

/** Of few labels, so that names often meet. */
const label = fc.constantFrom("a", "b", "ab");
const dnsName = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const hostname = fc.tuple(fc.boolean(), dnsName).map(([wild, name]) => (wild ? `*.${name}` : name));
const listener = fc.oneof(fc.constant(""), hostname);
const meeting = fc.record({
  hostnames: fc.array(hostname, { maxLength: 4 }),
  listener,
  rivals: fc.uniqueArray(hostname, { maxLength: 4 }),
});

/** By the labels, not by the text: whether all names that `host` stands for are those of `hostname`, too. */
function isWithin(host: string, hostname: string): boolean {
  if (hostname === "" || hostname === host) return true;
  if (!hostname.startsWith("*.")) return false;
  const suffix = hostname.slice(2).split(".");
  const labels = host.split(".");
  return labels.length > suffix.length && labels.slice(-suffix.length).join(".") === suffix.join(".");
}

describe("isUnder", () => {
  it.each<[string, string, boolean]>([
    ["a.test", "*.test", true],
    ["a.b.test", "*.test", true],
    ["test", "*.test", false],
    [".test", "*.test", false],
    ["atest", "*.test", false],
    ["a.test", "a.test", false],
    ["*.test", "*.test", true],
    ["*.a.test", "*.test", true],
    ["*.test", "*.a.test", false],
    ["xa.test", "*.a.test", false],
    ["a.test.b", "*.test", false],
    ["a.test", "", false],
    ["a.test", "*", false],
    ["", "*.test", false],
  ])("%s under %s: %s", (name, wildcard, expected) => {
    expect(isUnder(name, wildcard)).toBe(expected);
  });

  it("counts whole labels", () => {
    fc.assert(
      fc.property(hostname, hostname, (name, wildcard) => {
        expect(isUnder(name, wildcard)).toBe(wildcard.startsWith("*.") && isWithin(name, wildcard));
      }),
    );
  });
});

describe("the hosts of a route on a listener", () => {
  it.each<[string, string[], string, string[]]>([
    ["both say nothing", [], "", ["*"]],
    ["the listener alone says something", [], "a.test", ["a.test"]],
    ["the listener is a wildcard and the route says nothing", [], "*.test", ["*.test"]],
    ["the route alone says something", ["a.test", "*.b.test"], "", ["a.test", "*.b.test"]],
    ["they are the same", ["a.test"], "a.test", ["a.test"]],
    ["they are the same wildcard", ["*.test"], "*.test", ["*.test"]],
    ["they differ", ["a.test"], "b.test", []],
    ["the listener is wider", ["a.test", "a.b.test", "test"], "*.test", ["a.test", "a.b.test"]],
    ["the route is wider", ["*.test"], "a.b.test", ["a.b.test"]],
    ["the route is a wider wildcard", ["*.test"], "*.b.test", ["*.b.test"]],
    ["the route is a closer wildcard", ["*.b.test"], "*.test", ["*.b.test"]],
    ["two hostnames lead to the same", ["*.test", "*.b.test"], "a.b.test", ["a.b.test"]],
    ["a hostname is there twice", ["a.test", "a.test"], "", ["a.test"]],
    ["a wildcard does not hold for its own suffix", ["*.test"], "test", []],
  ])("when %s", (_, hostnames, listener, hosts) => {
    expect(hostsOf(hostnames, { listener, rivals: new Set() })).toEqual(hosts);
  });

  it.each<[string, string[], string, string[], string[]]>([
    ["a listener of that very name has it", ["a.test", "b.test"], "", ["a.test"], ["b.test"]],
    ["a closer wildcard has it", ["a.b.test"], "*.test", ["*.b.test"], []],
    ["a wider wildcard does not", ["a.b.test"], "*.b.test", ["*.test"], ["a.b.test"]],
    ["any wildcard has it before the listener for all", ["a.test", "*.test"], "", ["*.test"], []],
    ["what a wildcard holds beside stays", ["*.test"], "", ["a.test"], ["*.test"]],
    ["a listener's own name is its own", ["*.test"], "a.b.test", ["*.b.test"], ["a.b.test"]],
    ["so is its own wildcard", ["*.b.test"], "*.b.test", ["a.b.test", "*.c.b.test"], ["*.b.test"]],
    ["a route without hostnames has what the listener has", [], "*.test", ["a.test"], ["*.test"]],
  ])("when there are others: %s", (_, hostnames, listener, rivals, hosts) => {
    expect(hostsOf(hostnames, { listener, rivals: new Set(rivals) })).toEqual(hosts);
  });

  it("are under a hostname of both, and each is there once", () => {
    fc.assert(
      fc.property(meeting, ({ hostnames, listener, rivals }) => {
        const hosts = hostsOf(hostnames, { listener, rivals: new Set(rivals) });
        expect(new Set(hosts).size).toBe(hosts.length);
        for (const host of hosts) {
          if (host !== "*") expect(isWithin(host, listener)).toBe(true);
          else expect([hostnames.length, listener]).toEqual([0, ""]);
          expect(hostnames.length === 0 || hostnames.some((one) => isWithin(host, one))).toBe(true);
        }
      }),
    );
  });

  it("leave out no hostname of the route that the listener has, but to a closer listener", () => {
    fc.assert(
      fc.property(meeting, ({ hostnames, listener, rivals }) => {
        const hosts = hostsOf(hostnames, { listener, rivals: new Set(rivals) });
        for (const one of hostnames) {
          if (!isWithin(one, listener) || hosts.includes(one)) continue;
          expect(rivals.some((rival) => isWithin(one, rival) && rival !== listener)).toBe(true);
        }
      }),
    );
  });

  it("are of one listener where each of two keeps its own to itself", () => {
    const two = fc.tuple(fc.array(hostname, { minLength: 1, maxLength: 4 }), listener, listener);
    fc.assert(
      fc.property(two, ([hostnames, one, other]) => {
        if (one === other) return;
        const on = (own: string, rival: string): readonly string[] =>
          hostsOf(hostnames, { listener: own, rivals: new Set(rival ? [rival] : []) });
        const shared = on(one, other).filter((host) => on(other, one).includes(host));
        expect(shared).toEqual([]);
      }),
    );
  });

  it("do not depend on the order in which hostnames and listeners are given", () => {
    fc.assert(
      fc.property(meeting, ({ hostnames, listener, rivals }) => {
        const back = { listener, rivals: new Set([...rivals].reverse()) };
        expect([...hostsOf([...hostnames].reverse(), back)].sort()).toEqual(
          [...hostsOf(hostnames, { listener, rivals: new Set(rivals) })].sort(),
        );
      }),
    );
  });

  it("are found in any text without a fault", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string()),
        fc.string(),
        fc.array(fc.string()),
        (hostnames, listener, rivals) => {
          expect(hostsOf(hostnames, { listener, rivals: new Set(rivals) }).length).toBeLessThanOrEqual(
            hostnames.length + 1,
          );
        },
      ),
    );
  });
});
