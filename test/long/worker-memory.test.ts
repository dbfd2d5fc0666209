import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { application, applications } from "../bench/apps.js";
import { startCappedWorker } from "../support/workerd.js";

const lineOf = (role: string, token: string): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")}`;
const count = 10_000;

/** An isolate has 128 MB; 24 of them are left for bytes outside of the heap. */
const heapMegabytes = 104;

it(`holds ${count} applications in an isolate's memory`, async () => {
  const { url, isAlive } = await startCappedWorker(heapMegabytes, {
    ISOLINE_INSECURE: "1",
    ISOLINE_TOKENS: [lineOf("publish", "p"), lineOf("node", "n")].join("\n"),
  });
  const push = async (text: string): Promise<unknown> => {
    const headers = { authorization: "Bearer p", "content-encoding": "gzip", connection: "close" };
    const answer = await fetch(`${url}/sources/main`, { method: "PUT", headers, body: gzipSync(text) });
    const first = (await answer.json()) as object;
    let left: number | undefined;
    do {
      const now = await fetch(`${url}/sources/main`, {
        headers: { authorization: "Bearer p", connection: "close" },
      });
      ({ left } = (await now.json()) as { left?: number });
    } while (left);
    return first;
  };
  const poll = async (type: string, names: readonly string[] = []): Promise<number> => {
    const body = JSON.stringify({ version_info: "", node: { id: type }, resource_names: names });
    const headers = { authorization: "Bearer n", connection: "close" };
    const answer = await fetch(`${url}/v3/discovery:${type}`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { resources: { virtual_hosts?: unknown[] }[] }).resources.reduce(
      (sum, resource) => sum + (resource.virtual_hosts?.length ?? 1),
      0,
    );
  };
  const text = applications(count);
  expect(await push(text)).toMatchObject({ revision: 1, objects: expect.any(Number), findings: [] });
  expect(await poll("clusters")).toBeGreaterThanOrEqual(count);
  expect(await poll("listeners")).toBeGreaterThanOrEqual(1);
  expect(await poll("routes", ["ingress_http"])).toBe(count);
  const edited = application(7, "team-7", "3s").map((object) => JSON.stringify(object));
  expect(await push(`${text}\n${edited.join("\n")}`)).toMatchObject({ revision: 2, changed: true });
  expect(await poll("routes", ["ingress_http"])).toBe(count);
  // All hosts at once: their edits, and then texts before that are kept, are as much as a push is.
  const moved = text.replaceAll('"15s"', '"4s"');
  expect(await push(moved)).toMatchObject({ revision: 3, findings: [] });
  const broken = moved.replaceAll(
    /("services":\[\{"name":"app-\d+","port":)80/g,
    (_, before) => `${before}81`,
  );
  expect(await push(broken)).toMatchObject({ revision: 4 });
  expect(await poll("routes", ["ingress_http"])).toBe(count);
  expect(isAlive()).toBe(true);
});
