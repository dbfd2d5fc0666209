import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { xdsTypes } from "../../src/link/snapshot.js";
import { createApp } from "../../src/server/app.js";
import { everyone, tokenAuth } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { engineOf } from "../support/engine.js";

const line = (role: string, token: string, rest = ""): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")} ${rest}`;

function rig(lines: readonly string[], { requireTls = false, fleet = "default" } = {}) {
  let now = 1_000_000;
  const tokens = { text: lines.join("\n") };
  const logged: string[] = [];
  const hub = new Hub({ now: () => now, log: (text) => logged.push(text) });
  const store = createMemoryStore();
  const platform = { checkKeyPair: () => undefined };
  const engine = engineOf(store, { outlet: hub, platform, now: () => now });
  const sources = new PushedSources(engine);
  let rings = 0;
  let confirmed = 0;
  const hooks = {
    ring: () => void rings++,
    review: () => ({ allowed: true, errors: [], warnings: [] }),
    concerns: () => true,
  };
  const authenticate = tokenAuth({ tokens: () => parseTokens(tokens.text), now: () => now, requireTls });
  const app = createApp({
    hub,
    sources,
    inspected: { engine },
    hooks,
    holds: () => [{ cluster: "", source: { holds: () => [], acceptShrink: () => confirmed++ } }],
    fleet,
    authenticate,
    status: () => ({}),
    client: (c) => c.req.header("x-test-client") ?? "",
  });
  return {
    app,
    tokens,
    logged,
    rings: () => rings,
    confirmed: () => confirmed,
    pass: (ms: number) => {
      now += ms;
    },
    ask: (method: string, path: string, bearer?: string, init: RequestInit = {}) =>
      app.request(path, {
        method,
        ...init,
        headers: { ...(bearer ? { authorization: `Bearer ${bearer}` } : {}), ...init.headers },
      }),
  };
}

const all = [
  line("node", "n"),
  line("read", "r"),
  line("publish", "p"),
  line("hook", "h"),
  line("admin", "a"),
  line("preview", "v", "source=main"),
];
const open = ["/", "/healthz", "/openapi.json", "/readyz"];
const surface = [
  ...xdsTypes.map((type) => `/v3/discovery:${type}`),
  "/accept-shrink",
  "/changes",
  "/envoys",
  "/explain",
  "/findings",
  "/graph",
  "/hosts",
  "/hosts/:host",
  "/overview",
  "/config",
  "/hooks/admission",
  "/hooks/admission/:token",
  "/hooks/audit",
  "/hooks/audit/:token",
  "/hooks/refresh",
  "/hooks/refresh/:token",
  "/metrics",
  "/sources",
  "/sources/:name",
  "/sources/:name/revisions",
  "/sources/:name/revisions/:revision",
  "/status",
  ...open,
].sort();
const poll = { body: JSON.stringify({ node: { id: "edge-1" } }) };

