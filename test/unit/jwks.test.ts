import { generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { expect, test } from "vitest";
import { usableKeys } from "../../src/graph/certificates/jwks.js";

const jwk = (pair: { publicKey: { export(options: { format: "jwk" }): JsonWebKey } }): JsonWebKey =>
  pair.publicKey.export({ format: "jwk" });
const rsa = jwk(generateKeyPairSync("rsa", { modulusLength: 2048 }));
const ec = (namedCurve: string): JsonWebKey => jwk(generateKeyPairSync("ec", { namedCurve }));
const oct = { kty: "oct", k: "c2VjcmV0" };
const ed25519 = jwk(generateKeyPairSync("ed25519"));
const set = (...keys: readonly unknown[]): string => JSON.stringify({ keys });

test.each<[what: string, key: JsonWebKey]>([
  ["RSA", rsa],
  ["RSA for PS256", { ...rsa, alg: "PS256", kid: "one" }],
  ["P-256", ec("P-256")],
  ["P-384", { ...ec("P-384"), alg: "ES384" }],
  ["P-521", ec("P-521")],
  ["a secret", { ...oct, alg: "HS256" }],
  ["Ed25519", ed25519],
])("usable: %s", (_, key) => {
  expect(usableKeys(set(key))).toBe(set(pick(key)));
});

/** In output order. */
function pick(key: JsonWebKey): JsonWebKey {
  const names = ["kty", "kid", "alg", ...(key.kty === "RSA" ? ["n", "e"] : ["crv", "x", "y", "k"])];
  return Object.fromEntries(names.filter((name) => key[name] !== undefined).map((name) => [name, key[name]]));
}

test("members that Envoy does not read and keys that it can't use are omitted", () => {
  const extra = { ...rsa, use: "sig", x5c: ["x"], deep: { er: 1e300 }, alg: 5, kid: 7 };
  expect(usableKeys(set(null, [], { kty: "RSA" }, extra, { kty: "toString" }))).toBe(set(pick(rsa)));
});

test("a kid in any script is escaped; lone surrogates and bytes that are not UTF-8 are not passed on", () => {
  const kid = Buffer.from(set({ ...oct, kid: "ключ" })).toString("latin1");
  expect(usableKeys(kid)).toBe(
    '{"keys":[{"kty":"oct","kid":"\\u043a\\u043b\\u044e\\u0447","k":"c2VjcmV0"}]}',
  );
  expect(usableKeys('{"keys":[{"kty":"oct","kid":"\\ud800","k":"c2VjcmV0"}]}')).toBe(set(oct));
  expect(usableKeys('{"keys":[{"kty":"oct","kid":"\xff","k":"c2VjcmV0"}]}')).toBeUndefined();
});

test.each<[what: string, key: unknown]>([
  ["text", "key"],
  ["no type", { n: rsa.n, e: rsa.e }],
  ["RSA without modulus", { kty: "RSA", e: "AQAB" }],
  ["RSA, modulus not base64url", { ...rsa, n: "!!!" }],
  ["RSA, modulus too short", { ...rsa, n: rsa.n?.slice(0, 40) }],
  ["RSA, modulus even", { ...rsa, n: `${rsa.n?.slice(0, -4)}AAAA` }],
  ["RSA, odd exponent", { ...rsa, e: "AQ" }],
  ["RSA for ES256", { ...rsa, alg: "ES256" }],
  ["EC, unknown curve", { ...ec("P-256"), crv: "P-1" }],
  ["EC, algorithm of another curve", { ...ec("P-256"), alg: "ES384" }],
  ["EC, off its curve", { kty: "EC", crv: "P-256", x: "AA", y: "AA" }],
  ["an empty secret", { kty: "oct", k: "" }],
  ["a secret for RS256", { ...oct, alg: "RS256" }],
  ["Ed25519, too short", { ...ed25519, x: "AA" }],
  ["X25519", { ...ed25519, crv: "X25519" }],
])("not usable: %s", (_, key) => {
  expect(usableKeys(set(key))).toBeUndefined();
});
