import { describe, expect, it, vi } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { hostProxy, type Manifest } from "../support/backend.js";
import { engineOf } from "../support/engine.js";

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly objects?: number;
  readonly findings?: readonly { readonly about: string; readonly reason: string; readonly path?: string }[];
}

function rig() {
  const store = createMemoryStore();
  const hub = new Hub({ now: () => 1_000_000, log: () => undefined });
  const engine = engineOf(store, {
    outlet: hub,
    platform: { checkKeyPair: () => undefined },
    now: () => 1_000_000,
  });
  const sources = new PushedSources(engine);
  const app = createApp({
    hub,
    sources,
    status: () => statusReport(engine, sources),
    authenticate: everyone,
  });
  const put = async (body: string | object, query = ""): Promise<Answer> => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const answer = await app.request(`/sources/main${query}`, { method: "PUT", body: text });
    return { ...((await answer.json()) as object), status: answer.status };
  };
  const refs = (): string[] => [...store.objects()].map(({ ref }) => ref).sort();
  return { put, refs, engine, app };
}

const proxies: readonly Manifest[] = [hostProxy("a.test", "x"), hostProxy("b.test", "x")];
const [first] = proxies;
const served = ["HTTPProxy/default/a-test", "HTTPProxy/default/b-test"];
const list = (...items: unknown[]): object => ({ apiVersion: "v1", kind: "List", items });
const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", code: 503 };
const table = { kind: "Table", apiVersion: "meta.k8s.io/v1", rows: [] };

describe("a push that is no list of objects changes nothing", () => {
  it.each<[string, string | object, string, string]>([
    ["an error of the API", status, "not-an-object", "document 1 (line 1) is a Status"],
    [
      "one in YAML",
      "# c\nkind: Status\napiVersion: v1\nstatus: Failure\n",
      "not-an-object",
      "(line 2) is a Status",
    ],
    [
      "one after objects",
      `${JSON.stringify(first)}\n${JSON.stringify(status)}`,
      "not-an-object",
      "document 2 (line 2)",
    ],
    ["one in a list", list(first, status), "not-an-object", "items[1] is a Status"],
    ["one in an array", [first, status], "not-an-object", "[1] is a Status"],
    ["a table", table, "not-an-object", "is a Table"],
    [
      "metadata alone",
      { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1", items: [] },
      "not-an-object",
      "does not contain whole objects",
    ],
    ["a list in a list", list(first, list(first)), "not-an-object", "items[1] is a list"],
    [
      "an empty list in a list",
      list({ apiVersion: "v1", kind: "List", items: [] }),
      "not-an-object",
      "items[0] is a list",
    ],
    [
      "a typed list in a list",
      list({ apiVersion: "projectcontour.io/v1", kind: "HTTPProxyList", items: [] }),
      "not-an-object",
      "items[0] is a list",
    ],
    ["a list without items", { apiVersion: "v1", kind: "List" }, "not-an-object", "without `items`"],
    [
      "a list whose items are null",
      { apiVersion: "v1", kind: "List", items: null },
      "not-an-object",
      "without `items`",
    ],
    [
      "a typed list without items",
      { apiVersion: "projectcontour.io/v1", kind: "HTTPProxyList" },
      "not-an-object",
      "without `items`",
    ],
    [
      "a List of another group",
      { apiVersion: "example.com/v1", kind: "List", items: [] },
      "not-an-object",
      "apiVersion",
    ],
    ["one page of a list", { ...list(first), metadata: { continue: "abc" } }, "not-an-object", "one page"],
    ["a list of texts", list("x"), "not-an-object", "items[0] is not an object"],
    [
      "an object without a kind",
      { ...first, kind: undefined },
      "not-an-object",
      "document 1 (line 1): kind is missing",
    ],
    [
      "an object without a version",
      list(first, { ...first, apiVersion: "" }),
      "not-an-object",
      "item 1: apiVersion is missing",
    ],
    [
      "an error of another API",
      { error: { code: 503, message: "unavailable" } },
      "not-an-object",
      "kind is missing",
    ],
    ["text", "Service Unavailable\n", "not-an-object", "must be a map"],
    ["a number", "503", "not-an-object", "must be a map"],
    ["an HTML page", "<!DOCTYPE html>\n<html><body>502</body></html>", "not-readable", "HTML"],
    ["another HTML page", "\n<html>\n<head><title>502 Bad Gateway</title></head>\n", "not-readable", "HTML"],
    ["nothing", "", "empty", "push an empty List"],
    ["comments", "# a\n---\n# b\n", "empty", "push an empty List"],
    ["null", "null\n", "empty", "push an empty List"],
    [
      "kinds that routing does not read",
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "x" } },
      "no-objects",
      "none of the 1 objects",
    ],
    [
      "a key twice in JSON",
      '{"apiVersion":"v1","kind":"List","items":[{"kind":"A","metadata":{"name":"x","name":"y"}}]}',
      "not-readable",
      "line 1:78: items[0].metadata.name: the key is set twice",
    ],
    [
      "the first key twice",
      '{"kind":"List","apiVersion":"v1","items":[],"kind":"Status"}',
      "not-readable",
      "kind: the key is set twice",
    ],
    [
      "a key twice in a later line",
      `${JSON.stringify(first)}\n{"kind":"Service",\n"kind":"Secret"}\n`,
      "not-readable",
      "line 3:1: kind: the key is set twice",
    ],
    [
      "a key twice in YAML",
      "kind: Service\nkind: Secret\n",
      "not-readable",
      "line 2:1: kind: the key is set twice",
    ],
    ["a file that is cut off", JSON.stringify(list(...proxies)).slice(0, -9), "not-readable", "line 1"],
  ])("%s", async (_, body, code, detail) => {
    const { put, refs, engine } = rig();
    expect(await put(proxies)).toMatchObject({ status: 200, objects: 2 });
    const { sequence } = engine;
    for (const query of ["", "?accept-shrink", "?strict", "?dry-run"]) {
      const answer = await put(body, query);
      expect(answer).toMatchObject({ status: 400, code, detail: expect.stringContaining(detail) as string });
      expect(answer.detail).toContain("nothing was changed");
    }
    expect([refs(), engine.sequence]).toEqual([served, sequence]);
    expect(await put(proxies)).toMatchObject({ status: 200, changed: false });
  });

  it.each<[string, string | object]>([
    ["an empty List", list()],
    ["an empty List in YAML", "apiVersion: v1\nkind: List\nitems: []\n"],
    [
      "an empty typed list",
      { apiVersion: "projectcontour.io/v1", kind: "HTTPProxyList", metadata: {}, items: [] },
    ],
    ["an empty array", "[]"],
  ])("%s removes all", async (_, body) => {
    const { put, refs } = rig();
    await put(proxies);
    expect(await put(body)).toMatchObject({ status: 200, objects: 0 });
    expect(refs()).toEqual([]);
  });

  it("of a list of whatever kind takes its members", async () => {
    const { put, refs } = rig();
    const own = { apiVersion: "example.com/v1", kind: "AllowList", metadata: { name: "x" }, spec: {} };
    expect(await put(list(...proxies, own))).toMatchObject({ status: 200, objects: 2 });
    expect(refs()).toEqual(served);
  });
});

