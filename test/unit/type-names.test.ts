import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SRC = fileURLToPath(new URL("../../src", import.meta.url));
const DECLARATION = /^export (?:declare )?(?:abstract )?(?:interface|type|class|enum) (\w+)/gm;

/** `gen` is excluded: its types have the names of Envoy's messages; see docs/glossary.md. */
const isOwn = (file: string): boolean => file.endsWith(".ts") && !file.startsWith("gen/");

it("each exported type has a unique name", () => {
  const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(isOwn);
  const homes = new Map<string, string[]>();
  for (const file of files)
    for (const [, name = ""] of readFileSync(join(SRC, file), "utf8").matchAll(DECLARATION))
      homes.set(name, [...(homes.get(name) ?? []), file]);

  expect(homes.size).toBeGreaterThan(500);
  expect([...homes].filter(([, places]) => places.length > 1)).toEqual([]);
});
