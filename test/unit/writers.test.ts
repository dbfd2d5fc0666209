import { expect, it } from "vitest";
import { managerOf, Writers } from "../../src/sources/kubernetes/writers.js";

const object = (...managedFields: readonly object[]) => ({ metadata: { name: "web", managedFields } });
const ref = "HTTPProxy/shop/web" as const;

it("finds the manager of the last write of an object's fields", () => {
  expect(
    managerOf(
      object(
        { manager: "argocd-controller", time: "2026-01-01T00:00:00Z" },
        { manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" },
        { manager: "isoline", time: "2026-01-03T00:00:00Z", subresource: "status" },
      ),
    ),
  ).toBe("kubectl-edit");
  for (const other of [{}, { metadata: {} }, object({}), { metadata: { managedFields: "no" } }])
    expect(managerOf(other)).toBe(undefined);
  expect(managerOf(object({ manager: `a\n\u001b[2J${"b".repeat(500)}` }))).toMatch(
    /^a\\u000a\\u001b\[2Jb{1,128}$/,
  );
});

it("names the user that a hook has reported within three minutes, with the manager", () => {
  let now = 0;
  const writers = new Writers(() => now);
  const edited = object({ manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" });
  expect(writers.of(ref, edited, false)).toBe("kubectl-edit");
  writers.note(ref, "alice@example.com");
  expect(writers.of(ref, edited, false)).toBe("alice@example.com (kubectl-edit)");
  expect(writers.of(ref, edited, true)).toBe("alice@example.com");
  now = 180_001;
  expect(writers.of(ref, edited, false)).toBe("kubectl-edit");
  expect(writers.of(ref, edited, true)).toBe(undefined);
});

it("keeps a bounded number of users", () => {
  const writers = new Writers(() => 0);
  for (let i = 0; i < 1500; i++) writers.note(`HTTPProxy/shop/p${i}`, "alice");
  expect(writers.of("HTTPProxy/shop/p0", {}, true)).toBe(undefined);
  expect(writers.of("HTTPProxy/shop/p1499", {}, true)).toBe("alice");
});
