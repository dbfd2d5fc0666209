import { describe, expect, it } from "vitest";
import { hostProxy, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { pushServer } from "../support/pushing.js";

const tokens = ["publish tenant namespaces=team", "publish ci", "preview pr", "admin boss"];
const own = { name: "tenant", token: "tenant" };
const infra = { name: "infra", token: "boss" };
const app = service("team", "app");
const web = (port: number, spec: Manifest = {}): Manifest =>
  httpProxy("team", "web", {
    virtualhost: { fqdn: "a.test" },
    routes: [{ services: [{ name: "app", port }] }],
    ...spec,
  });
const settings = (spec: Manifest): Manifest => ({ kind: "IsolineSettings", spec });
const othersHost = settings({ hostOwners: [{ host: "a.test", namespaces: ["other"] }] });
const overTls = (port: number): Manifest =>
  web(port, { virtualhost: { fqdn: "a.test", tls: { secretName: "infra/secure" } } });
const delegation: Manifest = {
  apiVersion: "projectcontour.io/v1",
  kind: "TLSCertificateDelegation",
  metadata: { namespace: "infra", name: "all" },
  spec: { delegations: [{ secretName: "secure", targetNamespaces: ["team"] }] },
};
const pair = tlsSecret("infra", "secure");
const answers = /forward|redirect/;

describe("a tenant with a publish token", () => {
  it("keeps no host by a bad edit that an admin took away, before it or after it", async () => {
    for (const order of ["before", "after"]) {
      const { put, serves } = pushServer({ tokens });
      await put([app, web(80)], "", own);
      if (order === "before") await put([othersHost], "", infra);
      await put([app, web(81)], "", own);
      if (order === "after") {
        expect(await serves("a.test")).toMatch(answers);
        await put([othersHost], "", infra);
      }
      expect(await serves("a.test")).not.toMatch(answers);
      for (const port of [82, 80]) await put([app, web(port)], "", own);
      expect(await serves("a.test")).not.toMatch(answers);
    }
  });

  it("keeps no certificate of another namespace, nor gets it back by a rollback", async () => {
    for (const taken of [[delegation], [pair]]) {
      const { put, ask, serves } = pushServer({ tokens });
      await put([delegation, pair], "", infra);
      await put([app, overTls(80)], "", own);
      await put([app, overTls(81)], "", own);
      expect(await serves("a.test")).toMatch(answers);
      await put(
        [delegation, pair].filter((one) => !taken.includes(one)),
        "",
        infra,
      );
      expect(await serves("a.test")).not.toMatch(answers);
      await put([app, overTls(82)], "", own);
      expect(await serves("a.test")).not.toMatch(answers);
      expect(await ask("PUT", "/sources/tenant?rollback=1", undefined, "tenant")).toMatchObject({
        status: 200,
      });
      expect(await serves("a.test")).not.toMatch(answers);
    }
  });

  it("keeps no host that the root of another namespace contests", async () => {
    const { put, serves } = pushServer({ tokens });
    await put([app, web(80)], "", own);
    await put([app, web(81)], "", own);
    expect(await serves("a.test")).toMatch(answers);
    const other = httpProxy("other", "web", {
      virtualhost: { fqdn: "a.test" },
      routes: [{ services: [{ name: "app", port: 80 }] }],
    });
    await put([service("other", "app"), other], "", { name: "other", token: "ci" });
    const contested = await serves("a.test");
    const fresh = pushServer({ tokens });
    await fresh.put([app, web(80)], "", own);
    await fresh.put([service("other", "app"), other], "", { name: "other", token: "ci" });
    expect(contested).toBe(await fresh.serves("a.test"));
  });

  it("rolls back to nothing that is outside its namespaces, or in another source by now", async () => {
    const { put, ask, store } = pushServer({ tokens });
    await put([app, hostProxy("x.test", "app", "other")], "", { name: "tenant", token: "boss" });
    await put([app], "", { name: "tenant", token: "boss" });
    await put([app, web(80)], "", own);
    await put([app, { ...web(80), spec: { virtualhost: { fqdn: 7 } } }], "", own);
    await put([app], "", own);
    const foreign = await ask("PUT", "/sources/tenant?rollback=1", undefined, "tenant");
    expect(foreign).toMatchObject({ status: 403, code: "namespace-not-allowed" });
    expect(JSON.stringify(foreign)).not.toContain("HTTPProxy/other");
    expect(await ask("PUT", "/sources/infra?rollback=1", undefined, "tenant")).toMatchObject({
      status: 403,
      code: "source-not-allowed",
    });
    await put([web(80)], "", infra);
    for (const revision of [3, 4])
      expect(await ask("PUT", `/sources/tenant?rollback=${revision}`, undefined, "tenant")).toMatchObject({
        status: 409,
        code: "in-another-source",
      });
    expect(store.revisions("tenant")[0]?.revision).toBe(5);
  });

  it("rolls back under the checks of each push", async () => {
    const { put, ask } = pushServer({ tokens });
    const many = Array.from({ length: 12 }, (_, i) => hostProxy(`h${i}.test`, "app", "team"));
    await put([app], "", own);
    await put([app, ...many], "", own);
    const roll = (query: string) => ask("PUT", `/sources/tenant?rollback=1${query}`, undefined, "tenant");
    expect(await roll("")).toMatchObject({ status: 409, code: "shrink" });
    expect(await roll("&accept-shrink=1&expect=1")).toMatchObject({ status: 412 });
    expect(await roll("&accept-shrink=1&revision=2")).toMatchObject({ status: 409, code: "stale-revision" });
    expect(await roll("&accept-shrink=1&dry-run=1")).toMatchObject({
      status: 200,
      revision: 3,
      changed: true,
    });
    expect(await roll("&accept-shrink=1&expect=2")).toMatchObject({ status: 200, revision: 3, before: 2 });
    expect(await ask("PUT", "/sources/tenant?rollback=1", [app], "tenant")).toMatchObject({
      status: 400,
      code: "bad-rollback",
    });
    expect(await ask("PUT", "/sources/tenant?rollback=x", undefined, "tenant")).toMatchObject({
      status: 400,
    });
  });

  it("sees the history of its source alone, by objects of its namespaces, and no keys", async () => {
    const { put, ask } = pushServer({ tokens });
    await put([app, tlsSecret("team", "secure"), hostProxy("x.test", "app", "other")], "", {
      name: "tenant",
      token: "boss",
    });
    const seen = await ask("GET", "/sources/tenant/revisions", undefined, "tenant");
    expect(seen.revisions).toMatchObject([
      {
        revision: 1,
        by: "boss",
        changes: {
          added: { count: 2, refs: ["Secret/team/secure", "Service/team/app"] },
          removed: { count: 0 },
        },
      },
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/other|x-test|LS0t/);
    expect(await ask("GET", "/sources/infra/revisions", undefined, "tenant")).toMatchObject({ status: 403 });
    expect(await ask("GET", "/sources/tenant/revisions/1", undefined, "tenant")).toMatchObject({
      status: 401,
    });
    expect(
      (await ask("GET", "/sources/tenant/revisions", undefined, "boss")).revisions?.[0]?.changes?.added.count,
    ).toBe(3);
    expect(await ask("GET", "/sources/tenant/revisions?last=0", undefined, "boss")).toMatchObject({
      status: 400,
    });
  });

  it("makes no history and no source grow without end", async () => {
    const { put, ask, store } = pushServer({ tokens });
    for (let i = 0; i < 25; i++)
      await put(
        [app, ...Array.from({ length: 30 }, (_, j) => service("team", `s${i}-${j}`))],
        "?accept-shrink=1",
        own,
      );
    const { revisions = [] } = await ask("GET", "/sources/tenant/revisions", undefined, "tenant");
    expect(revisions.map(({ revision }) => revision)).toEqual([25, 24, 23, 22, 21, 20, 19, 18, 17, 16]);
    expect(revisions.every(({ changes }) => changes?.added.count === 30)).toBe(true);
    expect(JSON.parse(store.cursor("source:tenant/history") ?? "")).toHaveLength(10);
    const wide = Array.from({ length: 300 }, (_, j) => service("team", `w${j}`));
    await put(wide, "", own);
    const [newest] =
      (await ask("GET", "/sources/tenant/revisions?last=1", undefined, "tenant")).revisions ?? [];
    expect(newest?.changes?.added).toMatchObject({ count: 300 });
    expect(newest?.changes?.added.refs).toHaveLength(100);
    await ask("DELETE", "/sources/tenant", undefined, "boss");
    for (const end of ["", "/refs", "/findings", "/history", "/kept"])
      expect(store.cursor(`source:tenant${end}`)).toBeFalsy();
  });

  it("has not more than one push of objects that stay as they were", { timeout: 120_000 }, async () => {
    const { put, store } = pushServer({ tokens });
    const body = "x".repeat(4000);
    const large = (from: number, count: number): Manifest[] =>
      Array.from({ length: count }, (_, i) =>
        httpProxy("team", `p${from + i}`, {
          virtualhost: { fqdn: `p${from + i}.test` },
          routes: Array.from({ length: 100 }, (_, j) => ({
            conditions: [{ prefix: `/${j}` }],
            directResponsePolicy: { statusCode: 200, body },
          })),
        }),
      );
    const stubs = (count: number): Manifest[] =>
      Array.from({ length: count }, (_, i) => httpProxy("team", `p${i}`, { virtualhost: { fqdn: 7 } }));
    expect((await put(large(0, 60), "", own)).status).toBe(200);
    expect((await put([...stubs(60), ...large(60, 40)], "?accept-shrink=1", own)).status).toBe(200);
    expect(await put([...stubs(100), ...large(100, 10)], "?accept-shrink=1", own)).toMatchObject({
      status: 422,
      code: "too-much-held",
    });
    expect(store.revisions("tenant")[0]?.revision).toBe(2);
  });

  it("keeps no further text where so much stays already, and is told", async () => {
    const { ask, store, sources, serves } = pushServer({ tokens, maxUnits: 1 });
    const settle = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) await sources.resume();
    };
    const b = (port: number): Manifest =>
      httpProxy("team", "b", {
        virtualhost: { fqdn: "b.test" },
        routes: [{ services: [{ name: "app", port }] }],
      });
    await ask("PUT", "/sources/tenant", [app, web(80), b(80)], "tenant");
    await settle();
    await ask("PUT", "/sources/tenant", [app, web(81), b(81)], "tenant");
    const judging = JSON.parse(store.cursor("judging:tenant") ?? "") as object;
    store.setCursor("judging:tenant", JSON.stringify({ ...judging, heldSize: 32 * 1024 * 1024 }));
    await settle();
    const { findings = [] } = await ask("GET", "/sources/tenant", undefined, "tenant");
    expect(findings.filter(({ reason }) => reason === "TooMuchHeld")).toHaveLength(2);
    expect(store.revisionContent("tenant", 2)?.held).toEqual([]);
    expect(await serves("a.test")).not.toMatch(answers);
  });
});

