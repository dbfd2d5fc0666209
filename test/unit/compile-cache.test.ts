import { expect, it } from "vitest";
import { StoreCache, UnitCache } from "../../src/schema/compile-cache.js";
import { memoized, memoizedLast } from "../../src/schema/memoized.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { httpProxy, tlsSecret } from "../support/backend.js";
import { parseCase, platform } from "../support/compile.js";

it("a key pair is checked again in each store, because platforms may differ", () => {
  const proxy = httpProxy("default", "a", {
    virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
    routes: [{ directResponsePolicy: { statusCode: 200 } }],
  });
  const { objects } = parseCase(
    [tlsSecret("default", "secure"), proxy].map((one) => JSON.stringify(one)).join("\n---\n"),
  );
  const errorsBy = (checkKeyPair: typeof platform.checkKeyPair): readonly string[] => {
    const store = createMemoryStore();
    update(store, objects, { checkKeyPair });
    return [...store.findings()].map(({ reason }) => reason).filter((reason) => reason === "SecretNotValid");
  };
  expect(errorsBy(() => "no pair")).toEqual(["SecretNotValid"]);
  expect(errorsBy(platform.checkKeyPair)).toEqual([]);
});

it("the rollback of a transaction clears the cache", () => {
  const store = createMemoryStore();
  const { cache } = store;
  expect(() =>
    store.transaction(() => {
      throw new Error("undone");
    }),
  ).toThrow("undone");
  expect(store.cache).not.toBe(cache);
});

it("different functions have different entries, also for undefined results", () => {
  const calls: string[] = [];
  const one = (text: string): void => void calls.push(`one ${text}`);
  const other = (text: string): void => void calls.push(`other ${text}`);
  const unit = new UnitCache();
  for (const find of [one, other, one, other]) for (const key of ["a", "b"]) unit.once(find, key, key);
  expect(calls).toEqual(["one a", "one b", "other a", "other b"]);
  const key = {};
  const store = new StoreCache();
  let found = 0;
  const find = (_: object): undefined => void found++;
  for (let i = 0; i < 3; i++) expect(store.of(find, key)).toBeUndefined();
  expect(found).toBe(1);
});

it("a memoized function returns the results of the function, also after evictions", () => {
  let calls = 0;
  const length = memoizedLast((text: string) => ++calls && text.length, {
    maxSize: 3,
    sizeOf: (text) => text.length,
  });
  expect(["ab", "a", "ab", "abc", "ab", ""].map(length)).toEqual([2, 1, 2, 3, 2, 0]);
  expect(calls).toBe(5);
  const sizes = memoized((list: readonly string[]) => ++calls && list.length);
  const list = ["a"];
  expect([sizes(list), sizes(list), calls]).toEqual([1, 1, 6]);
});
