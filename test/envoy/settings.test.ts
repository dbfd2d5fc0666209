import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request, tlsExchange } from "../support/http.js";
import { type Rig, startRig } from "../support/isoline.js";

const to = (name: string): readonly Manifest[] => [{ name, port: 80 }];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-settings-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The lines of a log once there are this many; Envoy writes them at least every ten seconds. */
async function linesOf(file: string, count: number): Promise<string[]> {
  const read = async (): Promise<string[]> =>
    (await readFile(file, "utf8").catch(() => "")).split("\n").slice(0, -1);
  await eventually(async () => (await read()).length >= count, `${count} lines in ${file}`);
  return read();
}

const adminText = async ({ envoy }: Rig, path: string): Promise<string> => (await envoy.ask(path)).body;

test("a text access log: its format, and errors only", async () => {
  const file = join(await newFolder(), "http.log");
  const name = "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.name)%";
  const proxy = httpProxy("default", "a", {
    virtualhost: { fqdn: "a.test" },
    routes: [
      { services: to("a") },
      { conditions: [{ prefix: "/moved" }], requestRedirectPolicy: { hostname: "b.test" } },
      { conditions: [{ prefix: "/down" }], directResponsePolicy: { statusCode: 503 } },
    ],
  });
  const rig = await startRig({
    backends: ["a"],
    objects: [proxy],
    settings: {
      httpAccessLog: file,
      "accesslog-format-string": `%REQ(:METHOD)% %REQ_WITHOUT_QUERY(:PATH)% %RESPONSE_CODE% ${name}\n`,
      "accesslog-level": "error",
    },
  });
  for (const path of ["/", "/moved?secret", "/down"])
    await request({ port: rig.httpPort, host: "a.test", path });
  await request({ port: rig.httpPort, host: "unknown.test", path: "/x" });

  expect(await linesOf(file, 3)).toEqual(["GET /moved 302 a", "GET /down 503 a", "GET /x 404 -"]);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("a JSON access log: Contour's fields over HTTPS and TCP, and fingerprints of the client's TLS", async () => {
  const file = join(await newFolder(), "https.log");
  const secure = httpProxy("default", "secure", {
    virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
    routes: [{ services: to("a") }],
  });
  const tcp = httpProxy("default", "tcp", {
    virtualhost: { fqdn: "tcp.test", tls: { secretName: "tcp" } },
    tcpproxy: { services: to("tcp") },
  });
  const fields = [
    "method",
    "path",
    "response_code",
    "requested_server_name",
    "bytes_sent",
    "contour_config_name",
  ];
  const rig = await startRig({
    backends: ["a", "tcp"],
    objects: [secure, tcp, tlsSecret("default", "secure"), tlsSecret("default", "tcp")],
    settings: {
      httpsAccessLog: file,
      tls: { fingerprint: { ja3: true, ja4: true }, "ecdh-curves": ["P-384", "X25519"] },
      listener: { "socket-options": { tos: 32 }, "max-connections-to-accept-per-socket-event": 5 },
      "accesslog-format": "json",
      "json-fields": [...fields, "tls_ja3_fingerprint", "ja4=%TLS_JA4_FINGERPRINT%", "who=%REQ(X-WHO)%"],
    },
  });
  await eventually(async () => {
    const asked = { port: rig.httpsPort, host: "secure.test", sni: "secure.test", path: "/p" };
    return (await request({ ...asked, headers: { "x-who": "me" } })).status === 200;
  }, "HTTPS is served");
  await tlsExchange(rig.httpsPort, "tcp.test", "hello");

  const lines = (await linesOf(file, 2)).map((line) => JSON.parse(line) as Record<string, unknown>);
  const http = lines.find(({ requested_server_name: sni }) => sni === "secure.test");
  expect(http).toMatchObject({
    method: "GET",
    path: "/p",
    response_code: 200,
    contour_config_name: "secure",
    who: "me",
    tls_ja3_fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
    ja4: expect.stringMatching(/^t13/),
  });
  const stream = lines.find(({ requested_server_name: sni }) => sni === "tcp.test");
  expect(stream).toMatchObject({ bytes_sent: expect.any(Number) });
  // Envoy 1.36 writes null for missing values.
  expect(stream?.method ?? null).toBeNull();
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("default circuit breakers, limits of connections to backends, and headers on every service", async () => {
  const own = httpProxy("default", "own", {
    virtualhost: { fqdn: "own.test" },
    routes: [
      {
        services: [
          { name: "a", port: 80, requestHeadersPolicy: { set: [{ name: "x-default", value: "own" }] } },
        ],
      },
    ],
  });
  const path = { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } };
  const ingress = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace: "default", name: "ingress" },
    spec: { rules: [{ host: "ingress.test", http: { paths: [path] } }] },
  };
  const rig = await startRig({
    backends: ["a"],
    objects: [own, hostProxy("plain.test", "a"), ingress],
    settings: {
      cluster: {
        "circuit-breakers": { "max-connections": 77, "max-requests": 78 },
        "max-requests-per-connection": 9,
        "per-connection-buffer-limit-bytes": 32768,
        "upstream-tls": { "ecdh-curves": ["X25519MLKEM768", "MLKEM1024"] },
      },
      policy: {
        "request-headers": {
          set: { "X-Default": "%CONTOUR_SERVICE_NAME% 100%", Host: "to.test" },
          remove: ["x-drop"],
        },
        "response-headers": { set: { "x-frame-options": "DENY" } },
      },
    },
  });
  const ask = (host: string) => request({ port: rig.httpPort, host, headers: { "x-drop": "1" } });

  const plain = await ask("plain.test");
  expect(plain.echo().headers).toMatchObject({ "x-default": "a 100%", host: "to.test" });
  expect(plain.echo().headers).not.toHaveProperty("x-drop");
  expect(plain.headers["x-frame-options"]).toBe("DENY");
  expect((await ask("own.test")).echo().headers).toMatchObject({ "x-default": "own", host: "to.test" });
  const bare = await ask("ingress.test");
  expect(bare.echo().headers).toMatchObject({ "x-drop": "1", host: "ingress.test" });
  expect(bare.headers).not.toHaveProperty("x-frame-options");

  const clusters = await adminText(rig, "/clusters");
  expect(clusters).toMatch(/^default\/a\/80\/\w+::default_priority::max_connections::77$/m);
  expect(clusters).toMatch(/^default\/a\/80\/\w+::default_priority::max_requests::78$/m);
  expect(JSON.stringify(await rig.envoy.configDump())).toContain('"max_requests_per_connection":9');
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("runtime values are in the bootstrap: a listener accepts a number of connections", async () => {
  const rig = await startRig({
    backends: ["a"],
    objects: [hostProxy("a.test", "a")],
    settings: {
      listener: { "max-connections-per-listener": 1, "max-requests-per-io-cycle": 7 },
      "runtime-settings": { "isoline.test": "42" },
    },
  });
  const socket = connect(rig.httpPort, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await eventually(
    async () => [...(await rig.envoy.stats(/http\.ingress_http\.downstream_cx_active$/)).values()][0] === 1,
    "Envoy has the first connection",
  );
  await expect(request({ port: rig.httpPort, host: "a.test" })).rejects.toThrow();
  socket.destroy();
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "a.test" })).status === 200,
    "there is room again",
  );
  const runtime = JSON.parse(await adminText(rig, "/runtime")) as {
    entries: Record<string, { final_value: string }>;
  };
  expect(runtime.entries["http.max_requests_per_io_cycle"]?.final_value).toBe("7");
  expect(runtime.entries["isoline.test"]?.final_value).toBe("42");
  expect(rig.isoline.log()).toContain("isoline bootstrap --settings");
});