describe("a preview token", () => {
  it("sees what a push would change, and no values that headers are compared with or set to", async () => {
    const { put, ask } = pushServer({ tokens });
    const secret = web(80, {
      routes: [
        {
          conditions: [{ prefix: "/" }, { header: { name: "x-key", exact: "hunter2" } }],
          requestHeadersPolicy: { set: [{ name: "authorization", value: "Bearer hunter3" }] },
          services: [{ name: "app", port: 80 }],
        },
      ],
    });
    await put([app, secret, tlsSecret("team", "secure")], "", { name: "web", token: "ci" });
    const preview = (objects: readonly Manifest[], token: string) =>
      ask("PUT", "/sources/web?dry-run=1&accept-shrink=1", objects, token);
    const hidden = await preview([], "pr");
    expect(hidden).toMatchObject({ status: 200, revision: 2, changed: true });
    expect(JSON.stringify(hidden)).toContain("x-key");
    expect(JSON.stringify(hidden)).not.toMatch(/hunter|LS0t|PRIVATE/);
    expect(JSON.stringify(await preview([], "ci"))).toContain("hunter2");
    const edited = JSON.parse(JSON.stringify([app, secret]).replace("hunter2", "hunter9")) as Manifest[];
    const { traffic = [] } = await preview(edited, "pr");
    expect(traffic.join("\n")).toMatch(/x-key/);
    expect(traffic.join("\n")).not.toMatch(/hunter/);
  });

  it("changes nothing in the store, whatever it tries", async () => {
    const { put, ask, store } = pushServer({ tokens });
    await put([app, web(80)], "", { name: "web", token: "ci" });
    const held = (): string =>
      JSON.stringify([
        store.revisions("web"),
        store.revisionSources(),
        [...store.objects()],
        [...store.units()],
        store.cursor("sources"),
        store.cursor("source:web"),
        store.cursor("source:web/findings"),
        store.cursor("judging"),
      ]);
    const before = held();
    for (const query of [
      "?dry-run=1",
      "?dry-run=true&strict=1",
      "?dry-run=1&revision=7",
      "?dry-run=1&default-settings=1",
    ])
      for (const objects of [
        [],
        [app, web(81)],
        [app, web(80)],
        [{ kind: "IsolineSettings", spec: { maxSources: 1 } }],
      ])
        for (const name of ["web", "new"]) await ask("PUT", `/sources/${name}${query}`, objects, "pr");
    expect(await ask("PUT", "/sources/web?dry-run=1&rollback=1", undefined, "pr")).toMatchObject({
      status: 200,
    });
    for (const query of [
      "",
      "?dry-run=0",
      "?dry-run=false",
      "?strict=1",
      "?rollback=1",
      "?dry-run=0&dry-run=1",
    ])
      expect((await ask("PUT", `/sources/web${query}`, [app], "pr")).status).toBe(401);
    expect(held()).toBe(before);
  });
});