describe("the HTTP surface", () => {
  it("has these paths and no others", () => {
    const { app } = rig(all);
    const paths = new Set(app.routes.map(({ path }) => path).filter((path) => path !== "/*"));
    expect([...paths].sort()).toEqual(surface);
  });

  it("lets nobody in without a token: every path, method, spelling and encoding", async () => {
    const { ask, rings } = rig(all);
    const spellings = surface
      .filter((path) => !open.includes(path))
      .flatMap((path) => [
        path,
        path.toUpperCase(),
        path.replace(":", "%3a"),
        `/${path}`,
        `${path}/`,
        "/nothing",
      ]);
    for (const path of new Set(spellings)) {
      for (const method of ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]) {
        for (const name of ["accept", "content-encoding", "x-http-method-override"]) {
          const { status } = await ask(method, path, undefined, { headers: { [name]: "gzip" } });
          expect([401, 429], `${method} ${path}`).toContain(status);
        }
      }
    }
    expect(rings()).toBe(0);
  });

  it.each([
    ["n", "/v3/discovery:secrets", "POST"],
    ["r", "/status", "GET"],
    ["p", "/sources/main", "GET"],
    ["h", "/hooks/refresh", "POST"],
  ])("lets the token %s to %s alone", async (token, path, method) => {
    const { ask } = rig(all);
    expect((await ask(method, path, token, method === "POST" ? poll : {})).status).not.toBe(401);
    for (const other of ["n", "r", "p", "h"].filter((one) => one !== token)) {
      const { status } = await ask(method, path, other, method === "POST" ? poll : {});
      expect(status).toBe(401);
    }
  });

  it("lets a preview token try a push of its source, and nothing else on any path", async () => {
    const { ask, rings, confirmed } = rig(all);
    const queries = ["", "?dry-run=1", "?dry-run=0", "?complete=1", "?dry-run=1&rollback=1"];
    const asked = surface
      .filter((path) => !open.includes(path))
      .map((path) => path.replace(":name", "main").replace(":revision", "1").replace(":token", "v"))
      .flatMap((path) => queries.map((query) => `${path}${query}`));
    const taken = new Set<string>();
    for (const path of asked)
      for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
        const { status } = await ask(method, path, "v", method === "GET" ? {} : { body: "[]" });
        if (status !== 401 && status !== 405) taken.add(`${method} ${path} ${status}`);
      }
    expect([...taken]).toEqual([
      "PUT /sources/main?dry-run=1 200",
      "PUT /sources/main?dry-run=1&rollback=1 400",
    ]);
    expect((await ask("PUT", "/sources/other?dry-run=1", "v", { body: "[]" })).status).toBe(403);
    expect((await ask("PUT", "/sources/main?dry-run=1", "v", { body: "[]" })).status).toBe(200);
    expect([rings(), confirmed()]).toEqual([0, 0]);
    expect((await ask("GET", "/sources/main", "p")).status).toBe(404);
  });

  it("keeps keys from an admin", async () => {
    const { ask } = rig(all);
    expect((await ask("POST", "/v3/discovery:secrets", "a", poll)).status).toBe(401);
    expect((await ask("GET", "/status", "a")).status).toBe(200);
  });

  it("lets an admin alone confirm deletions that are held", async () => {
    const { ask, confirmed } = rig(all);
    for (const token of ["n", "r", "p", "h"])
      expect((await ask("POST", "/accept-shrink?kind=HTTPProxy", token)).status).toBe(401);
    expect(confirmed()).toBe(0);
    expect((await ask("POST", "/accept-shrink?kind=HTTPProxy", "a")).status).toBe(200);
    expect(confirmed()).toBe(1);
  });

  it("takes a hook's token from the path, and no token from a query", async () => {
    const { ask, rings } = rig(all);
    expect((await ask("POST", "/hooks/refresh/h")).status).toBe(202);
    expect((await ask("POST", "/hooks/refresh/n")).status).toBe(401);
    expect((await ask("POST", "/hooks/refresh?token=h&access_token=h")).status).toBe(401);
    expect((await ask("GET", "/status/r")).status).toBe(401);
    expect(rings()).toBe(1);
  });

  it("says the same to no token, a wrong one, one that ran out and one of another role", async () => {
    const { ask } = rig([...all, line("read", "old", "until=1970-01-01T00:16:00Z")]);
    const bodies = await Promise.all(
      [undefined, "x", "old", "p"].map(async (token) => (await ask("GET", "/status", token)).text()),
    );
    expect(new Set(bodies).size).toBe(1);
  });

  it("takes two tokens of a role while one is replaced, and forgets a revoked one at once", async () => {
    const { ask, tokens } = rig([line("read", "first"), line("read", "second")]);
    expect((await ask("GET", "/status", "first")).status).toBe(200);
    expect((await ask("GET", "/status", "second")).status).toBe(200);
    tokens.text = line("read", "second");
    expect((await ask("GET", "/status", "first")).status).toBe(401);
  });

  it("is closed to all when there are no tokens", async () => {
    const { ask } = rig(["read sha256:short", "# nothing"]);
    expect((await ask("GET", "/status", "short")).status).toBe(503);
  });

  it("binds tokens to a fleet, and nodes to names", async () => {
    const { ask } = rig([line("node", "n", "nodes=edge-"), line("node", "o", "fleet=other")]);
    expect((await ask("POST", "/v3/discovery:clusters", "n", poll)).status).toBe(503);
    const stranger = { body: JSON.stringify({ node: { id: "core-1" } }) };
    expect((await ask("POST", "/v3/discovery:clusters", "n", stranger)).status).toBe(403);
    expect((await ask("POST", "/v3/discovery:clusters", "o", poll)).status).toBe(401);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["edge-1", ["edge-1"], ["edge-10", "edge-", "edge", "core-1", "edge-1*", ""]],
    ["edge-*", ["edge-1", "edge-10", "edge-", "edge-*"], ["edge", "core-1", "xedge-1"]],
    ["edge*", ["edge", "edge-1", "edges"], ["core-1"]],
    ["*", ["edge-1", "anything", ""], []],
    ["edge-", ["edge-1", "edge-"], ["edge", "core-1"]],
    ["eu.west.", ["eu.west.1"], ["eu.west", "eu.western"]],
  ])("binds a node token with nodes=%s to these ids alone", async (nodes, ours, others) => {
    const { ask } = rig([line("node", "n", `nodes=${nodes}`)]);
    const poll = async (id: string): Promise<number> =>
      (await ask("POST", "/v3/discovery:clusters", "n", { body: JSON.stringify({ node: { id } }) })).status;
    for (const id of ours) expect(await poll(id), id).toBe(503);
    for (const id of others) expect(await poll(id), id).toBe(403);
  });

  it("warns of a prefix as it was written before, and of no other", () => {
    const text = [
      "",
      line("node", "a", "nodes=edge-"),
      line("node", "b", "nodes=eu."),
      line("node", "c", "nodes=e-*"),
    ];
    expect(parseTokens(text.join("\n")).warnings).toEqual([
      "line 2: nodes=edge- is read as nodes=edge-*: add the * for a prefix",
      "line 3: nodes=eu. is read as nodes=eu.*: add the * for a prefix",
    ]);
    for (const wrong of ["e*dge", "**", "edge**"])
      expect(parseTokens(line("node", "a", `nodes=${wrong}`)).errors, wrong).toHaveLength(1);
  });

  it("reads lines of version 0.1.0", () => {
    const digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    const lines = `# made by isoline 0.1.0
node    sha256:${digest} name=edge nodes=edge-
node    sha256:${digest}
node    cert:${digest} nodes=edge- until=2027-06-30T00:00:00Z
publish sha256:${digest} name=ci source=web namespaces=team-a,team-b until=2027-06-30T00:00:00Z
publish sha256:${digest} name=tenant namespaces=team
publish sha256:${digest} name=ci@team namespaces=team-a,team-b
publish sha256:${digest} namespaces=team
publish sha256:${digest} name=ci
read    sha256:${digest} name=dashboard fleet=default
hook    sha256:${digest}
admin   sha256:${digest} name=boss`;
    const { entries, errors } = parseTokens(lines);
    expect(errors).toEqual([]);
    expect(entries.map(({ role, nodes, source, namespaces }) => [role, nodes ?? source, namespaces])).toEqual(
      [
        ["node", "edge-*", undefined],
        ["node", undefined, undefined],
        ["node", "edge-*", undefined],
        ["publish", "web", ["team-a", "team-b"]],
        ["publish", "tenant", ["team"]],
        ["publish", "team-a", ["team-a", "team-b"]],
        ["publish", "team", ["team"]],
        ["publish", undefined, undefined],
        ["read", undefined, undefined],
        ["hook", undefined, undefined],
        ["admin", undefined, undefined],
      ],
    );
  });

  it("binds a publisher of some namespaces to the source of its name", async () => {
    const { ask } = rig([
      line("publish", "p", "name=tenant namespaces=team"),
      line("publish", "q", "namespaces=b,c"),
    ]);
    expect((await ask("PUT", "/sources/tenant", "p", { body: "[]" })).status).toBe(200);
    expect((await ask("PUT", "/sources/b", "q", { body: "[]" })).status).toBe(200);
    for (const [token, name] of [
      ["p", "web"],
      ["p", "team"],
      ["q", "c"],
      ["q", "tenant"],
    ] as const) {
      expect((await ask("PUT", `/sources/${name}`, token, { body: "[]" })).status).toBe(403);
      expect((await ask("GET", `/sources/${name}`, token)).status).toBe(403);
    }
  });

  it("binds publishers to a source", async () => {
    const { ask } = rig([line("publish", "p", "source=web")]);
    expect((await ask("GET", "/sources/web", "p")).status).toBe(404);
    expect((await ask("PUT", "/sources/other", "p", { body: "[]" })).status).toBe(403);
  });

  it("counts failures by client, and lets a valid token in all the same", async () => {
    const { ask, pass } = rig(all);
    const from = (client: string): RequestInit => ({ headers: { "x-test-client": client } });
    for (let i = 0; i < 20; i++) expect((await ask("GET", "/status", `${i}`, from("one"))).status).toBe(401);
    const refused = await ask("GET", "/status", "x", from("one"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect((await ask("GET", "/status", "x", from("two"))).status).toBe(401);
    expect((await ask("GET", "/status", "r", from("one"))).status).toBe(200);
    pass(60_000);
    expect((await ask("GET", "/status", "x", from("one"))).status).toBe(401);
  });

  it("asks for https where tokens would be seen on the way", async () => {
    const { app } = rig(all, { requireTls: true });
    const status = async (url: string): Promise<number> =>
      (await app.request(url, { headers: { authorization: "Bearer r" } })).status;
    expect(await status("http://xds.example.com/status")).toBe(426);
    expect(await status("https://xds.example.com/status")).toBe(200);
    expect(await status("http://127.0.0.1:8787/status")).toBe(200);
  });

  it("answers other methods with what is allowed", async () => {
    const { ask } = rig(all);
    const answer = await ask("PATCH", "/sources/a", "p");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "PUT, GET, DELETE"]);
    expect((await ask("GET", "/nothing", "r")).status).toBe(404);
  });
});

