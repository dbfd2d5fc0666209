import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { extensionService, httpProxy, type Manifest, startBackends, tlsSecret } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, isOpen, request } from "../support/http.js";

const COMMAND = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));

const answers = (body: string): Manifest => ({ directResponsePolicy: { statusCode: 200, body } });

/** Hosts with different classes, namespaces or kinds. */
const objects: readonly Manifest[] = [
  httpProxy("default", "echo", {
    virtualhost: { fqdn: "echo.test" },
    routes: [{ services: [{ name: "a", port: 80 }] }],
    includes: [{ name: "child", namespace: "team", conditions: [{ prefix: "/child" }] }],
  }),
  httpProxy("default", "internal", {
    ingressClassName: "internal",
    virtualhost: { fqdn: "internal.test" },
    routes: [answers("internal")],
  }),
  httpProxy("team", "root", { virtualhost: { fqdn: "team.test" }, routes: [answers("team")] }),
  httpProxy("team", "child", { routes: [answers("child")] }),
  httpProxy("default", "secure", {
    virtualhost: { fqdn: "secure.test", tls: { secretName: "secure" } },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  }),
  httpProxy("default", "guarded", {
    virtualhost: {
      fqdn: "also-secure.test",
      tls: { secretName: "secure" },
      authorization: { extensionRef: { namespace: "infra", name: "guard" } },
    },
    routes: [{ services: [{ name: "a", port: 80 }] }],
  }),
  tlsSecret("default", "secure"),
];

interface Flagged {
  readonly folder: string;
  readonly envoy: TestEnvoy;
  readonly http: number;
  readonly https: number;
  readonly stats: number;
}

/** The command with these flags, in addition to those for free ports of 127.0.0.1, and an Envoy that is ready. */
async function serve(flags: (folder: string) => readonly string[]): Promise<Flagged> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-flags-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends("a");
  onTestFinished(() => backends.close());
  const items = [...backends.objects, ...objects, ...extensionService("guard", await freePort())];
  const file = join(folder, "objects.json");
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const settings = join(folder, "settings.yaml");
  await writeFile(settings, "allowLoopbackEndpoints: true\n");
  const [port, http, https, stats] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const loopback = [
    "--envoy-service-http-address=127.0.0.1",
    `--envoy-service-http-port=${http}`,
    "--envoy-service-https-address=127.0.0.1",
    `--envoy-service-https-port=${https}`,
    "--stats-address=127.0.0.1",
    `--stats-port=${stats}`,
  ];
  const child = spawn(
    process.execPath,
    [
      COMMAND,
      "serve",
      "-f",
      file,
      "--settings",
      settings,
      `--listen=127.0.0.1:${port}`,
      ...loopback,
      ...flags(folder),
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let output = "";
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => void child.kill("SIGKILL"), 60_000);
    const [code] = await exited;
    clearTimeout(timer);
    expect(code, output).toBe(0);
  });
  await eventually(async () => {
    expect(child.exitCode, output).toBe(null);
    return output.includes("isoline serves xDS on");
  }, "the command serves");
  const envoy = await startEnvoy({ xdsPort: port });
  onTestFinished(() => envoy.stop());
  await eventually(() => envoy.ready(), "Envoy is ready");
  return { folder, envoy, http, https, stats };
}

/** The responses of hosts. `https://` is over TLS; `refused` is a handshake without a certificate. */
async function statusesOf(
  { http, https }: Flagged,
  urls: readonly string[],
): Promise<Record<string, number | "refused">> {
  const found: Record<string, number | "refused"> = {};
  for (const url of urls) {
    const { protocol, hostname: host, pathname: path } = new URL(url);
    const options =
      protocol === "https:" ? { port: https, host, path, sni: host } : { port: http, host, path };
    found[url] = await request(options).then(
      ({ status }) => status,
      () => "refused" as const,
    );
  }
  return found;
}

test.each<[flags: string, wanted: Readonly<Record<string, number | "refused">>]>([
  [
    "",
    {
      "http://echo.test/": 200,
      "http://echo.test/child": 200,
      "http://internal.test/": 404,
      "http://team.test/": 200,
      "https://secure.test/": 200,
      "https://also-secure.test/": 403,
    },
  ],
  [
    "--ingress-class-name=internal,other",
    { "http://internal.test/": 200, "http://echo.test/": 404, "https://secure.test/": "refused" },
  ],
  [
    "--root-namespaces=default,other",
    { "http://echo.test/": 200, "http://echo.test/child": 200, "http://team.test/": 404 },
  ],
  [
    "--watch-namespaces=default,infra",
    {
      "http://echo.test/": 200,
      "http://echo.test/child": 502,
      "http://team.test/": 404,
      "https://also-secure.test/": 403,
    },
  ],
  [
    "--disable-feature=extensionservices",
    { "http://echo.test/": 200, "https://secure.test/": 200, "https://also-secure.test/": "refused" },
  ],
])("which objects are served with '%s'", async (flag, wanted) => {
  const flagged = await serve(() => (flag === "" ? [] : [flag]));
  await eventually(async () => {
    expect(await statusesOf(flagged, Object.keys(wanted))).toEqual(wanted);
    return true;
  }, "hosts answer as they should");
  expect(await flagged.envoy.rejected()).toEqual([]);
});

