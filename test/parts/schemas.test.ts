import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { defaultSettings, parseSettings } from "../../src/schema/settings.js";
import { settingsJsonSchema } from "../../src/schema/settings-json-schema.js";
import { tokenChanges } from "../../src/server/audit.js";
import { parseTokens } from "../../src/server/tokens.js";
import { apiRig } from "../support/api-rig.js";

const root = join(import.meta.dirname, "../..");

describe("the JSON Schema of settings", () => {
  const schema = z.fromJSONSchema(settingsJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);

  it("is schemas/settings.json, which `isoline schema settings` prints", () => {
    const written = readFileSync(join(root, "schemas/settings.json"), "utf8");
    expect(written).toBe(`${JSON.stringify(settingsJsonSchema(), null, 2)}\n`);
  });

  it("has every setting", () => {
    const { properties } = settingsJsonSchema() as { properties: object };
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(Object.keys(defaultSettings)));
  });

  it.each<[string, object]>([
    ["no settings", {}],
    ["a group", { http: { port: 8081 }, timeouts: { requestTimeout: "5s" } }],
    ["lists", { ingressClassNames: ["a"], watchNamespaces: ["b"] }],
  ])("accepts %s, as the server does", (_, settings) => {
    expect(parseSettings(settings).findings).toEqual([]);
    expect(schema.safeParse(settings).success).toBe(true);
  });

  it.each<[string, object]>([
    ["another word", { endpoints: "none" }],
    ["another type", { http: { port: "many" } }],
    ["a text for a list", { watchNamespaces: "a" }],
  ])("refuses %s, as the server does", (_, settings) => {
    expect(parseSettings(settings).findings).not.toEqual([]);
    expect(schema.safeParse(settings).success).toBe(false);
  });

  const examples = ["examples", "deploy"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
        join(folder, name),
      ),
    )
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => {
      const text = readFileSync(join(root, name), "utf8");
      const [, target] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text) ?? [];
      return target === undefined ? [] : [{ name, text, target }];
    });

  it("is named in the examples and the values of the chart, for editors", () => {
    expect(examples.map(({ name }) => name).sort()).toEqual([
      "deploy/helm/isoline/values.yaml",
      "examples/local-settings.yaml",
    ]);
  });

  it.each(examples)("$name has a schema that exists and accepts it", ({ name, text, target }) => {
    const schemaText = readFileSync(join(root, dirname(name), target), "utf8");
    const named = z.fromJSONSchema(JSON.parse(schemaText) as Parameters<typeof z.fromJSONSchema>[0]);
    expect(named.safeParse(parse(text)).error).toBeUndefined();
  });

  it("may be named by the key $schema, which is no setting", () => {
    const { settings, findings } = parseSettings({ $schema: "settings.json", disableMergeSlashes: true });
    expect([settings.spec.disableMergeSlashes, findings]).toEqual([true, []]);
    expect(parseSettings({ $schema: 1 }).findings).toHaveLength(1);
  });
});

describe("the audit log", () => {
  const ask = async (method: string, path: string, body?: string): Promise<readonly string[]> => {
    const { app, logged } = apiRig();
    const headers = { authorization: "Bearer test" };
    const push = "http://isoline.test/sources/web";
    await app.request(push, { method: "PUT", headers, body: "[]" });
    await app.request(`http://isoline.test${path}`, { method, headers, ...(body ? { body } : {}) });
    return logged.filter((line) => line.startsWith("audit: "));
  };

  it.each([
    ["DELETE", "/sources/web", 200],
    ["DELETE", "/sources/other", 404],
    ["POST", "/sources?complete", 200],
    ["POST", "/accept-shrink?kind=Secret", 200],
  ])("has a line for %s %s, with the token's name", async (method, path, status) => {
    const [line, ...others] = await ask(method, path);
    expect(line).toMatch(
      new RegExp(`^audit: ${method} ${path.replace("?", "\\?")} by ops \\(9f86d0\\w*\\): `),
    );
    expect(line).toMatch(new RegExp(`: ${status}$`));
    expect(others).toEqual([]);
  });

  it("has a line for a rollback, and none for a push or for reading", async () => {
    expect(await ask("PUT", "/sources/web?rollback=1")).toEqual([expect.stringMatching(/rollback=1 by ops/)]);
    expect(await ask("PUT", "/sources/web", "[]")).toEqual([]);
    expect(await ask("GET", "/sources/web/revisions/1")).toEqual([]);
    expect(await ask("PUT", "/sources/web?rollback=1&dry-run")).toEqual([]);
  });

  it("has a line for each token that the file gains or loses, without its digest", () => {
    const sum = (digit: string): string => digit.repeat(64);
    const entries = (...lines: readonly string[]) => parseTokens(lines.join("\n")).entries;
    const ops = `admin sha256:${sum("a")} name=ops`;
    const ci = `publish sha256:${sum("b")} name=ci source=web`;
    expect(tokenChanges(entries(ops, ci), entries(ci, ops))).toEqual([]);
    expect(tokenChanges(entries(ops), entries(ci))).toEqual([
      ["audit: token removed: role admin, ops (aaaaaaaaaaaaaaaa)", "token-removed"],
      ["audit: token added: role publish, ci (bbbbbbbbbbbbbbbb), source web", "token-added"],
    ]);
    // More rights for the same token are a change, too.
    expect(tokenChanges(entries(ci), entries(ci.replace("web", "shop")))).toHaveLength(2);
  });
});
