import { expect, onTestFinished, test } from "vitest";
import { startEcho } from "../../src/dev/echo.js";
import { endpointSlice, type Manifest, service, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { gateway, gatewayRoute, gatewaySettings, listener } from "../support/gateway.js";
import { type Answer, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

/** A Service with two endpoints, which answer with the Service's name and their number. */
async function startTwo(name: string): Promise<readonly Manifest[]> {
  const servers = await Promise.all([0, 1].map((i) => startEcho(`${name}-${i}`)));
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.close()))));
  return [
    service("default", name),
    ...servers.map(({ port }, i) => endpointSlice("default", name, port, String(i))),
  ];
}

const rule = (
  path: string,
  sessionPersistence: Manifest,
  backends: Readonly<Record<string, number>>,
): Manifest => ({
  matches: [{ path: { type: "PathPrefix", value: path } }],
  sessionPersistence,
  backendRefs: Object.entries(backends).map(([name, weight]) => ({ name, port: 80, weight })),
});

const cookiesOf = ({ headers }: Answer): readonly string[] => headers["set-cookie"] ?? [];
const sentBack = (answer: Answer): string => (cookiesOf(answer)[0] ?? "").split(";")[0] ?? "";

/** The endpoints that answer twelve requests. */
async function answering(ask: () => Promise<Answer>): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let i = 0; i < 12; i++) found.add((await ask()).echo().service);
  return found;
}

test("cookies and headers keep a client at an endpoint, for as long as they last, each rule by itself", async () => {
  const web = await listener("web", "HTTP");
  const secure = await listener("secure", "HTTPS", { tls: { certificateRefs: [{ name: "secure" }] } });
  const rig = await startRig({
    backends: [],
    objects: [
      ...(await startTwo("a")),
      tlsSecret("infra", "secure"),
      ...gateway(web.spec, secure.spec),
      gatewayRoute("HTTPRoute", "sessions", {
        hostnames: ["secure.test"],
        rules: [
          rule("/one", { sessionName: "shop" }, { a: 1 }),
          rule("/other", { sessionName: "shop" }, { a: 1 }),
          rule("/kept", { absoluteTimeout: "1h", cookieConfig: { lifetimeType: "Permanent" } }, { a: 1 }),
          rule("/short", { absoluteTimeout: "2s" }, { a: 1 }),
          rule("/header", { type: "Header", sessionName: "X-Session" }, { a: 1 }),
          rule("/none", {}, { nobody: 1 }),
        ],
      }),
    ],
    settings: gatewaySettings,
  });
  const ask = (path: string, headers: Record<string, string> = {}) =>
    request({ port: web.port, host: "secure.test", path, headers });

  const first = await ask("/one/x?y=1");
  const [cookie = ""] = cookiesOf(first);
  expect(cookie).toMatch(/^shop-[0-9a-f]{8}="[^"]+"; Path=\/one; SameSite=Strict; HttpOnly$/i);
  expect(await answering(() => ask("/one", { cookie: `x=1; ${sentBack(first)}; y=2` }))).toEqual(
    new Set([first.echo().service]),
  );
  expect(cookiesOf(await ask("/one", { cookie: sentBack(first) }))).toEqual([]);
  expect((await answering(() => ask("/one"))).size).toBe(2);
  expect(sentBack(await ask("/other")).split("=")[0]).not.toBe(sentBack(first).split("=")[0]);

  const over = await request({ port: secure.port, sni: "secure.test", host: "secure.test", path: "/one" });
  expect(cookiesOf(over)[0]).toMatch(/; Secure; HttpOnly$/);

  const [kept = ""] = cookiesOf(await ask("/kept"));
  expect(kept).toMatch(
    /^isoline-session-[0-9a-f]{8}=.*; Max-Age=3600; Path=\/kept; SameSite=Strict; HttpOnly$/i,
  );

  const short = await ask("/short");
  expect(cookiesOf(short)[0]).toMatch(
    /^isoline-session-[0-9a-f]{8}="[^"]+"; Path=\/short; SameSite=Strict; HttpOnly$/i,
  );
  expect(cookiesOf(await ask("/short", { cookie: sentBack(short) }))).toEqual([]);
  await eventually(
    async () => cookiesOf(await ask("/short", { cookie: sentBack(short) })).length === 1,
    "a new session after the time of the first",
  );

  const byHeader = await ask("/header");
  const token = String(byHeader.headers["x-session"]);
  expect(token).not.toBe("undefined");
  expect(await answering(() => ask("/header", { "x-session": token }))).toEqual(
    new Set([byHeader.echo().service]),
  );
  expect((await ask("/none")).status).toBe(500);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a session stays with its backend when weights change, also to 0, and when backends are added", async () => {
  const web = await listener("web", "HTTP");
  const route = (backends: Readonly<Record<string, number>>) =>
    gatewayRoute("HTTPRoute", "split", {
      hostnames: ["split.test"],
      rules: [rule("/", {}, backends)],
    });
  const rig = await startRig({
    backends: [],
    objects: [...(await startTwo("old")), ...(await startTwo("new")), ...gateway(web.spec)],
    settings: gatewaySettings,
  });
  const ask = (headers: Record<string, string> = {}) =>
    request({ port: web.port, host: "split.test", path: "/x", headers });
  const isServed = async (name: string): Promise<boolean> => {
    const { status, body } = await ask();
    return status === 200 && body.includes(`${name}-`);
  };
  await rig.isoline.apply("route", route({ old: 1 }));
  await eventually(() => isServed("old"), "the old version");
  const old = await ask();
  const ofOld = new Set([old.echo().service]);
  const stays = () => answering(() => ask({ cookie: `a=b; ${sentBack(old)}` }));
  expect(await stays()).toEqual(ofOld);

  await rig.isoline.apply("route", route({ new: 99, old: 1 }));
  await eventually(() => isServed("new"), "the new version");
  expect(await stays()).toEqual(ofOld);

  await rig.isoline.apply("route", route({ old: 0, new: 1 }));
  await eventually(
    async () => [...(await answering(ask))].every((name) => name.startsWith("new-")),
    "only the new",
  );
  expect(await stays()).toEqual(ofOld);
  const fresh = await ask();
  expect(await answering(() => ask({ cookie: sentBack(fresh) }))).toEqual(new Set([fresh.echo().service]));

  // The share of a missing backend is refused, and sessions stay with theirs.
  await rig.isoline.apply("route", route({ old: 0, new: 1, nobody: 1_000_000 }));
  await eventually(async () => (await ask()).status === 500, "the share of the missing backend");
  expect(await stays()).toEqual(ofOld);

  await rig.isoline.apply("route", route({ new: 1 }));
  await eventually(
    async () => (await ask({ cookie: sentBack(old) })).echo().service.startsWith("new-"),
    "the session of a backend that is gone",
  );
  expect(await rig.envoy.rejected()).toEqual([]);
});
