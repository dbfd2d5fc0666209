import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/explain/config.js";
import { aligned, diff } from "../../src/explain/diff.js";
import { link, type Snapshot } from "../../src/link/snapshot.js";
import type { KubeObject } from "../../src/schema/object.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { compileAll, parseCase } from "../support/compile.js";

const golden = join(import.meta.dirname, "../golden");
const cases = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(join(golden, name)).map((inner) => `${name}/${inner}`));

function text(name: string, file: string): string | undefined {
  const path = join(golden, name, file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

const snapshot = (objects: readonly KubeObject[]): Snapshot => link(compileAll(objects), defaultSettings);

/** The same when Envoy gets the same, but for route tables without hosts. */
const content = ({ sets: { routes: _, ...sets }, tables }: Snapshot): string =>
  JSON.stringify([
    Object.values(sets).map(({ hash }) => hash),
    [...tables]
      .filter(([, { hosts }]) => hosts.length > 0)
      .map(([name, { resource }]) => [name, resource.digest]),
  ]);

/** Copies of a JSON value with one thing in them different. */
function* mutants(value: unknown): Generator<unknown> {
  if (typeof value === "string") yield `${value}x`;
  else if (typeof value === "number") yield value + 1;
  else if (typeof value === "boolean") yield !value;
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) for (const mutant of mutants(item)) yield value.with(i, mutant);
    if (value.length > 1) yield value.slice(1);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const mutant of mutants(item)) yield { ...value, [key]: mutant };
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
  }
}

/** What no parser lets through, though it compiles to something. */
const isUnfit = (kind: string, spec: unknown): boolean =>
  kind === "Gateway" &&
  (spec as { listeners?: Record<string, unknown>[] }).listeners?.some(({ port, protocol, name }) =>
    [port, protocol, name].includes(undefined),
  ) === true;

/** Undefined when the value is none that a parser would let through. */
function tryObjects(objects: readonly KubeObject[], old: KubeObject, spec: unknown): Snapshot | undefined {
  if (isUnfit(old.kind, spec)) return undefined;
  try {
    return snapshot(objects.map((object) => (object === old ? ({ ...object, spec } as KubeObject) : object)));
  } catch {
    return undefined;
  }
}

describe.each(cases)("diff of golden case %s", (name) => {
  const { objects } = parseCase(text(name, "objects.yaml") ?? "", text(name, "settings.yaml"));
  const before = snapshot(objects);
  const config = readConfig(before);

  it("tells nothing for another order", () => {
    expect(diff(...aligned(config, readConfig(snapshot(objects.toReversed()))))).toEqual([]);
  });

  it("tells of every object that is lost, both ways, when Envoy gets less", () => {
    for (const object of objects) {
      const after = snapshot(objects.filter((other) => other !== object));
      const there = diff(...aligned(config, readConfig(after)));
      expect([object.ref, there.length === 0]).toEqual([object.ref, content(before) === content(after)]);
      expect(diff(...aligned(readConfig(after), config))).toHaveLength(there.length);
    }
  });

  it("tells of every value that changes what Envoy gets", () => {
    const untold: unknown[] = [];
    for (const object of objects) {
      for (const spec of mutants(object.spec)) {
        const after = tryObjects(objects, object, spec);
        if (!after || content(before) === content(after)) continue;
        const changes = diff(...aligned(config, readConfig(after)));
        const blank = changes.flatMap(({ details }) =>
          details.filter((detail) => detail.before === detail.after && detail.before !== "(not shown)"),
        );
        if (changes.length === 0 || blank.length > 0) untold.push([object.ref, spec, ...blank]);
      }
    }
    expect(untold).toEqual([]);
  });
});
