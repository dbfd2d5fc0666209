import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkKeyPair } from "../../src/platform/key-pair.js";

const read = (name: string): string =>
  readFileSync(new URL(`../support/certs/${name}`, import.meta.url), "utf8");

test("a certificate with its own key, alone, and with another's", () => {
  expect(checkKeyPair(read("secure.crt"), read("secure.key"))).toBeUndefined();
  expect(checkKeyPair(read("ca.crt"), "")).toBeUndefined();
  expect(checkKeyPair(read("secure.crt"), read("tcp.key"))).toBe("the private key is not the certificate's");
});

test("a curve that Envoy does not know", () => {
  expect(checkKeyPair(read("secp256k1.crt"), read("secp256k1.key"))).toContain("secp256k1");
});

test("a curve that is spelled out", () => {
  expect(checkKeyPair(read("explicit.crt"), read("explicit.key"))).toBeDefined();
});
