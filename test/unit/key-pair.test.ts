import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkKeyPair } from "../../src/platform/key-pair.js";

const read = (name: string): string =>
  readFileSync(new URL(`../support/certs/${name}`, import.meta.url), "utf8");

test("a certificate with its own key and with another key", () => {
  expect(checkKeyPair(read("secure.crt"), read("secure.key"))).toBeUndefined();
  expect(checkKeyPair(read("secure.crt"), read("tcp.key"))).toBe(
    "the private key does not match the certificate",
  );
});

test("text that can't be parsed", () => {
  expect(checkKeyPair("", read("secure.key"))).toBe("the certificate or its private key can't be parsed");
  expect(checkKeyPair(read("secure.crt"), "")).toBe("the certificate or its private key can't be parsed");
});
