import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { statusReport } from "../../src/engine/status-report.js";
import { hostUnit } from "../../src/graph/core/keys.js";
import { parseVersion } from "../../src/link/version.js";
import { createApp } from "../../src/server/app.js";
import { tokenAuth } from "../../src/server/auth.js";
import { clusterHooks } from "../../src/server/cluster-surface.js";
import { Hub } from "../../src/server/hub.js";
import { parseTokens } from "../../src/server/tokens.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { hostProxy, type Manifest, service, tlsSecret } from "../support/backend.js";
import { dump } from "../support/compile.js";
import { engineOf } from "../support/engine.js";

const tokenLine = (role: string, token: string, rest = ""): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")} ${rest}`;

/** A whole server with a host, a TLS host and a Secret that no host uses, under tokens. */
async function rig() {
  let now = 1_000_000;
  const logged: string[] = [];
  const log = (line: string): void => void logged.push(line);
  const store = createMemoryStore();
  const hub = new Hub({ now: () => now, log });
  const engine = engineOf(store, {
    outlet: hub,
    platform: { checkKeyPair: () => undefined },
    now: () => now,
  });
  const sources = new PushedSources(engine);
  sources.start();
  let rings = 0;
  const hooks = clusterHooks(engine, { strict: false, ready: () => true, ring: () => void rings++ });
  const tokens = parseTokens(
    [
      tokenLine("node", "n"),
      tokenLine("node", "a", "nodes=a-"),
      tokenLine("hook", "h"),
      tokenLine("publish", "p"),
      tokenLine("read", "r"),
    ].join("\n"),
  );
  const app = createApp({
    hub,
    hooks,
    sources,
    inspected: { engine },
    status: () => statusReport(engine, sources),
    authenticate: tokenAuth({ tokens: () => tokens, now: () => now, requireTls: false }),
  });
  const ask = (method: string, path: string, token: string, body?: string): Promise<Response> | Response =>
    app.request(path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });
  const secret = (name: string): Manifest => {
    const made = tlsSecret("default", "secure");
    return { ...made, metadata: { ...(made.metadata as object), name } };
  };
  const objects = [
    service("default", "a"),
    hostProxy("good.test", "a"),
    secret("used"),
    secret("unused"),
    {
      ...hostProxy("secure.test", "a"),
      spec: {
        virtualhost: { fqdn: "secure.test", tls: { secretName: "used" } },
        routes: [{ services: [{ name: "a", port: 80 }] }],
      },
    },
  ];
  const push = (list: readonly object[], query = ""): Promise<Response> | Response =>
    ask("PUT", `/sources/main${query}`, "p", JSON.stringify(list));
  await push(objects);
  // The number of polls a minute is not part of what others see.
  const state = (): string =>
    JSON.stringify([dump(store), { ...hub.status(), polls: undefined }, [...store.objects()].length]);
  return {
    ask,
    push,
    state,
    store,
    hub,
    engine,
    objects,
    logged,
    rings: () => rings,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const review = (object: unknown, rest: object = {}): string =>
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u", operation: "CREATE", object, ...rest },
  });
const poll = (type: string, names: readonly string[], node = "a-1"): string =>
  JSON.stringify({ node: { id: node }, resource_names: names, type_url: type });

