import { expect, test } from "vitest";
import { hostProxy, httpProxy, type Manifest, secret, tlsSecret } from "../support/backend.js";
import { type Answer, freePort, request } from "../support/http.js";
import { startHttp } from "../support/http-server.js";
import { type Rig, startRig } from "../support/isoline.js";
import { createSigner } from "../support/jwt.js";

const services = [{ name: "a", port: 80 }];
const signer = createSigner("one");
const stranger = createSigner("one");
const soon = Math.floor(Date.now() / 1000) + 3600;
const claims = { iss: "issuer.test", aud: "app", sub: "eve", exp: soon };

const guarded = (
  fqdn: string,
  jwtProviders: readonly Manifest[],
  routes: readonly Manifest[] = [{ services }],
): Manifest =>
  httpProxy("default", fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn, tls: { secretName: "secure" }, jwtProviders },
    routes,
  });

const ask = (rig: Rig, host: string, path: string, token?: string): Promise<Answer> =>
  request({
    port: rig.httpsPort,
    sni: host,
    host,
    path,
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });

const statusOf = async (rig: Rig, host: string, path = "/", token?: string): Promise<number> =>
  (await ask(rig, host, path, token)).status;

const local = { name: "local", default: true, localJWKS: { secretName: "keys", key: "jwks" } };

