import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defaultSettings, parseSettings } from "../../src/schema/settings.js";
import { settingsJsonSchema } from "../../src/schema/settings-json-schema.js";
import { createApp } from "../../src/server/app.js";
import { tokenChanges } from "../../src/server/audit.js";
import { tokenAuth } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { openApi } from "../../src/server/openapi.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { engineOf } from "../support/engine.js";

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

  it("is named in the examples, for editors", () => {
    const example = readFileSync(join(root, "examples/local-settings.yaml"), "utf8");
    const [, path = ""] = /^# yaml-language-server: \$schema=(\S+)$/m.exec(example) ?? [];
    expect(join(root, "examples", path)).toBe(join(root, "schemas/settings.json"));
  });
});

/** A server with all parts of the HTTP surface; the log is kept. */
function rig() {
  const logged: string[] = [];
  const hub = new Hub({ now: () => 0, log: (line) => void logged.push(line) });
  const platform = { checkKeyPair: () => undefined };
  const engine = engineOf(createMemoryStore(), { outlet: hub, platform, now: () => 0 });
  const sources = new PushedSources(engine);
  sources.start();
  const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    hooks: {
      ring: () => undefined,
      review: () => ({ allowed: true, errors: [], warnings: [] }),
      concerns: () => true,
    },
    holds: () => [{ cluster: "", source: { holds: () => [], acceptShrink: () => 0 } }],
    standing: () => ({ silentMs: 0, fresh: true, aside: false }),
    authenticate: tokenAuth({
      tokens: () => parseTokens(`admin sha256:${digest} name=ops`),
      now: () => 0,
      requireTls: false,
    }),
    status: () => ({}),
  });
  return { app, logged };
}

interface ApiDocument {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly security: readonly object[]; readonly responses: object }>>
    >
  >;
}

const api = openApi("1.2.3") as ApiDocument;
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    ...operation,
  })),
);

describe("the OpenAPI document", () => {
  it("has every route of the server and no other", () => {
    const routes = rig()
      .app.routes.filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replace(/\/:(\w+)/g, "/{$1}")}`);
    expect(operations.map(({ name }) => name).sort()).toEqual([...new Set(routes)].sort());
  });

  it.each(operations)("$name: the answers have statuses and types of the document", async (operation) => {
    const { method, path, security, responses } = operation;
    const { app } = rig();
    const url = `http://isoline.test${path.replace("{name}", "web").replace("{revision}", "1").replace("{token}", "test")}`;
    const init = method === "GET" ? {} : { body: method === "PUT" ? "[]" : "{}" };
    const withToken: Record<string, string> = {
      authorization: "Bearer test",
      "content-type": "application/json",
    };
    for (const headers of [{}, withToken]) {
      const answer = await app.request(url, { method, headers, ...init });
      const listed = (responses as Record<string, { content?: object } | undefined>)[answer.status];
      expect(listed, `${answer.status} ${await answer.clone().text()}`).toBeDefined();
      const [type = ""] = (answer.headers.get("content-type") ?? "").split(";");
      expect(Object.keys(listed?.content ?? {})).toContain(type);
      const needsToken = security.length > 0 && !path.endsWith("{token}");
      if (!("authorization" in headers) && needsToken) expect(answer.status).toBe(401);
    }
  });
});

describe("the audit log", () => {
  const ask = async (method: string, path: string, body?: string): Promise<readonly string[]> => {
    const { app, logged } = rig();
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
