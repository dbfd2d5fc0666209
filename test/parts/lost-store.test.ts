import { describe, expect, it, onTestFinished } from "vitest";
import { formatMark, markOf, missingOf, partVersion } from "../../src/link/mark.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { httpProxy } from "../support/backend.js";

interface Answer {
  readonly status: number;
  readonly version: string;
  readonly text: string;
}

/** No test has clusters, so that their version differs in the mark alone. */
const noClusters = { hash: "" };
const clustersOf = (version: string): string => version.replace(/-[0-9a-f]{16}/, `-${noClusters.hash}`);

/** The versions of a server begin at its clock, and so those of the next one are above these. */
async function clockPasses(version: string): Promise<void> {
  const [sequence] = version.split("-");
  while (Date.now() <= Number(sequence) + 16) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A server for pushes, as after a start. */
async function start(store: Store = createMemoryStore()) {
  const log: string[] = [];
  const options = { paths: [], push: true, store, host: "127.0.0.1", port: 0 };
  const server = await startServer({ ...options, log: (line) => log.push(line) });
  onTestFinished(() => server.close());
  const push = async (source: string, ...hosts: readonly string[]): Promise<{ missing?: number }> => {
    const items = hosts.map((name) =>
      httpProxy("shop", name, {
        virtualhost: { fqdn: `${name}.test` },
        routes: [{ directResponsePolicy: { statusCode: 200 } }],
      }),
    );
    const body = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    const answer = await fetch(`${server.url}/sources/${source}`, { method: "PUT", body });
    expect(answer.status).toBe(200);
    return (await answer.json()) as { missing?: number };
  };
  const ask = async (version: string, type: string, node: string, holdMs: number): Promise<Answer> => {
    const names = type === "routes" ? ["ingress_http"] : [];
    const answer = await fetch(`${server.url}/v3/discovery:${type}`, {
      method: "POST",
      headers: holdMs > 0 ? { "x-envoy-expected-rq-timeout-ms": String(holdMs + 2000) } : {},
      body: JSON.stringify({ version_info: version, node: { id: node }, resource_names: names }),
    });
    const text = await answer.text();
    const found = /"version_info":"([^"]*)"/.exec(text);
    return { status: answer.status, version: found?.[1] ?? "", text };
  };
  /** A poll of an Envoy that has clusters of the same server, and polls for these, too: routes wait for that. */
  const poll = async (version: string, type = "routes", node = "edge", holdMs = 0): Promise<Answer> => {
    noClusters.hash ||= /-([0-9a-f]{16})/.exec((await ask("", "clusters", "probe", 0)).version)?.[1] ?? "";
    if (version !== "" && type !== "clusters") {
      const other = ask(clustersOf(version), "clusters", node, holdMs).catch(() => undefined);
      if (holdMs === 0) await other;
    }
    return ask(version, type, node, holdMs);
  };
  const complete = async (): Promise<Response> => fetch(`${server.url}/sources?complete`, { method: "POST" });
  const get = async (path: string): Promise<string> => (await fetch(`${server.url}${path}`)).text();
  return { server, store, log, push, poll, complete, get };
}

describe("a mark", () => {
  it("goes with a version and comes back", () => {
    const mark = markOf("0123abcd", ["web", "api"]);
    expect(partVersion(`7-0123456789abcdef${formatMark(mark)}`)).toEqual({
      version: "7-0123456789abcdef",
      mark,
    });
    const none = markOf("0123abcd", []);
    expect(partVersion(`7-a${formatMark(none)}`)).toEqual({ version: "7-a", mark: none });
    for (const other of [
      "",
      "7-a",
      "7-a+0123abcd",
      "7-a+0123abcd.1.zz",
      `7-a+0123abcd.1${".012345".repeat(33)}`,
    ])
      expect(partVersion(other)).toEqual({ version: other });
  });

  it("says how many sources are missing, also of more than it names", () => {
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    const mark = markOf("0123abcd", names);
    expect(formatMark(mark).length).toBeLessThan(300);
    expect(missingOf(mark, names)).toBe(0);
    expect(missingOf(mark, [...names, "new"])).toBe(0);
    expect(missingOf(mark, names.slice(1))).toBe(1);
    expect(missingOf(mark, [])).toBe(100);
    expect(missingOf(markOf("0123abcd", ["a"]), ["b", "c"])).toBe(1);
  });
});

