import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { endpointSlice, type Manifest, service } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";
import { askOdd, expectedOdd, startOdd } from "../support/nginx-odd.js";
import { nginxIngress } from "../support/nginx-probes.js";

test("ends silent tries, websockets and responses, and changes cookies and redirects, as nginx does", async () => {
  const odd = await startOdd();
  const rig = await startRig({ backends: ["web"], objects: odd.objects, settings: { ingressNginx: {} } });
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "o2.test" })).status === 302,
    "the host is served",
  );
  expect(await askOdd(rig.httpPort, odd.count)).toEqual(expectedOdd);
  expect(await rig.envoy.rejected()).toEqual([]);
}, 60_000);

test("replaces responses with those of the default backend", async () => {
  const odd = await startOdd();
  const pages = { "custom-http-errors": "404,503", "default-backend": "pages" };
  const rig = await startRig({
    backends: ["pages"],
    objects: [
      ...odd.objects,
      service("default", "empty"),
      nginxIngress({ name: "e1", host: "e1.test", paths: [{ to: "odd" }], annotations: pages }),
      nginxIngress({ name: "e2", host: "e2.test", paths: [{ to: "empty" }], annotations: pages }),
      nginxIngress({
        name: "e3",
        host: "e3.test",
        paths: [{ to: "odd" }],
        annotations: { ...pages, "disable-proxy-intercept-errors": "true" },
      }),
    ],
    settings: { ingressNginx: {} },
  });
  const ask = (host: string, path: string) =>
    request({ port: rig.httpPort, host, path, headers: { accept: "text/html" } });
  const path = "/status?code=404";
  await eventually(async () => (await ask("e1.test", path)).status === 200, "the page is served");
  expect((await ask("e1.test", path)).echo()).toMatchObject({
    service: "pages",
    path: "/",
    host: "e1.test",
    headers: {
      "x-code": "404",
      "x-format": "text/html",
      "x-original-uri": path,
      "x-namespace": "default",
      "x-ingress-name": "e1",
      "x-service-name": "odd",
      "x-service-port": "80",
    },
  });
  const other = await ask("e1.test", "/status?code=500");
  expect([other.status, other.body]).toEqual([500, "own page"]);
  expect((await ask("e2.test", "/a?b")).echo()).toMatchObject({
    service: "pages",
    headers: { "x-code": "503" },
  });
  const own = await ask("e3.test", path);
  expect([own.status, own.body]).toEqual([404, "own page"]);
  expect(await rig.envoy.rejected()).toEqual([]);
}, 60_000);

test("keeps a persistent session at its endpoint, by a cookie with the attributes of the annotations", async () => {
  const annotations = {
    affinity: "cookie",
    "affinity-mode": "persistent",
    "session-cookie-name": "SID",
    "session-cookie-max-age": "100",
    "session-cookie-expires": "100",
    "session-cookie-samesite": "Lax",
  };
  const hashed = { ...annotations, "affinity-mode": "balanced" };
  const rig = await startRig({
    backends: ["web"],
    objects: [
      nginxIngress({ name: "fixed", host: "fixed.test", annotations }),
      nginxIngress({ name: "hashed", host: "hashed.test", annotations: hashed }),
    ],
    settings: { ingressNginx: {} },
  });
  const ask = (host: string, headers = {}) => request({ port: rig.httpPort, host, headers });
  await eventually(async () => (await ask("fixed.test")).status === 200, "the host is served");
  for (const host of ["fixed.test", "hashed.test"]) {
    const [given = ""] = (await ask(host)).headers["set-cookie"] ?? [];
    expect(given).toMatch(
      /^SID="?[^;]+; Max-Age=100; Path=\/; (?:SameSite=Lax; HttpOnly|HttpOnly; SameSite=Lax); Expires=\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/i,
    );
    const expires = Date.parse(/Expires=([^;]+)/.exec(given)?.[1] ?? "");
    expect(expires - Date.now()).toBeGreaterThan(60_000);
    const again = await ask(host, { cookie: given.split(";")[0] ?? "" });
    expect(again.headers["set-cookie"]).toBeUndefined();
  }
  expect(await rig.envoy.rejected()).toEqual([]);
}, 60_000);

/** A TCP backend that sends back what it gets, in upper case. */
async function startTcp(): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => socket.write(data.toString().toUpperCase()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

async function startUdp(): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (data, { port, address }) => socket.send(`udp ${data}`, port, address));
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  onTestFinished(() => void socket.close());
  return socket.address().port;
}

const overTcp = (port: number, text: string): Promise<string> =>
  new Promise((done, fail) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.setTimeout(2000, () => {
      socket.destroy();
      fail(new Error("no answer"));
    });
    socket.on("error", fail);
    socket.on("data", (data) => {
      done(data.toString());
      socket.destroy();
    });
    socket.on("close", () => fail(new Error("closed")));
  });

const overUdp = (port: number, text: string): Promise<string> =>
  new Promise((done, fail) => {
    const socket = createSocket("udp4");
    const timer = setTimeout(() => {
      socket.close();
      fail(new Error("no answer"));
    }, 1000);
    socket.on("message", (data) => {
      clearTimeout(timer);
      socket.close();
      done(data.toString());
    });
    socket.send(text, port, "127.0.0.1");
  });

test("serves the ConfigMaps of TCP and UDP services", async () => {
  const [tcpPort, udpPort] = [await startTcp(), await startUdp()];
  const [plain, encoded, decoded, datagrams] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const configMap = (name: string, data: Manifest): Manifest => {
    return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "ingress-nginx", name }, data };
  };
  const udp = service("default", "dns");
  const ports = [{ name: "dns", port: 53, protocol: "UDP" }];
  const rig = await startRig({
    backends: ["web"],
    objects: [
      service("default", "db"),
      endpointSlice("default", "db", tcpPort),
      { ...udp, spec: { ...(udp.spec as object), ports } },
      {
        ...endpointSlice("default", "dns", udpPort),
        ports: [{ name: "dns", port: udpPort, protocol: "UDP" }],
      },
      configMap("tcp", {
        [plain]: "default/db:80",
        [encoded]: "default/db:80::PROXY",
        [decoded]: "default/db:80:PROXY:PROXY",
        "70000": "default/db:80",
        "6000": "default/missing:80",
      }),
      configMap("udp", { [datagrams]: "default/dns:53" }),
    ],
    settings: {
      ingressNginx: { tcpServicesConfigMap: "ingress-nginx/tcp", udpServicesConfigMap: "ingress-nginx/udp" },
    },
  });
  await eventually(async () => (await overTcp(plain, "hello")) === "HELLO", "the port is served");
  await expect(overTcp(encoded, "hello")).resolves.toMatch(
    /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n(?:HELLO)?/,
  );
  await expect(overTcp(decoded, "PROXY TCP4 192.0.2.7 192.0.2.1 1000 2000\r\nhello")).resolves.toMatch(
    /^PROXY TCP4 192\.0\.2\.7 192\.0\.2\.1 1000 2000\r\n/,
  );
  await eventually(async () => (await overUdp(datagrams, "hello")) === "udp hello", "datagrams are served");
  expect(await rig.envoy.rejected()).toEqual([]);
}, 60_000);