describe("an object that has no valid name", () => {
  it.each<[string, object]>([
    ["none at all", { ...hostProxy("b.test", "x"), metadata: {} }],
    ["one that is not valid", { ...hostProxy("b.test", "x"), metadata: { name: "B!" } }],
    ["a kind that is misspelled", { ...hostProxy("b.test", "x"), kind: "HTTPProxi" }],
  ])("such as %s removes none of those that were there, and the others are taken", async (_, broken) => {
    const { put, refs } = rig();
    await put(proxies);
    const answer = await put([first, broken, hostProxy("c.test", "x")]);
    expect(answer).toMatchObject({ status: 200, objects: 2 });
    expect(answer.findings).toContainEqual(expect.objectContaining({ about: "Source//", reason: "Unnamed" }));
    expect(refs()).toEqual([...served, "HTTPProxy/default/c-test"]);
    await put([first]);
    expect(refs()).toEqual(["HTTPProxy/default/a-test"]);
  });
});

describe("a large push", () => {
  it.each([
    ["a list", `kind: HTTPProxy\nspec:\n  routes:\n${"  - a: 1\n".repeat(250_000)}`],
    ["a flow list", `{kind: HTTPProxy, spec: {routes: [${"{a: 1}, ".repeat(250_000)}]}}`],
    ["a map", Array.from({ length: 320_000 }, (_, i) => `k${i}: 1\n`).join("")],
    ["a folded text", `kind: >\n${" a\n".repeat(620_000)}`],
  ])("whose one YAML document has more nodes than are parsed in a piece is refused: %s", async (_, text) => {
    const { put } = rig();
    expect(await put(text)).toMatchObject({
      status: 400,
      detail: expect.stringContaining("more than 600000 nodes"),
    });
  });

  it("lets others work between its slices, whatever its form", async () => {
    const text = JSON.stringify(proxies[0]);
    const yaml = `---\n${"# x\n".repeat(100)}kind: Other\napiVersion: v1\n`;
    const many = JSON.stringify(list(...Array.from({ length: 5000 }, () => first)));
    for (const body of [`${text}\n`.repeat(5000), `${yaml.repeat(5000)}---\n${text}`, many]) {
      const { put } = rig();
      let turns = 0;
      const timer = setInterval(() => turns++, 0);
      expect(await put(body)).toMatchObject({ status: 200, objects: 1 });
      clearInterval(timer);
      expect(turns).toBeGreaterThan(3);
    }
  });

  it("is read one after the other", async () => {
    const { put } = rig();
    const many = `${JSON.stringify(first)}\n`.repeat(3000);
    const order: number[] = [];
    await Promise.all([put(many).then(() => order.push(1)), put(proxies).then(() => order.push(2))]);
    expect(order).toEqual([1, 2]);
  });

  it("of one object with more fields than Kubernetes takes is a finding about that object", async () => {
    const { put, refs } = rig();
    await put(proxies);
    const routes = Array.from({ length: 100_001 }, () => 1);
    const answer = await put([{ ...first, spec: { ...(first?.spec as object), routes } }, proxies[1]]);
    expect(answer.findings).toContainEqual(
      expect.objectContaining({ about: served[0], path: "spec.routes", reason: "Invalid" }),
    );
    expect(refs()).toEqual(served);
  });

  it("of one object with many errors tells of a hundred, and how many more there are", async () => {
    const { put } = rig();
    const routes = Array.from({ length: 50_000 }, () => 1);
    const { findings = [] } = await put([{ ...first, spec: { routes } }]);
    expect(findings.length).toBe(101);
    expect(findings.at(-1)).toMatchObject({ message: expect.stringContaining("49900 more") });
  });
});

describe("a hook", () => {
  it("takes no key that is set twice", async () => {
    const hub = new Hub({ now: () => 1_000_000, log: () => undefined });
    const review = vi.fn();
    const hooks = { ring: () => undefined, review, concerns: () => true };
    const app = createApp({ hub, hooks, status: () => ({}), authenticate: everyone });
    const body =
      '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"a","uid":"b"}}';
    const answer = await app.request("/hooks/admission", { method: "POST", body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: "repeated-key" }]);
    expect(review).not.toHaveBeenCalled();
  });
});
