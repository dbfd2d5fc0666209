import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { envoyCommand } from "../../src/cli/envoy.js";
import { type GraphCommandOptions, graphCommand } from "../../src/cli/graph.js";
import { type StatusCommandOptions, statusCommand } from "../../src/cli/status.js";
import { UsageError } from "../../src/cli/usage.js";
import { readConfigDump } from "../../src/explain/config-dump.js";
import { raisedFlags, responseFlags } from "../../src/explain/response-flags.js";
import { hostProxy, service } from "../support/backend.js";
import { captureOutput } from "../support/output.js";
import { fiveHosts, manyHosts } from "../support/page-objects.js";
import { type PageRig, pageTokens, startPageRig } from "../support/page-rig.js";

let out = "";
let folder = "";
beforeEach(() => {
  out = "";
  folder = mkdtempSync(join(tmpdir(), "isoline-status-"));
  captureOutput(
    (text) => {
      out += text;
    },
    () => undefined,
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

async function start(): Promise<PageRig> {
  const rig = await startPageRig();
  onTestFinished(() => rig.stop());
  return rig;
}

function tokenFile(token: string = pageTokens.read): string {
  const file = join(folder, token);
  writeFileSync(file, token);
  return file;
}

describe("isoline status", () => {
  const status = (rig: PageRig, options: Partial<StatusCommandOptions> = {}): Promise<number> =>
    statusCommand({ xds: rig.url, tokenFile: tokenFile(), failOn: "bad", format: "text", ...options });

  it("prints the verdict, Envoys as a table and problems with how to fix them", async () => {
    const rig = await start();
    await rig.push(manyHosts(3, 4));
    const first = await rig.poll("edge-1", "listeners", "");
    await rig.poll("edge-1", "listeners", first);
    expect(await status(rig)).toBe(0);
    expect(out).toMatch(
      /^Look into this: \d+ hosts · 4 errors in 4 objects · 1 Envoy: 1 current · last change \d+ s ago by ci \(web, revision 1\)\n/,
    );
    expect(out).toMatch(
      /\nENVOY {2,}TOKEN {2,}RELEASE {2,}SEEN {2,}LISTENERS\nedge-1 {2,}edge {2,}1\.40 {2,}\d+ s ago {2,}current\n/,
    );
    expect(out).toMatch(/\nerror ServiceUnresolvedReference: 2 {2}\(team-0 1, team-3 1\)\n {2}to fix: \S/);
    expect(await status(rig, { failOn: "warning" })).toBe(1);
  });

  it("exits with 1 where an Envoy refuses, and 0 where it is told never to", async () => {
    const rig = await start();
    await rig.push(fiveHosts());
    const first = await rig.poll("edge-1", "listeners", "");
    await rig.poll("edge-1", "listeners", first);
    await rig.push([{ kind: "IsolineSettings", spec: { httpPort: 8081 } }], "settings");
    for (let n = 0; n < 2; n++) await rig.poll("edge-1", "listeners", first);
    expect(await status(rig)).toBe(1);
    expect(out).toMatch(/^Act now: .*1 refuses listeners since \d\d:\d\d/);
    expect(out).toMatch(/REFUSES \(\d+ s ago\)/);
    expect(await status(rig, { failOn: "never" })).toBe(0);
  });

  it("prints JSON for scripts, and says what token is needed", async () => {
    const rig = await start();
    await rig.push(fiveHosts());
    await status(rig, { format: "json" });
    expect(JSON.parse(out)).toMatchObject({
      verdict: { level: "good" },
      overview: { hosts: 5 },
      envoys: { total: 0 },
    });
    await expect(status(rig, { tokenFile: tokenFile("nobody") })).rejects.toThrow(/answers 401: .*token/);
    await expect(status(rig, { xds: "http://127.0.0.1:1" })).rejects.toThrow("can't reach");
  });
});

describe("isoline graph", () => {
  const graph = (host: string | undefined, options: Partial<GraphCommandOptions>): Promise<number> =>
    graphCommand(host, {
      file: [],
      header: [],
      known: [],
      assumeMissing: "auto",
      format: "text",
      output: "-",
      ...options,
    } as GraphCommandOptions);

  it.each(["text", "dot", "svg", "json"] as const)(
    "draws files and a server alike, as %s",
    async (format) => {
      const objects = [service("default", "a"), hostProxy("a.test", "a")];
      const file = join(folder, "objects.json");
      writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
      expect(await graph("A.test", { file: [file], format, assumeMissing: "none" })).toBe(0);
      const drawn = out;
      expect(drawn).toContain("a.test");
      const rig = await start();
      await rig.push(objects);
      out = "";
      expect(await graph("a.test", { xds: rig.url, tokenFile: tokenFile(), format })).toBe(0);
      expect(out).toBe(drawn);
      await expect(graph("b.test", { file: [file] })).rejects.toThrow("b.test is not served");
    },
  );

  it("draws all hosts, and refuses a picture of too many", async () => {
    const file = join(folder, "objects.json");
    const items = [
      service("default", "a"),
      ...Array.from({ length: 51 }, (_, i) => hostProxy(`h${i}.test`, "a")),
    ];
    writeFileSync(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const output = join(folder, "all.dot");
    expect(await graph(undefined, { file: [file], format: "dot", output })).toBe(0);
    await expect(graph(undefined, { file: [file], format: "svg" })).rejects.toThrow(UsageError);
  });
});

describe("isoline envoy", () => {
  it("prints Envoy's response flags with what to look at", async () => {
    expect(await envoyCommand(undefined, { format: "text" })).toBe(0);
    const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    for (const { flag, meaning, look } of responseFlags) {
      expect(out).toContain(`${flag.padEnd(4)}  ${meaning}\n      look at ${look}\n`);
      expect(page).toContain(`| \`${flag}\` | ${meaning} | ${look} |\n`);
    }
  });

  it("says what an admin interface is, and what can't be reached", async () => {
    await expect(envoyCommand("127.0.0.1:9001", { format: "text" })).rejects.toThrow(UsageError);
    await expect(envoyCommand("http://127.0.0.1:1", { format: "text" })).rejects.toThrow(
      "can't read the Envoy at http://127.0.0.1:1",
    );
    expect(() => readConfigDump({})).toThrow("no configuration of an Envoy");
  });

  it("names the listeners and clusters whose counters have risen, the most first", () => {
    const found = raisedFlags([
      ["http.ingress_http.no_route", 3],
      ["cluster.shop/web/80/0123456789abcdef.upstream_cx_none_healthy", 2],
      ["cluster.shop/api/80/0123456789abcdef.upstream_cx_none_healthy", 7],
      ["cluster.shop/api/80/0123456789abcdef.upstream_rq_timeout", 0],
      ["cluster.shop/api/80/0123456789abcdef.upstream_rq_total", 100],
    ]);
    expect(found.map(({ flag, total, places }) => [flag, total, places])).toEqual([
      ["NR", 3, [{ place: "http ingress_http", count: 3 }]],
      [
        "UH",
        9,
        [
          { place: "cluster shop/api/80", count: 7 },
          { place: "cluster shop/web/80", count: 2 },
        ],
      ],
    ]);
  });

  it("reads why an Envoy refuses something", () => {
    const { refusals } = readConfigDump({
      configs: [
        {
          "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
          version_info: "1-a",
          dynamic_listeners: [{ name: "ingress_http", error_state: { details: "bind failed" } }],
        },
      ],
    });
    expect(refusals).toEqual([{ what: "listener ingress_http", why: "bind failed" }]);
  });
});
