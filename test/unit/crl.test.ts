import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isRevocationList } from "../../src/graph/certificates/crl.js";

const pem = readFileSync(new URL("../support/certs/crl.pem", import.meta.url), "utf8");
const good = atob(pem.replace(/-----[^-]+-----|\s/g, ""));
const hex = (text: string): string => Buffer.from(text, "hex").toString("latin1");

test("a complete revocation list is accepted, and no truncated one", () => {
  expect(isRevocationList(good)).toBe(true);
  for (let end = 0; end < good.length; end += 1) expect(isRevocationList(good.slice(0, end))).toBe(false);
  expect(isRevocationList(`${good}\0`)).toBe(false);
  expect(isRevocationList(good + good)).toBe(false);
});

test.each<[what: string, from: string, to: string]>([
  ["version 3", "020101300a", "020102300a"],
  ["a length in two bytes where one will do", "300a06082a", "30810906082a"],
  ["an object identifier that ends amidst a number", "06082a8648ce3d040302", "06082a8648ce3d040382"],
  ["an object identifier with a padded number", "06082a8648ce3d", "06082a8048ce3d"],
  ["a name that is not UTF-8", "0c026361", "0c02ff61"],
  ["a thirteenth month", Buffer.from("261124").toString("hex"), Buffer.from("261324").toString("hex")],
  ["a CRL number that is text", "0403020101", "0403130101"],
  ["bits that are not whole", "03470030", "03470930"],
])("refused: %s", (_, from, to) => {
  expect(good).toContain(hex(from));
  expect(isRevocationList(good.replace(hex(from), hex(to)))).toBe(false);
});