test("health apart from metrics over TLS, and the health check that the overload manager affects", async () => {
  const [health, metrics, enforced] = [await freePort(), await freePort(), await freePort()];
  const certificate = (end: string): string =>
    new URL(`../support/certs/secure.${end}`, import.meta.url).pathname;
  const { envoy } = await startRig({
    backends: [],
    objects: [],
    settings: {
      statsAddress: "127.0.0.1",
      statsPort: health,
      metrics: {
        envoy: {
          address: "127.0.0.1",
          port: metrics,
          "server-certificate-path": certificate("crt"),
          "server-key-path": certificate("key"),
        },
      },
      omEnforcedHealthListener: { address: "127.0.0.1", port: enforced },
    },
  });
  for (const port of [health, enforced]) {
    await eventually(
      async () => (await request({ port, path: "/ready" })).status === 200,
      "health is answered",
    );
    expect((await request({ port, path: "/stats" })).status).toBe(404);
  }
  const sni = "metrics.test";
  await eventually(
    async () => (await request({ port: metrics, sni, path: "/stats/prometheus" })).status === 200,
    "metrics are answered over TLS",
  );
  const stats = await request({ port: metrics, sni, path: "/stats/prometheus" });
  expect(stats.certificate).toBe("secure.test");
  expect((await request({ port: metrics, sni, path: "/ready" })).status).toBe(404);
  await expect(request({ port: metrics, path: "/stats" })).rejects.toThrow();
  expect(await envoy.rejected()).toEqual([]);
});
