import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { tokenAuth } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Platform } from "../../src/update.js";
import { hostProxy, httpProxy, type Manifest, service } from "../support/backend.js";
import { engineOf } from "../support/engine.js";

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly text: string;
  readonly traffic?: readonly string[];
  readonly findings?: readonly { readonly about: string; readonly reason: string }[];
}

const now = Date.parse("2026-11-30T00:00:00Z");
const dayMs = 86_400_000;

/** A server under tokens: of a tenant of the namespace `team`, of CI, of an admin, and of a reader. */
function rig(platform: Platform = { checkKeyPair: () => undefined }) {
  const lines = [
    ["tenant", "publish", "name=tenant namespaces=team"],
    ["shared", "publish", "source=web namespaces=team"],
    ["ci", "publish", "name=ci"],
    ["boss", "admin", ""],
    ["reader", "read", ""],
  ].map(
    ([token = "", role, rest]) =>
      `${role} sha256:${createHash("sha256").update(token).digest("hex")} ${rest}`,
  );
  const store = createMemoryStore();
  const hub = new Hub({ now: () => now, log: () => undefined });
  const engine = engineOf(store, { outlet: hub, platform, now: () => now });
  const sources = new PushedSources(engine);
  sources.start();
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    status: () => statusReport(engine, sources),
    authenticate: tokenAuth({
      tokens: () => parseTokens(lines.join("\n")),
      now: () => now,
      requireTls: false,
    }),
  });
  const ask = async (token: string, method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await app.request(path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const json = text.startsWith("{") ? (JSON.parse(text) as object) : {};
    return { ...json, status: answer.status, text };
  };
  return { ask, store, engine };
}

const to = (name: string): object => ({ services: [{ name, port: 80 }] });
const root = (namespace: string, fqdn: string, name = "app"): Manifest => hostProxy(fqdn, name, namespace);
const secretly = /payroll|wages/;

