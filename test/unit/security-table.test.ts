import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const docs = join(import.meta.dirname, "../../docs");
const rows = [
  ...readFileSync(join(docs, "security.md"), "utf8").matchAll(
    /^\| (.*) \| \[[^\]]*\]\((\S+\.test\.ts)\)(?:: "(.*)")? \|$/gm,
  ),
].map(([, what = "", file = "", name = ""]) => ({ what, file, name }));

it("lists what tenants can and cannot do", () => expect(rows.length).toBeGreaterThan(25));

it.each(rows)("a tenant $what: its test exists", ({ file, name }) => {
  const path = join(docs, file);
  expect(existsSync(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toContain(name);
});
