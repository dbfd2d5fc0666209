import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { tokenCommand } from "../../src/cli/token.js";
import { TokenFile } from "../../src/runtime/node/token-file.js";
import { parseTokens } from "../../src/server/tokens.js";

let file: string;
let out: string[];
let err: string[];

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-token-"));
  file = join(folder, "tokens");
  [out, err] = [[], []];
  const spies = [
    vi.spyOn(console, "log").mockImplementation((text) => void out.push(String(text))),
    vi.spyOn(console, "error").mockImplementation((text) => void err.push(String(text))),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
    rmSync(folder, { recursive: true });
  });
});

const entries = () => parseTokens(readFileSync(file, "utf8")).entries;

describe("isoline token", () => {
  it("makes a publisher of some namespaces without a source", async () => {
    await tokenCommand("publish", { name: "tenant", namespaces: "team", file });
    expect(entries()).toMatchObject([{ role: "publish", source: "tenant", namespaces: ["team"] }]);
    expect([out.length, err]).toEqual([1, []]);
  });

  it("makes a token for one Envoy, or for those whose ids begin so", async () => {
    await tokenCommand("node", { nodes: "edge-1", file });
    await tokenCommand("node", { nodes: "edge-*", file });
    expect(entries()).toMatchObject([{ nodes: "edge-1" }, { nodes: "edge-*" }]);
    expect(err).toEqual([]);
  });

  it("says so where ids are written as prefixes were before, and refuses a * elsewhere", async () => {
    await tokenCommand("node", { nodes: "edge-", file });
    expect(err).toEqual(["nodes=edge- is read as nodes=edge-*: add the * for a prefix"]);
    await expect(tokenCommand("node", { nodes: "*-edge", file })).rejects.toThrow("is not a valid");
    expect(entries()).toHaveLength(1);
  });
});

it("a file of tokens logs errors and warnings by line when it is read", () => {
  const digest = "0".repeat(64);
  writeFileSync(file, `# tokens\nnode sha256:${digest} nodes=edge-\nboss sha256:${digest}\n`);
  const log: string[] = [];
  const tokens = new TokenFile(file, (line) => log.push(line)).read();
  expect(tokens.entries).toHaveLength(1);
  expect(log.map((line) => line.replace(file, "FILE"))).toEqual([
    "FILE: line 3: the first word must be a role: hook, preview, publish, node, read, admin",
    "FILE: line 2: nodes=edge- is read as nodes=edge-*: add the * for a prefix",
  ]);
});