describe("tokens", () => {
  it.each([
    ["boss sha256:00", "line 1: the first word must be a role: hook, preview, publish, node, read, admin"],
    [
      "\nread secret-in-clear",
      "line 2: the second word must be sha256: and 64 hex digits, as `isoline token` prints it, or cert: and a SHA-256 fingerprint",
    ],
    [`read cert:${"a".repeat(64)}`, "line 1: cert: is only for the role node"],
    [line("read", "x", "nodes=a"), "line 1: nodes= is only for the role node"],
    [
      line("read", "x", "colour=red"),
      "line 1: word 3 is not a valid name=, fleet=, nodes=, source=, namespaces=, until=",
    ],
    [
      line("read", "x", "until=soon"),
      "line 1: word 3 is not a valid name=, fleet=, nodes=, source=, namespaces=, until=",
    ],
  ])("says what is wrong with %j without quoting it", (text, error) => {
    expect(parseTokens(text)).toEqual({ entries: [], errors: [error], warnings: [] });
  });

  it("may be client certificates that the platform has verified", async () => {
    const fingerprint = "AB".repeat(32);
    const text = [
      `node cert:${fingerprint} name=edge nodes=edge- until=2027-01-01T00:00:00Z`,
      line("read", "r"),
    ];
    const entries = parseTokens(text.join("\n")).entries;
    const ask = (shown: string | undefined, bearer?: string, now = Date.parse("2026-11-01")) =>
      tokenAuth({
        tokens: () => ({ entries, errors: [], warnings: [] }),
        now: () => now,
        requireTls: false,
        fingerprint: () => shown,
      })(
        new Request("https://isoline.test/status", {
          headers: bearer ? { authorization: `Bearer ${bearer}` } : {},
        }),
        () => "",
      );
    const node = { role: "node", name: "edge", id: "ab".repeat(8), fleet: "default", nodes: "edge-*" };
    expect(await ask(fingerprint.toLowerCase())).toEqual([node]);
    expect(await ask(fingerprint, "r")).toEqual([
      { role: "read", name: "", id: expect.stringMatching(/^[0-9a-f]{16}$/) as string, fleet: "default" },
      node,
    ]);
    for (const refused of [
      await ask(undefined),
      await ask("cd".repeat(32)),
      await ask(fingerprint, undefined, Date.parse("2027-02-01")),
      await ask(undefined, fingerprint.toLowerCase()),
    ])
      expect(refused).toMatchObject({ status: 401 });
  });

  it("are not asked for on loopback without any", async () => {
    expect((await everyone(new Request("http://127.0.0.1/"), () => "")).valueOf()).toMatchObject([
      { role: "admin" },
      { role: "node" },
    ]);
  });
});