/**
 * The complete response to one request from any loopback address; over TLS with the host as server name, after a PROXY
 * protocol line if one is given.
 */
async function ask(options: {
  readonly address?: string;
  readonly port: number;
  readonly host: string;
  readonly tls?: boolean;
  readonly proxyLine?: string;
}): Promise<string> {
  const { address = "127.0.0.1", port, host, tls = false, proxyLine } = options;
  const tcp = connect({ host: address, port, timeout: 5000 });
  if (proxyLine !== undefined) tcp.write(proxyLine);
  const socket = tls ? tlsConnect({ socket: tcp, servername: host, rejectUnauthorized: false }) : tcp;
  return new Promise((done, fail) => {
    let received = "";
    const end = (): void =>
      received === "" ? fail(new Error(`${host}: closed without an answer`)) : done(received);
    tcp.on("error", fail);
    tcp.on("timeout", () => tcp.destroy(new Error(`${host}: no answer`)));
    socket.on("error", fail);
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("close", end);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

test("--use-proxy-protocol: both listeners use the client's address from it, and refuse connections without it", async () => {
  const { envoy, http, https } = await serve(() => ["--use-proxy-protocol"]);
  const proxyLine = "PROXY TCP4 192.0.2.7 127.0.0.1 4711 80\r\n";
  for (const [port, host, tls] of [
    [http, "echo.test", false],
    [https, "secure.test", true],
  ] as const) {
    await eventually(async () => {
      expect(await ask({ port, host, tls, proxyLine })).toContain('"x-forwarded-for":"192.0.2.7"');
      return true;
    }, `${host} sees the client`);
    await expect(ask({ port, host, tls })).rejects.toThrow();
  }
  expect(await envoy.rejected()).toEqual([]);
});

test("--envoy-service-http-port, --envoy-service-https-port and their addresses", async () => {
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const { envoy, http, https } = await serve(() => [
    "--envoy-service-http-address=127.0.0.2",
    `--envoy-service-http-port=${httpPort}`,
    "--envoy-service-https-address=127.0.0.3",
    `--envoy-service-https-port=${httpsPort}`,
  ]);
  const plain = { address: "127.0.0.2", port: httpPort, host: "echo.test" };
  const secure = { address: "127.0.0.3", port: httpsPort, host: "secure.test", tls: true };
  for (const one of [plain, secure])
    await eventually(
      async () => (await ask(one)).startsWith("HTTP/1.1 200 "),
      `${one.address}:${one.port} answers`,
    );
  expect(await Promise.all([http, https, httpPort, httpsPort].map(isOpen))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(await envoy.rejected()).toEqual([]);
});

test.each([
  ["text", ["--accesslog-format=envoy"], /^\[.+\] "GET \/seen HTTP\/1\.1" 200 /],
  ["json", ["--accesslog-format=json"], /^\{.*"path":"\/seen".*\}$/],
  ["json", [], /^\{.*"path":"\/seen".*\}$/],
] as const)("--envoy-http-access-log and --envoy-https-access-log: %s", async (format, flags, line) => {
  const { folder, envoy, http, https } = await serve((at) => [
    `--envoy-http-access-log=${join(at, "http.log")}`,
    `--envoy-https-access-log=${join(at, "https.log")}`,
    ...flags,
  ]);
  const [host, path] = ["secure.test", "/seen"];
  await eventually(
    async () => (await request({ port: https, host, path, sni: host })).status === 200,
    "HTTPS is served",
  );
  expect((await request({ port: http, host: "echo.test", path })).status).toBe(200);
  expect(await envoy.rejected()).toEqual([]);
  // Envoy writes its buffer when it exits, otherwise every ten seconds.
  await envoy.stop();
  for (const [file, authority] of [
    ["http.log", "echo.test"],
    ["https.log", host],
  ] as const) {
    const lines = (await readFile(join(folder, file), "utf8")).split("\n").slice(0, -1);
    expect(lines).toEqual([expect.stringMatching(line)]);
    if (format === "json")
      expect(JSON.parse(lines[0] ?? "")).toMatchObject({ method: "GET", authority, response_code: 200 });
    else expect(lines[0]).toContain(`"${authority}"`);
  }
});

test("--stats-address and --stats-port: the listener for Envoy's health and metrics", async () => {
  const { envoy, stats } = await serve(() => []);
  for (const path of ["/ready", "/stats", "/stats/prometheus"])
    await eventually(
      async () => (await request({ port: stats, path })).status === 200,
      `${path} is answered on the port`,
    );
  expect((await request({ port: stats, path: "/clusters" })).status).toBe(404);
  expect(JSON.stringify(await envoy.configDump())).toContain(`"port_value":${stats}`);
  expect(await envoy.rejected()).toEqual([]);
});

test.each([
  ["--envoy-service-http-port=abc", "expected a port from 1 to 65535"],
  ["--envoy-service-https-port=0", "expected a port from 1 to 65535"],
  ["--stats-port=99999", "expected a port from 1 to 65535"],
  ["--accesslog-format=xml", "expected envoy, json"],
  ["--disable-feature=nonsense", "expected extensionservices"],
])("%s is a usage error", async (flag, message) => {
  const serving = promisify(execFile)(process.execPath, [COMMAND, "serve", "-f", ".", flag]);
  await expect(serving).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});
