import { expect, test } from "vitest";
import { readCaBundle, readCrl } from "../../src/graph/certificates/secret.js";
import type { Reader } from "../../src/graph/core/reader.js";
import { secret } from "../support/backend.js";
import { readerOf } from "../support/gateway-threat.js";
import { oddCertificates } from "../support/odd-certificates.js";
import { oddLists } from "../support/odd-lists.js";
import { unparsable } from "../support/odd-pair.js";

const name = { namespace: "default", name: "odd" };
const reading = (key: string, text: string): Reader =>
  readerOf([secret(name.namespace, name.name, { [key]: text })]);

test("lists that Envoy does not load are refused", () => {
  expect(oddLists.filter(({ loads, problem }) => !loads && !problem)).toEqual([]);
});

test.each(oddLists.map((list) => [list.name, list] as const))("list: %s", (_, { list, problem }) => {
  const { crl, error } = readCrl(reading("crl.pem", list), name);
  if (problem === undefined) expect([crl, error]).toEqual([list, undefined]);
  else expect(error).toContain(problem);
});

/** Envoy's library checks only the form of authorities. */
test.each(oddCertificates.map((pair) => [pair.name, pair] as const))(
  "authority: %s",
  (_, { certificate, problem }) => {
    const { ca, error } = readCaBundle(reading("ca.crt", certificate), name);
    if (problem === unparsable)
      expect(error).toBe(`Secret default/odd: invalid "ca.crt": certificate 1 can't be parsed`);
    else expect([ca, error]).toEqual([certificate, undefined]);
  },
);
