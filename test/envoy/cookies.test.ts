import { expect, test } from "vitest";
import { httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { request } from "../support/http.js";
import { startHttp } from "../support/http-server.js";
import { startRig } from "../support/isoline.js";

const rewrites: readonly Manifest[] = [
  {
    name: "all",
    pathRewrite: { value: "/new" },
    domainRewrite: { value: "new.test" },
    secure: true,
    sameSite: "Strict",
  },
  { name: "path", pathRewrite: { value: "/new" } },
  { name: "insecure", secure: false },
  { name: "a.b%c+", sameSite: "Lax" },
];

/** The cookies of the backend and those that the client receives. */
const cookies: readonly (readonly [set: string, got: string])[] = [
  ["all=1", "all=1; Path=/new; Domain=new.test; Secure; SameSite=Strict"],
  [
    "all=2; domain=old.test; HttpOnly; PATH=/old; Expires=Thu, 01 Jan 2099 00:00:00 GMT; samesite=None; SECURE",
    "all=2; Domain=new.test; HttpOnly; Path=/new; Expires=Thu, 01 Jan 2099 00:00:00 GMT; SameSite=Strict; Secure",
  ],
  ["other=1; Path=/old;Secure; Domain=old.test", "other=1; Path=/old;Secure; Domain=old.test"],
  ["path=a=b==; Path=/old; Max-Age=5", "path=a=b==; Path=/new; Max-Age=5"],
  ["path=", "path=; Path=/new"],
  ['path="quoted value"; HttpOnly', 'path="quoted value"; HttpOnly; Path=/new'],
  ["insecure=1; Secure; Path=/; secure", "insecure=1; Path=/"],
  ["insecure=2; SameSite=None", "insecure=2; SameSite=None"],
  ["ALL=1; Path=/old", "ALL=1; Path=/old"],
  ["a.b%c+=1", "a.b%c+=1; SameSite=Lax"],
  ["axb%c+=1", "axb%c+=1"],
  ["no equals sign", "no equals sign"],
];

test("cookies: all attributes, any case, several cookies in their order, others unchanged", async () => {
  const backend = await startHttp("cookies", ({ path }, response) => {
    if (path !== "/none")
      response.setHeader(
        "set-cookie",
        cookies.map(([set]) => set),
      );
    response.end("ok");
  });
  const service = { name: "cookies", port: 80 };
  const plain = httpProxy("default", "plain", {
    virtualhost: { fqdn: "plain.test" },
    routes: [
      { services: [service], cookieRewritePolicies: rewrites },
      { conditions: [{ prefix: "/as-is" }], services: [service] },
      {
        conditions: [{ prefix: "/service" }],
        cookieRewritePolicies: [{ name: "all", pathRewrite: { value: "/route" }, secure: true }],
        services: [
          { ...service, cookieRewritePolicies: [{ name: "all", pathRewrite: { value: "/service" } }] },
        ],
      },
    ],
  });
  const secure = httpProxy("default", "secure", {
    virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
    routes: [{ services: [service], cookieRewritePolicies: rewrites }],
  });
  const rig = await startRig({
    backends: [],
    objects: [...backend.objects, tlsSecret("default", "secure"), plain, secure],
  });
  const got = async (path: string): Promise<readonly string[] | undefined> =>
    (await request({ port: rig.httpPort, host: "plain.test", path })).headers["set-cookie"];

  expect(await got("/")).toEqual(cookies.map(([, rewritten]) => rewritten));
  expect(await got("/none")).toBeUndefined();
  expect(await got("/as-is")).toEqual(cookies.map(([set]) => set));
  expect((await got("/service"))?.[0]).toBe("all=1; Path=/service; Secure");
  const overTls = await request({ port: rig.httpsPort, sni: "secure.test", host: "secure.test" });
  expect(overTls.headers["set-cookie"]).toEqual(cookies.map(([, rewritten]) => rewritten));
  expect([...(await rig.envoy.stats(/lua\.errors$/)).values()].filter((n) => n > 0)).toEqual([]);
  expect(await rig.envoy.rejected()).toEqual([]);
});