describe("a server whose store was lost", () => {
  const servedBefore = async () => {
    const first = await start();
    await first.push("web", "one");
    await first.push("api", "two");
    const { version, text } = await first.poll("");
    expect(text).toContain("two.test");
    await first.server.close();
    await clockPasses(version);
    return version;
  };

  it("leaves an Envoy what it has until each source is pushed again", async () => {
    const version = await servedBefore();
    const next = await start();
    expect((await next.poll(version)).status).toBe(503);
    await next.push("web", "one");
    expect((await next.poll(version)).status).toBe(503);
    expect((await next.push("web", "one", "more")).missing).toBe(1);
    expect(await next.get("/metrics")).toContain("isoline_sources_missing 1");
    expect(await next.get("/status")).toContain("StoreLost");
    expect(next.log.join("\n")).toContain('node "edge" has 1 sources');
    const held = next.poll(version, "routes", "edge", 10_000);
    expect((await next.push("api", "two")).missing).toBeUndefined();
    const answer = await held;
    expect(answer.status).toBe(200);
    expect(answer.text).toMatch(/more\.test.*one\.test.*two\.test/s);
    expect((await next.poll(answer.version)).status).toBe(304);
    expect(await next.get("/metrics")).toContain("isoline_sources_missing 0");
  });

  it("gives an Envoy less once an admin says that what is pushed is all", async () => {
    const version = await servedBefore();
    const next = await start();
    await next.push("web", "one");
    expect((await next.poll(version)).status).toBe(503);
    expect((await fetch(`${next.server.url}/sources`, { method: "POST" })).status).toBe(400);
    const held = next.poll(version, "routes", "edge", 10_000);
    expect(await (await next.complete()).json()).toEqual({ sources: ["web"], missing: 1 });
    const answer = await held;
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("two.test");
    // The store keeps that.
    await next.server.close();
    const again = await start(next.store);
    expect((await again.poll(version)).status).toBe(200);
  });

  it("gives new Envoys of the same token nothing less than the others have", async () => {
    const version = await servedBefore();
    const next = await start();
    await next.push("web", "one");
    expect((await next.poll("", "routes", "new")).status).toBe(200);
    expect((await next.poll(version)).status).toBe(503);
    expect((await next.poll("", "routes", "new")).status).toBe(503);
    expect((await next.poll("", "listeners", "new")).status).toBe(503);
    await next.push("api", "two");
    expect((await next.poll("", "routes", "new")).status).toBe(200);
  });

  it("answers what it has sent itself, whatever another Envoy says", async () => {
    const next = await start();
    await next.push("web", "one");
    const { version } = await next.poll("");
    const lie = `999999999999999-0123456789abcdef+00000000.40${".00ff00".repeat(32)}`;
    expect((await next.poll(lie, "routes", "liar")).status).toBe(503);
    await next.push("web", "one", "more");
    const { status, text } = await next.poll(version);
    expect(status).toBe(200);
    expect(text).toContain("more.test");
  });

  it("takes a source away that an admin removes, and one that was removed before the loss is not waited for", async () => {
    const first = await start();
    await first.push("web", "one");
    await first.push("api", "two");
    const { version } = await first.poll("");
    await fetch(`${first.server.url}/sources/api`, { method: "DELETE" });
    const after = await first.poll(version);
    expect(after.text).not.toContain("two.test");
    await first.server.close();
    await clockPasses(after.version);
    const next = await start();
    await next.push("web", "one", "more");
    expect((await next.poll(after.version)).text).toContain("more.test");
  });

  it("says nothing of versions of an Isoline that had no marks", async () => {
    const next = await start();
    await next.push("web", "one");
    expect((await next.poll("5-0123456789abcdef")).status).toBe(200);
  });
});
