import { describe, expect, it } from "vitest";
import { isGranted, type Reference } from "../../src/graph/api/gateway/grants.js";
import { claimsOf } from "../../src/graph/core/claims.js";
import type { Reader } from "../../src/graph/core/reader.js";
import { StoreCache, UnitCache } from "../../src/schema/compile-cache.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { fc } from "../support/fast-check.js";

const gatewayGroup = "gateway.networking.k8s.io";

interface Grant {
  readonly name: string;
  readonly namespace: string;
  readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}

function objectOf({ name, namespace, from, to }: Grant): KubeObject {
  const parsed = parseObject({
    apiVersion: `${gatewayGroup}/v1beta1`,
    kind: "ReferenceGrant",
    metadata: { name, namespace },
    spec: { from, to },
  });
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
}

function readerOf(grants: readonly Grant[]): Reader {
  const objects = grants.map(objectOf);
  return {
    settings: defaultSettings,
    cache: new StoreCache(),
    unitCache: new UnitCache(),
    get: (kind, namespace, name) =>
      objects.find(({ ref }) => ref === `${kind}/${namespace}/${name}`) as undefined,
    claimants: (key) => objects.filter((object) => claimsOf(object).includes(key)).map(({ ref }) => ref),
    shared(find, _key, ...args) {
      return find(this, ...args);
    },
    need: () => undefined,
    overrun: () => undefined,
    checkKeyPair: () => undefined,
  };
}

const reference = (from: string, to: string, kind = "HTTPRoute"): Reference => ({
  from: { kind, namespace: from },
  to: { kind: "Service", namespace: to, name: "app" },
});
const grant = (fields: Partial<Grant>): Grant => ({
  name: "grant",
  namespace: "shop",
  from: [{ group: gatewayGroup, kind: "HTTPRoute", namespace: "default" }],
  to: [{ group: "", kind: "Service" }],
  ...fields,
});

describe("isGranted", () => {
  it.each<[string, boolean, Grant[], Reference]>([
    ["an object of one's own namespace", true, [], reference("shop", "shop")],
    ["an object of another namespace", false, [], reference("default", "shop")],
    ["what a grant there says", true, [grant({})], reference("default", "shop")],
    ["what a grant elsewhere says", false, [grant({ namespace: "default" })], reference("default", "shop")],
    ["what is granted to another namespace", false, [grant({})], reference("other", "shop")],
    ["what is granted to another kind", false, [grant({})], reference("default", "shop", "GRPCRoute")],
    [
      "an object by name",
      true,
      [grant({ to: [{ group: "", kind: "Service", name: "app" }] })],
      reference("default", "shop"),
    ],
    [
      "an object of another name",
      false,
      [grant({ to: [{ group: "", kind: "Service", name: "api" }] })],
      reference("default", "shop"),
    ],
    [
      "an empty name, which is any",
      true,
      [grant({ to: [{ group: "", kind: "Service", name: "" }] })],
      reference("default", "shop"),
    ],
    [
      "another kind of object",
      false,
      [grant({ to: [{ group: "", kind: "Secret" }] })],
      reference("default", "shop"),
    ],
    [
      "objects of another group",
      false,
      [grant({ to: [{ group: "example.com", kind: "Service" }] })],
      reference("default", "shop"),
    ],
    [
      "a namespace by a pattern",
      false,
      [grant({ from: [{ group: gatewayGroup, kind: "HTTPRoute", namespace: "*" }] })],
      reference("default", "shop"),
    ],
    [
      "two grants of which each says a half",
      false,
      [
        grant({ to: [{ group: "", kind: "Secret" }] }),
        grant({ name: "more", from: [{ group: gatewayGroup, kind: "Gateway", namespace: "default" }] }),
      ],
      reference("default", "shop"),
    ],
    [
      "the second of two grants",
      true,
      [grant({ to: [{ group: "", kind: "Secret" }] }), grant({ name: "more" })],
      reference("default", "shop"),
    ],
  ])("%s: %s", (_, expected, grants, asked) => {
    expect(isGranted(asked, readerOf(grants))).toBe(expected);
  });

  const namespace = fc.constantFrom("one", "two", "three");
  const group = fc.constantFrom("", gatewayGroup, "example.com");
  const kind = fc.constantFrom("HTTPRoute", "Gateway", "Service", "Secret");
  const name = fc.constantFrom("a", "b");
  const grants = fc.uniqueArray(
    fc.record({
      name,
      namespace,
      from: fc.array(fc.record({ group, kind, namespace }), { minLength: 1, maxLength: 2 }),
      to: fc.array(fc.record({ group, kind, name: fc.constantFrom("", "a", "b") }), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
    { selector: (one) => `${one.namespace}/${one.name}`, maxLength: 4 },
  );
  const asked: fc.Arbitrary<Reference> = fc.record({
    from: fc.record({ kind: fc.constantFrom("HTTPRoute", "Gateway"), namespace }),
    to: fc.record({ kind: fc.constantFrom("Service", "Secret"), namespace, name }),
  });

  it("is what one grant of the namespace says from and to, or what is in the namespace itself", () => {
    fc.assert(
      fc.property(grants, asked, (all, { from, to }) => {
        const expected = all.some(
          (one) =>
            one.namespace === to.namespace &&
            one.from.some(
              (source) =>
                source.group === gatewayGroup &&
                source.kind === from.kind &&
                source.namespace === from.namespace,
            ) &&
            one.to.some(
              (target) =>
                target.group === "" && target.kind === to.kind && ["", to.name].includes(target.name),
            ),
        );
        expect(isGranted({ from, to }, readerOf(all))).toBe(from.namespace === to.namespace || expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("never shrinks with one grant more", () => {
    fc.assert(
      fc.property(grants, asked, (all, one) => {
        for (let i = 0; i < all.length; i++)
          if (isGranted(one, readerOf(all.slice(0, i)))) expect(isGranted(one, readerOf(all))).toBe(true);
      }),
    );
  });
});
