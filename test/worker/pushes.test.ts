import { beforeEach, describe, expect, it } from "vitest";
import { hostProxy, httpProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { type KeptWorker, keptWorker } from "../support/kept-worker.js";

interface Body {
  readonly code?: string;
  readonly revision?: number;
  readonly left?: number;
  readonly outcome?: string;
  readonly traffic?: readonly string[];
  readonly findings?: readonly {
    readonly about: string;
    readonly reason: string;
    readonly message: string;
  }[];
  readonly revisions?: readonly object[];
}

let worker: KeptWorker<Body>;
beforeEach(async () => {
  worker = await keptWorker([
    { role: "publish", token: "ci" },
    { role: "publish", token: "tenant", rest: "source=main namespaces=team" },
    { role: "preview", token: "pr", rest: "source=main" },
    { role: "admin", token: "boss" },
  ]);
});

const app = service("team", "app");
const web = (fqdn: string, port: number): Manifest =>
  httpProxy("team", "web", { virtualhost: { fqdn }, routes: [{ services: [{ name: "app", port }] }] });
const put = (objects: readonly Manifest[], query = "", token = "ci") =>
  worker.ask(`/sources/main${query}`, token, { method: "PUT", body: JSON.stringify(objects) });
const serves = async (host: string): Promise<string | undefined> =>
  (await worker.ask(`/explain?url=${encodeURIComponent(`http://${host}/`)}`, "boss")).body.outcome;
const kept = { reason: "LastGoodKept", about: "HTTPProxy/team/web" };

describe("pushes to a Worker", () => {
  it("have a history, can be rolled back, and keep the last good text, over restarts", async () => {
    await worker.running(async () => {
      await put([app, web("a.test", 80), tlsSecret("team", "secure")]);
      await put([app, web("b.test", 80)]);
      const { status, body } = await put([app, web("b.test", 81)]);
      expect([status, body.revision, body.findings?.at(-1)]).toEqual([200, 3, expect.objectContaining(kept)]);
      expect(await serves("b.test")).toBe("forward");
    });
    await worker.running(async () => {
      expect(await serves("b.test")).toBe("forward");
      expect((await worker.ask("/sources/main", "ci")).body.findings?.at(-1)).toMatchObject({
        ...kept,
        message: expect.stringContaining("its text of revision 2 "),
      });
      const { body } = await worker.ask("/sources/main/revisions", "tenant");
      expect(body.revisions).toMatchObject([
        { revision: 3, by: "ci", changes: { changed: { refs: ["HTTPProxy/team/web"] } } },
        { revision: 2, changes: { removed: { refs: ["Secret/team/secure"] } } },
        { revision: 1, changes: { added: { count: 3 } } },
      ]);
      expect(JSON.stringify(body)).not.toMatch(/LS0t|PRIVATE/);
      const back = await worker.ask("/sources/main?rollback=1&expect=3", "tenant", { method: "PUT" });
      expect(back).toMatchObject({ status: 200, body: { revision: 4, before: 3 } });
    });
    await worker.running(async () => {
      expect([await serves("a.test"), await serves("b.test")]).toEqual(["forward", "not-found"]);
      expect(await worker.ask("/sources/main/revisions?last=1", "boss")).toMatchObject({
        body: {
          revisions: [{ revision: 4, by: "tenant", changes: { added: { refs: ["Secret/team/secure"] } } }],
        },
      });
    });
  });

  it("can be tried with a preview token, which permits nothing else", async () => {
    await worker.running(async () => {
      await put([app, web("a.test", 80)]);
      const tried = await put([app, web("c.test", 80)], "?dry-run=1", "pr");
      expect(tried).toMatchObject({ status: 200, body: { revision: 2, changed: true } });
      expect(tried.body.traffic?.join("\n")).toContain("c.test");
      const paths = [
        "/status",
        "/sources",
        "/metrics",
        "/graph",
        "/explain?url=http://a.test/",
        "/sources/main",
        "/sources/main/revisions",
        "/sources/main/revisions/1",
        "/accept-shrink",
        "/hooks/refresh",
        "/v3/discovery:secrets",
        "/sources/main?dry-run=0",
        "/sources/main?rollback=1",
      ];
      for (const path of paths)
        for (const method of ["GET", "POST", "PUT", "DELETE"]) {
          const body = method === "GET" ? {} : { body: "{}" };
          expect([path, method, (await worker.ask(path, "pr", { method, ...body })).status]).toEqual([
            path,
            method,
            expect.toBeOneOf([401, 404, 405]),
          ]);
        }
      expect(await worker.ask("/sources/other?dry-run=1", "pr", { method: "PUT", body: "[]" })).toMatchObject(
        { status: 403 },
      );
      expect(await worker.ask("/sources/main", "ci")).toMatchObject({ body: { revision: 1 } });
      expect(await serves("c.test")).not.toBe("forward");
    });
  });

  it("that break thousands of hosts are validated in parts, also by the next process", async () => {
    const hosts = (port: number): Manifest[] =>
      Array.from({ length: 3000 }, (_, i) =>
        httpProxy("team", `h${i}`, {
          virtualhost: { fqdn: `h${i}.test` },
          routes: [{ services: [{ name: "app", port }] }],
        }),
      );
    const settled = () =>
      eventually(async () => !(await worker.ask("/sources/main", "ci")).body.left, "the push is settled");
    await worker.running(async () => {
      await put([app, hostProxy("b.test", "app", "team"), ...hosts(80)]);
      await settled();
      const { body } = await put([app, hostProxy("c.test", "app", "team"), ...hosts(81)], "?accept-shrink=1");
      expect(body.left).toBeGreaterThan(0);
    });
    await worker.running(async () => {
      await settled();
      const { findings = [] } = (await worker.ask("/sources/main", "ci")).body;
      expect(findings.filter(({ reason }) => reason === "LastGoodKept")).toHaveLength(3000);
      for (const host of ["h0.test", "h2999.test", "c.test"])
        expect([host, await serves(host)]).toEqual([host, "forward"]);
    });
  });
});