describe("a publisher that is bound to namespaces", () => {
  const wages = [
    httpProxy("payroll", "wages", {
      virtualhost: { fqdn: "wages.test", tls: { secretName: "wages-key" } },
      routes: [to("wages")],
    }),
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "wages", namespace: "payroll" },
      spec: { rules: 7 },
    },
    { kind: "IsolineSettings", spec: { wages: true } },
  ];

  it.each<[string, string, unknown]>([
    ["a push", "PUT /sources/tenant", [service("team", "app")]],
    ["the same push again", "PUT /sources/tenant?revision=1", [service("team", "app")]],
    ["a push with a mistake", "PUT /sources/tenant", [root("team", "t.test", "nothing")]],
    ["a strict push", "PUT /sources/tenant?strict", [root("team", "t.test", "nothing")]],
    ["a dry run", "PUT /sources/tenant?dry-run", [service("team", "app")]],
    ["a push of what is another's", "PUT /sources/tenant", [service("payroll", "other")]],
    ["a push that can't be read", "PUT /sources/tenant", "a: ["],
    ["a push that is too old", "PUT /sources/tenant?revision=0&expect=9", []],
    ["a push to another source", "PUT /sources/web", []],
    ["its source", "GET /sources/tenant", undefined],
    ["another source", "GET /sources/web", undefined],
    ["the status", "GET /status", undefined],
    ["the graph", "GET /graph", undefined],
    ["an explanation", "GET /explain?url=https://wages.test/", undefined],
    ["metrics", "GET /metrics", undefined],
  ])("is told nothing of others by %s", async (_, request, body) => {
    const { ask } = rig();
    expect((await ask("ci", "PUT", "/sources/web", wages)).findings?.length).toBeGreaterThan(2);
    expect((await ask("tenant", "PUT", "/sources/tenant?revision=1", [service("team", "app")])).status).toBe(
      200,
    );
    const [method = "", path = ""] = request.split(" ");
    const answer = await ask("tenant", method, path, body);
    expect(answer.text).not.toMatch(/wages/);
    expect((await ask("reader", "GET", "/status")).text).toMatch(secretly);
  });

  it("is refused objects of other namespaces, each by name", async () => {
    const { ask } = rig();
    const answer = await ask("tenant", "PUT", "/sources/tenant", [
      service("team", "app"),
      service("payroll", "app"),
    ]);
    expect(answer).toMatchObject({
      status: 403,
      findings: [{ about: "Service/payroll/app", reason: "NamespaceNotAllowed" }],
    });
  });

  it("is told what is wrong with its own objects", async () => {
    const { ask } = rig();
    await ask("ci", "PUT", "/sources/web", wages);
    const own = root("team", "t.test", "nothing");
    const about = "HTTPProxy/team/t-test";
    expect(await ask("tenant", "PUT", "/sources/tenant", [own])).toMatchObject({ findings: [{ about }] });
    expect(await ask("tenant", "GET", "/sources/tenant")).toMatchObject({ findings: [{ about }] });
    expect(await ask("tenant", "PUT", "/sources/tenant?strict", [own, service("team", "app")])).toMatchObject(
      {
        status: 422,
        findings: [{ about }],
      },
    );
    expect(await ask("tenant", "PUT", "/sources/tenant", [service("payroll", "x")])).toMatchObject({
      status: 403,
      findings: [{ about: "Service/payroll/x" }],
    });
  });

  it("is not told which source holds what it pushes, nor what its source holds of others", async () => {
    const { ask } = rig();
    await ask("ci", "PUT", "/sources/payroll", [service("team", "app")]);
    const clash = await ask("tenant", "PUT", "/sources/tenant", [service("team", "app")]);
    expect(clash).toMatchObject({ status: 409, code: "in-another-source" });
    expect(clash.text).not.toMatch(secretly);
    expect((await ask("ci", "PUT", "/sources/other", [service("team", "app")])).text).toMatch(
      /the source .*payroll/,
    );
    await ask("ci", "PUT", "/sources/web", wages);
    for (const answer of [
      await ask("shared", "PUT", "/sources/web", []),
      await ask("shared", "GET", "/sources/web"),
    ])
      expect(answer.text).not.toMatch(secretly);
    expect((await ask("shared", "PUT", "/sources/web", [])).status).toBe(403);
  });

  it.each<[string, readonly Manifest[], readonly Manifest[]]>([
    ["claims another's host", [], [root("team", "wages.test")]],
    ["gives up another's host", [root("team", "wages.test")], []],
    [
      "includes another's child",
      [],
      [
        httpProxy("team", "root", {
          virtualhost: { fqdn: "t.test" },
          includes: [{ name: "wages-child", namespace: "payroll" }],
        }),
      ],
    ],
    [
      "no longer includes another's child",
      [
        httpProxy("team", "root", {
          virtualhost: { fqdn: "t.test" },
          includes: [{ name: "wages-child", namespace: "payroll" }],
        }),
      ],
      [httpProxy("team", "root", { virtualhost: { fqdn: "t.test" }, routes: [to("app")] })],
    ],
    ["makes what another's root includes", [], [httpProxy("team", "child", { routes: [to("app")] })]],
    [
      "claims another's host by an Ingress",
      [],
      [
        {
          apiVersion: "networking.k8s.io/v1",
          kind: "Ingress",
          metadata: { namespace: "team", name: "i" },
          spec: {
            rules: [
              {
                host: "wages.test",
                http: {
                  paths: [
                    {
                      path: "/team",
                      pathType: "Prefix",
                      backend: { service: { name: "app", port: { number: 80 } } },
                    },
                  ],
                },
              },
            ],
          },
        },
      ],
    ],
  ])("is not told what changes for others by a dry run that %s", async (_, before, after) => {
    const { ask } = rig();
    const others = [
      root("payroll", "wages.test", "wages"),
      service("payroll", "wages"),
      httpProxy("payroll", "wages-child", {
        routes: [{ conditions: [{ prefix: "/wages" }], ...to("wages") }],
      }),
      httpProxy("payroll", "all", {
        virtualhost: { fqdn: "payroll.test" },
        routes: [{ conditions: [{ prefix: "/wages" }], ...to("wages") }],
        includes: [{ name: "child", namespace: "team", conditions: [{ prefix: "/team" }] }],
      }),
    ];
    const always = [service("team", "app"), root("team", "own.test")];
    await ask("ci", "PUT", "/sources/web", others);
    await ask("tenant", "PUT", "/sources/tenant", [...always, ...before]);
    const path = "/sources/tenant?dry-run";
    const { status, traffic } = await ask("tenant", "PUT", path, [
      ...always,
      ...after,
      root("team", "new.test"),
    ]);
    expect([status, traffic?.join("\n")]).toEqual([200, expect.stringMatching(/^new.test\n {2}[+] http$/m)]);
    expect(traffic?.join("\n")).not.toMatch(secretly);
    expect(traffic?.at(-1)).toBe("changes that also concern other namespaces are left out");
    const whole = await ask("tenant", "PUT", path, [...always, ...before]);
    expect(whole.traffic).toEqual(["no change for traffic"]);
  });
});

