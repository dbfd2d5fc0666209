import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";

const proxy = (name: string): string => `apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${name}, namespace: shop}
spec:
  virtualhost: {fqdn: ${name}.test}
  routes: [{directResponsePolicy: {statusCode: 200}}]
`;

interface Status {
  readonly findings: readonly { readonly message: string; readonly line: number }[];
}

/** Serves one file, which edits replace completely. */
async function serveFile(text: string) {
  const folder = await mkdtemp(join(tmpdir(), "isoline-files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "web.yaml");
  const edit = async (edited: string): Promise<void> => {
    await writeFile(join(folder, "new"), edited);
    await rename(join(folder, "new"), file);
  };
  await edit(text);
  const lines: string[] = [];
  const server = await startServer({
    paths: [file],
    host: "127.0.0.1",
    port: 0,
    log: (line) => lines.push(line),
  });
  onTestFinished(() => server.close());
  const hosts = async (): Promise<string[]> => {
    const graph = await (await fetch(`${server.url}/graph`)).text();
    return ["a.test", "b.test", "c.test"].filter((host) => graph.includes(host));
  };
  const findings = async (): Promise<Status["findings"]> =>
    ((await (await fetch(`${server.url}/status`)).json()) as Status).findings;
  return { edit, hosts, findings };
}

const both = `${proxy("a")}---\n${proxy("b")}`;

it.each<[string, string, string, number]>([
  ["an error of the API", '{"kind":"Status","apiVersion":"v1","status":"Failure"}', "is a Status", 1],
  ["one beside objects", `${proxy("a")}---\nkind: Status\napiVersion: v1\n`, "is a Status", 8],
  [
    "a list in a list",
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: []}\n",
    "items[0] is a list",
    1,
  ],
  ["an HTML page", "<html>\n<p>502\n", "must be a map", 1],
  ["text without end", "apiVersion: v1\nkind: 'List\n", "not valid YAML", 3],
  ["a key twice", `${proxy("a")}---\n${proxy("b")}kind: HTTPProxy\n`, "kind: the key is set twice", 14],
  [
    "an object without a kind",
    `${proxy("a")}---\n${proxy("b").replace("kind: HTTPProxy\n", "")}`,
    "is missing",
    8,
  ],
  [
    "an object without a version",
    `${proxy("a")}---\n${proxy("b").replace("apiVersion: projectcontour.io/v1\n", "")}`,
    "is missing",
    8,
  ],
  [
    "a misspelled kind",
    `${proxy("a")}---\n${proxy("b").replace("HTTPProxy", "HTTPProxi")}`,
    "did you mean HTTPProxy",
    9,
  ],
  ["a name that is not valid", `${proxy("a")}---\n${proxy("b").replace("name: b", "name: B!")}`, "", 10],
])("a file that is edited to %s leaves what was served", async (_, edited, message, line) => {
  const { edit, hosts, findings } = await serveFile(both);
  expect(await hosts()).toEqual(["a.test", "b.test"]);
  await edit(edited);
  await vi.waitFor(
    async () =>
      expect(await findings()).toContainEqual(
        expect.objectContaining({ message: expect.stringContaining(message) as string, line }),
      ),
    { timeout: 30_000 },
  );
  expect(await hosts()).toEqual(["a.test", "b.test"]);
  // Read again unchanged, and then with another error.
  for (const [i, text] of [`${edited}\n`, "nor: this\n"].entries()) {
    await edit(text);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect([i, ...(await hosts())]).toEqual([i, "a.test", "b.test"]);
  }
  await edit(proxy("c"));
  await vi.waitFor(async () => expect(await hosts()).toEqual(["c.test"]), { timeout: 30_000 });
});