test("remote keys: signature, expiry, issuer, audience; forwarded or not; routes without and with an unknown provider", async () => {
  const keys = await startHttp("keys", (_, response) => void response.end(signer.jwks));
  const provider = {
    name: "remote",
    default: true,
    issuer: "issuer.test",
    audiences: ["app", "other"],
    remoteJWKS: { uri: `http://127.0.0.1:${keys.port}/jwks.json`, cacheDuration: "1h" },
  };
  const routes = [
    { services },
    {
      conditions: [{ prefix: "/open" }],
      services,
      permitInsecure: true,
      jwtVerificationPolicy: { disabled: true },
    },
    { conditions: [{ prefix: "/insecure" }], services, permitInsecure: true },
    { conditions: [{ prefix: "/undefined" }], services, jwtVerificationPolicy: { require: "nobody" } },
    { conditions: [{ prefix: "/fixed" }], directResponsePolicy: { statusCode: 202 } },
    { conditions: [{ prefix: "/moved" }], requestRedirectPolicy: { hostname: "b.test" } },
  ];
  const objects = [
    tlsSecret("default", "secure"),
    guarded("jwt.test", [provider], routes),
    guarded("forward.test", [{ ...provider, forwardJWT: true }]),
    hostProxy("plain.test", "a"),
  ];
  const rig = await startRig({ backends: ["a"], objects });

  const good = signer.token(claims);
  const answer = await ask(rig, "jwt.test", "/", good);
  expect([answer.status, answer.echo().headers.authorization]).toEqual([200, undefined]);
  expect((await ask(rig, "forward.test", "/", good)).echo().headers.authorization).toBe(`Bearer ${good}`);
  expect(await statusOf(rig, "jwt.test")).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/", "no.such.token")).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/", stranger.token(claims))).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/", signer.token({ ...claims, exp: soon - 7200 }))).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/", signer.token({ ...claims, iss: "other.test" }))).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/", signer.token({ ...claims, aud: "elsewhere" }))).toBe(403);

  expect(await statusOf(rig, "jwt.test", "/open")).toBe(200);
  expect(await statusOf(rig, "jwt.test", "/fixed")).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/fixed", good)).toBe(202);
  expect(await statusOf(rig, "jwt.test", "/moved")).toBe(302);
  expect(await statusOf(rig, "jwt.test", "/undefined", good)).toBe(403);
  const plain = (path: string, host = "jwt.test") => request({ port: rig.httpPort, host, path });
  expect((await plain("/open")).status).toBe(200);
  expect((await plain("/insecure")).status).toBe(301);
  expect((await plain("/", "plain.test")).status).toBe(200);
  expect(keys.requests.every(({ path }) => path === "/jwks.json")).toBe(true);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("remote keys that can't be fetched: 401, and only if a token is required", async () => {
  const uri = `http://127.0.0.1:${await freePort()}/jwks.json`;
  const open = { conditions: [{ prefix: "/open" }], services, jwtVerificationPolicy: { disabled: true } };
  const objects = [
    tlsSecret("default", "secure"),
    guarded("jwt.test", [{ name: "remote", default: true, remoteJWKS: { uri } }], [{ services }, open]),
  ];
  const rig = await startRig({ backends: ["a"], objects });

  expect(await statusOf(rig, "jwt.test", "/", signer.token(claims))).toBe(401);
  expect(await statusOf(rig, "jwt.test", "/open")).toBe(200);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("local keys: a Secret, and its replacement", async () => {
  const next = createSigner("two");
  const rig = await startRig({
    backends: ["a"],
    objects: [
      tlsSecret("default", "secure"),
      guarded(
        "local.test",
        [local],
        [
          { services },
          { conditions: [{ prefix: "/x" }], services, jwtVerificationPolicy: { require: "local" } },
        ],
      ),
    ],
  });
  await rig.isoline.apply("keys", secret("default", "keys", { jwks: signer.jwks }));
  await expect.poll(() => statusOf(rig, "local.test", "/", signer.token(claims)).catch(() => 0)).toBe(200);
  expect(await statusOf(rig, "local.test", "/x", signer.token(claims))).toBe(200);
  expect(await statusOf(rig, "local.test", "/x")).toBe(401);
  expect(await statusOf(rig, "local.test", "/", next.token(claims))).toBe(401);

  await rig.isoline.apply("keys", secret("default", "keys", { jwks: next.jwks }));
  await expect.poll(() => statusOf(rig, "local.test", "/", next.token(claims))).toBe(200);
  expect(await statusOf(rig, "local.test", "/", signer.token(claims))).toBe(401);
  expect(await rig.envoy.rejected()).toEqual([]);
});

const set = (...keys: readonly unknown[]): string => JSON.stringify({ keys });
const good = (JSON.parse(signer.jwks) as { keys: readonly object[] }).keys[0] ?? {};

const garbage: readonly string[] = [
  "not json",
  "[]",
  '{"keys": 1}',
  set(),
  set(null),
  set({ n: "x" }),
  set({ kty: "bogus" }),
  set({ kty: "RSA", e: "AQAB" }),
  set({ kty: "RSA", n: "!!!", e: "AQAB" }),
  set({ kty: "RSA", n: 1, e: "AQAB" }),
  set({ kty: "RSA", n: "", e: "" }),
  set({ ...good, e: "AQ" }),
  set({ ...good, alg: "ES256" }),
  set({ kty: "EC", crv: "P-1", x: "AA", y: "AA" }),
  set({ kty: "EC", crv: "P-256", x: "AA", y: "AA" }),
  set({ kty: "OKP", crv: "Ed25519", x: "AA" }),
  set({ kty: "oct", k: "" }),
];

test("garbage as local keys closes its own host and no other", async () => {
  const hosts = garbage.flatMap((jwks, i) => [
    secret("default", `keys-${i}`, { jwks }),
    guarded(`g${i}.test`, [{ ...local, localJWKS: { secretName: `keys-${i}`, key: "jwks" } }]),
  ]);
  const other = httpProxy("default", "other", {
    virtualhost: { fqdn: "other.test", tls: { secretName: "secure" } },
    routes: [{ services }],
  });
  const rig = await startRig({ backends: ["a"], objects: [tlsSecret("default", "secure"), ...hosts, other] });

  expect(await statusOf(rig, "other.test")).toBe(200);
  for (const i of garbage.keys()) {
    const status = await statusOf(rig, `g${i}.test`, "/", signer.token(claims)).catch(() => "closed");
    expect([garbage[i], status]).toEqual([garbage[i], "closed"]);
  }
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("local keys of every type, also among unusable keys", async () => {
  const algorithms = ["RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;
  const signers = algorithms.map((algorithm) => createSigner("ключ", algorithm));
  const hosts = signers.flatMap(({ jwks }, i) => {
    const { keys } = JSON.parse(jwks) as { keys: readonly object[] };
    return [
      secret("default", `keys-${i}`, {
        jwks: set(null, { kty: "bogus" }, { ...keys[0], use: 5, more: { and: 1 } }),
      }),
      guarded(`k${i}.test`, [{ ...local, localJWKS: { secretName: `keys-${i}`, key: "jwks" } }]),
    ];
  });
  const rig = await startRig({ backends: ["a"], objects: [tlsSecret("default", "secure"), ...hosts] });

  for (const [i, one] of signers.entries()) {
    const statuses = [
      await statusOf(rig, `k${i}.test`, "/", one.token(claims)),
      await statusOf(rig, `k${i}.test`, "/", stranger.token(claims)),
    ];
    expect([algorithms[i], ...statuses]).toEqual([algorithms[i], 200, 401]);
  }
  expect(await rig.envoy.rejected()).toEqual([]);
});