describe("revisions", () => {
  it("end a day after now in milliseconds", async () => {
    const { ask } = rig();
    for (const revision of [now + dayMs + 1, Number.MAX_SAFE_INTEGER])
      expect(await ask("ci", "PUT", `/sources/web?revision=${revision}`, [])).toMatchObject({
        status: 422,
        code: "revision-too-high",
      });
    expect(await ask("ci", "GET", "/sources/web")).toMatchObject({ status: 404 });
    expect(await ask("ci", "PUT", `/sources/web?revision=${now + dayMs}`, [])).toMatchObject({ status: 200 });
  });
});

describe("DELETE /sources/NAME", () => {
  it("is for an admin alone", async () => {
    const { ask } = rig();
    await ask("ci", "PUT", "/sources/web", [service("shop", "app")]);
    for (const token of ["tenant", "shared", "ci", "reader", ""])
      expect((await ask(token, "DELETE", "/sources/web")).status).toBe(401);
    expect((await ask("boss", "DELETE", "/sources/web")).status).toBe(200);
    for (const name of ["web", "nothing", "..%2fweb", "%00"])
      expect(await ask("boss", "DELETE", `/sources/${name}`)).toMatchObject({
        status: 404,
        code: "not-found",
      });
  });

  it("takes its objects away, publishes, and lets its revisions begin anew", async () => {
    const { ask, store, engine } = rig();
    const many = Array.from({ length: 20 }, (_, i) => root("shop", `h${i}.test`));
    await ask("ci", "PUT", "/sources/other", [root("other", "kept.test"), service("other", "app")]);
    await ask("ci", "PUT", "/sources/web?revision=900", [...many, service("shop", "app")]);
    const before = engine.sequence;
    expect(await ask("boss", "DELETE", "/sources/web")).toMatchObject({
      status: 200,
      source: "web",
      objects: 21,
      changed: true,
    });
    expect(engine.sequence).toBeGreaterThan(before);
    expect([...store.objects()].map(({ ref }) => ref).sort()).toEqual([
      "HTTPProxy/other/kept-test",
      "Service/other/app",
    ]);
    expect((await ask("boss", "GET", "/status")).text).not.toContain('"web"');
    expect(await ask("ci", "PUT", "/sources/web?revision=7&expect=0", many)).toMatchObject({ status: 200 });
  });

  it("publishes when all is compiled, where that is done in batches", async () => {
    const { ask } = rig({ checkKeyPair: () => undefined, maxUnits: 1 });
    await ask("ci", "PUT", "/sources/web", [root("a", "a.test"), root("b", "b.test"), service("a", "app")]);
    expect(await ask("boss", "DELETE", "/sources/web")).toMatchObject({ status: 200, objects: 3 });
    expect((await ask("ci", "GET", "/sources/web")).status).toBe(404);
  });
});

describe("the number of sources", () => {
  it("ends where the settings say", async () => {
    const { ask } = rig();
    await ask("ci", "PUT", "/sources/settings", [{ kind: "IsolineSettings", spec: { maxSources: 2 } }]);
    expect((await ask("ci", "PUT", "/sources/a", [])).status).toBe(200);
    expect(await ask("ci", "PUT", "/sources/b", [])).toMatchObject({ status: 409, code: "too-many-sources" });
    expect((await ask("ci", "PUT", "/sources/b?dry-run", [])).status).toBe(409);
    expect((await ask("ci", "PUT", "/sources/a", [])).status).toBe(200);
    await ask("boss", "DELETE", "/sources/a");
    expect((await ask("ci", "PUT", "/sources/b", [])).status).toBe(200);
  });

  it("is a hundred without a setting", async () => {
    const { ask } = rig();
    for (let i = 0; i < 100; i++) await ask("ci", "PUT", `/sources/s${i}`, []);
    expect((await ask("ci", "PUT", "/sources/more", [])).status).toBe(409);
  });
});