describe("what comes in by a hook changes nothing that is served", () => {
  it.each([
    ["random bytes", String.fromCharCode(...Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256))],
    ["a hundred thousand lists", `{"request":${"[".repeat(100_000)}`],
    ["a hundred thousand keys", `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`).join()}}`],
    ["numbers out of range", review({ spec: { weight: 1e308, port: -0, big: 2 ** 53 + 2 } })],
    ["a key twice", review({}).replace('"uid":"u"', '"uid":"u","uid":"v"')],
    ["half a surrogate pair and NUL", review({ ...hostProxy("x.test", "a"), note: "\ud800\u0000" })],
    ["a forged deletion", review(null, { operation: "DELETE", oldObject: hostProxy("good.test", "a") })],
    ["a forged takeover", review(hostProxy("good.test", "evil"))],
  ])("%s", async (_, body) => {
    const { ask, state } = await rig();
    const before = state();
    for (const name of ["admission", "audit"])
      expect((await ask("POST", `/hooks/${name}`, "h", body)).status).toBeLessThan(500);
    expect(state()).toBe(before);
  });

  it("valid JSON that is too deep is refused for that, and an endless string takes no time", async () => {
    const { ask } = await rig();
    const deep = `{"a":${"[".repeat(65)}${"]".repeat(65)}}`;
    for (const name of ["admission", "audit"]) {
      const answer = await ask("POST", `/hooks/${name}`, "h", deep);
      expect(((await answer.json()) as { code: string }).code).toBe("too-deep");
    }
    // Quadratic work would take hours here.
    const endless = `"${'\\"'.repeat(1_500_000)}`;
    expect((await ask("POST", "/hooks/admission", "h", endless)).status).toBe(400);
  });

  it("a review that is replayed a thousand times, in any order, rings and does no more", async () => {
    const { ask, state, rings } = await rig();
    const before = state();
    for (let i = 0; i < 1000; i++)
      await ask("POST", "/hooks/admission", "h", review(hostProxy("x.test", "a")));
    expect(rings()).toBe(1000);
    expect(state()).toBe(before);
  });

  it("a hundred thousand keys that are pushed are an object that is left out", async () => {
    const { push, store, objects } = await rig();
    const labels = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, ""]));
    const wide = { ...service("default", "wide"), metadata: { name: "wide", namespace: "default", labels } };
    await push([...objects, wide]);
    expect(store.unit(hostUnit("good.test"))).toBeDefined();
  });

  it.each(["hasOwnProperty", "constructor", "prototype", "toString"])(
    "an object named %s is one as any other",
    async (name) => {
      const { push, store, objects } = await rig();
      const named = {
        ...service("default", "a"),
        metadata: { name: name.toLowerCase(), namespace: "default" },
      };
      const annotated = JSON.parse(
        JSON.stringify({ ...hostProxy("odd.test", "a"), x: 1 }).replace(
          '"metadata":{',
          `"metadata":{"annotations":{"${name}":"x"},`,
        ),
      ) as object;
      await push([...objects, named, annotated]);
      expect(store.unit(hostUnit("odd.test"))?.resources.length).toBeGreaterThan(0);
      expect(store.unit(hostUnit("good.test"))?.resources.length).toBeGreaterThan(0);
      expect(Object.keys(Object.prototype)).toEqual([]);
    },
  );

  it("an object with the key __proto__ is left out, and nothing else", async () => {
    const { push, store, objects } = await rig();
    const text = JSON.stringify([...objects, hostProxy("odd.test", "a")]);
    await push(
      JSON.parse(
        text.replace('"metadata":{"name":"odd', '"x":{"__proto__":{}},"metadata":{"name":"odd'),
      ) as object[],
    );
    expect(store.unit(hostUnit("good.test"))?.resources.length).toBeGreaterThan(0);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe("what is pushed", () => {
  it.each([
    ["value", { headers: ["\ud800"] }],
    ["key", { "\ud800": 1 }],
    ["list", ["\udfff"]],
  ])("an object with half a surrogate pair in a %s is left out, and nothing else", async (_, odd) => {
    const { push, store, objects } = await rig();
    const manifest = { ...hostProxy("odd.test", "a"), more: odd };
    await push([...objects, manifest, hostProxy("new.test", "a")]);
    expect(store.unit(hostUnit("odd.test"))).toBeUndefined();
    expect(store.unit(hostUnit("new.test"))?.resources.length).toBeGreaterThan(0);
  });

  it("text that is not UTF-8 is refused", async () => {
    const { ask } = await rig();
    const bytes = new Uint8Array([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]);
    for (const path of ["/hooks/admission", "/sources/main"])
      expect(
        (
          await ask(
            path.startsWith("/h") ? "POST" : "PUT",
            path,
            path.startsWith("/h") ? "h" : "p",
            bytes as never,
          )
        ).status,
      ).toBe(400);
  });

  it("YAML with a key twice is refused whole", async () => {
    const { ask, state } = await rig();
    const before = state();
    const text = "kind: Service\napiVersion: v1\nmetadata: {name: x}\nspec: {}\nspec: {}\n";
    expect((await ask("PUT", "/sources/main", "p", text)).status).toBe(400);
    expect(state()).toBe(before);
  });

  it("slashes without end in a rewrite take no time", async () => {
    const { push, store, objects } = await rig();
    const odd = {
      ...hostProxy("odd.test", "a"),
      spec: {
        virtualhost: { fqdn: "odd.test" },
        routes: [
          {
            conditions: [{ prefix: "/x" }],
            services: [{ name: "a", port: 80 }],
            pathRewritePolicy: { replacePrefix: [{ replacement: `${"/".repeat(1_000_000)}a` }] },
          },
        ],
      },
    };
    await push([...objects, odd]);
    expect(store.unit(hostUnit("good.test"))?.resources.length).toBeGreaterThan(0);
  });
});

describe("what an Envoy asks for", () => {
  it("names without commas take no time", async () => {
    const { ask } = await rig();
    const names = '"a"  '.repeat(500);
    const body = `{"node":{"id":"a-1","x":"${"y".repeat(6000)}"},"resource_names":[${names}],"type_url":"x" !`;
    expect((await ask("POST", "/v3/discovery:clusters", "n", body)).status).toBe(400);
  });

  it("names of no resource, and many of them, get no answer and do no harm", async () => {
    const { ask, state } = await rig();
    const before = state();
    const odd = ["*", "", "__proto__", "default/none", "../secure", "x".repeat(1000)];
    for (const name of odd) {
      const { status } = await ask("POST", "/v3/discovery:secrets", "n", poll("s", [name]));
      expect([503, 400], name).toContain(status);
    }
    const many = Array.from({ length: 10_000 }, (_, i) => `n${i}`);
    expect((await ask("POST", "/v3/discovery:endpoints", "n", poll("e", many))).status).toBe(400);
    expect(state()).toBe(before);
  });

  it.each(["a\r\nb", "x".repeat(10_000)])("the node %.10j is refused", async (node) => {
    const { ask, hub } = await rig();
    expect((await ask("POST", "/v3/discovery:clusters", "n", poll("c", [], node))).status).toBe(400);
    expect(JSON.stringify(hub.status())).not.toContain(node.slice(0, 20));
  });

  it("a Secret that no listener uses is as absent as one that is not there", async () => {
    const { ask } = await rig();
    const get = async (name: string): Promise<string> => {
      const answer = await ask("POST", "/v3/discovery:secrets", "n", poll("s", [name]));
      return `${answer.status} ${(await answer.text()).replaceAll(name, "NAME")}`;
    };
    expect(await get("default/used")).toContain("200");
    expect(await get("default/unused")).toBe(await get("default/nothing"));
    expect(await get("default/unused")).not.toContain("PRIVATE");
  });

  it("a node of another group gets nothing, whatever it asks for", async () => {
    const { ask } = await rig();
    const foreign = await ask("POST", "/v3/discovery:secrets", "a", poll("s", ["default/used"], "b-1"));
    const absent = await ask("POST", "/v3/discovery:secrets", "a", poll("s", ["default/nothing"], "b-1"));
    expect([foreign.status, await foreign.text()]).toEqual([absent.status, await absent.text()]);
  });

  it("nothing is to be kept by a cache on the way", async () => {
    const { ask } = await rig();
    const first = await ask("POST", "/v3/discovery:secrets", "n", poll("s", ["default/used"]));
    const { version_info: version } = (await first.json()) as { version_info: string };
    const body = JSON.stringify({
      version_info: version,
      node: { id: "a-1" },
      resource_names: ["default/used"],
    });
    const again = await ask("POST", "/v3/discovery:secrets", "n", body);
    expect([first.status, again.status]).toEqual([200, 304]);
    for (const { headers } of [first, again]) expect(headers.get("cache-control")).toContain("no-store");
  });

  it("an Envoy that lies about its version gets no older answer, and others none at all", async () => {
    const { ask, state } = await rig();
    const lie = (version: string): string => JSON.stringify({ version_info: version, node: { id: "liar" } });
    for (const version of ["9999999999999999-ffffffffffffffff", "-1", "0-0", "x"])
      expect([200, 304]).toContain((await ask("POST", "/v3/discovery:clusters", "n", lie(version))).status);
    const types = (text: string): unknown => (JSON.parse(text) as [string, { types: object }])[1].types;
    const before = types(state());
    for (let i = 0; i < 5000; i++)
      await ask("POST", "/v3/discovery:clusters", "n", JSON.stringify({ node: { id: `n${i}` } }));
    expect(types(state())).toEqual(before);
    expect(JSON.stringify(state()).length).toBeLessThan(1_000_000);
  });
});

describe("what is published", () => {
  it("goes to a higher version each time, though the clock goes back a day", async () => {
    const { push, objects, pass, hub } = await rig();
    const sequence = (): number => {
      const { types } = hub.status() as { types: { routes: { version: string } } };
      return parseVersion(types.routes.version)?.sequence ?? 0;
    };
    let last = sequence();
    for (const [i, ms] of [-86_400_000, 86_400_000, -1].entries()) {
      pass(ms);
      await push([...objects, hostProxy(`new-${i}.test`, "a")]);
      expect(sequence()).toBeGreaterThan(last);
      last = sequence();
    }
  });

  it("shows no key: not in logs, statuses, metrics, the graph, explanations or errors", async () => {
    const { ask, push, objects, logged } = await rig();
    const broken = { ...objects[2], data: { "tls.crt": "x", "tls.key": "c2VjcmV0LWtleS1ieXRlcw==" } };
    await push([...objects.slice(0, 2), broken, ...objects.slice(3)]);
    await ask(
      "PUT",
      "/sources/main",
      "p",
      '[{"kind":"Secret","data":{"tls.key":"c2VjcmV0LWtleS1ieXRlcw=="}}, oops',
    );
    const shown = [logged.join("\n")];
    for (const path of ["/status", "/metrics", "/graph", "/explain?url=https://secure.test/"])
      shown.push(await (await ask("GET", path, "r")).text());
    expect(shown.join("\n")).not.toMatch(/PRIVATE KEY|c2VjcmV0|secret-key-bytes|LS0tLS1CRUdJTiBQUklW/);
  });
});
