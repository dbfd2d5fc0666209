import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { onTestFinished } from "vitest";
import { endpointSlice, type Manifest, service } from "./backend.js";
import { request } from "./http.js";
import { type NginxIngress, nginxIngress } from "./nginx-probes.js";

const ingresses: readonly NginxIngress[] = [
  {
    name: "o1",
    host: "o1.test",
    paths: [{ to: "odd" }],
    annotations: { "proxy-read-timeout": "1", "proxy-send-timeout": "1" },
  },
  {
    name: "o2",
    host: "o2.test",
    paths: [{ to: "odd" }],
    annotations: {
      "proxy-cookie-domain": "one.test two.test",
      "proxy-cookie-path": '/a/ "/b/"',
      "proxy-redirect-from": "http://from.test/",
      "proxy-redirect-to": "http://to.test/x/",
    },
  },
];

/** The server blocks that ingress-nginx's template implies for them. */
export const oddServers = (server: (name: string, body: string) => string, port: number): string => `
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream odd { ${`server 127.0.0.1:${port} max_fails=0; `.repeat(3)} }
  ${server(
    "o1.test",
    `location / { proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 1s; proxy_send_timeout 1s; proxy_next_upstream error timeout; proxy_next_upstream_tries 3; proxy_pass http://odd; }`,
  )}
  ${server(
    "o2.test",
    `location / { proxy_cookie_domain one.test two.test; proxy_cookie_path /a/ "/b/";
      proxy_redirect http://from.test/ http://to.test/x/; proxy_pass http://odd; }`,
  )}
`;

const cookies = [
  "a=b; Domain=one.test; Path=/a/x; Secure",
  "c=d; path=/A/; domain=.one.test",
  "e=f; Path=/z; Domain=ONE.test; HttpOnly",
  "g=h",
];

/** A backend that stalls, stops in the middle of an answer, opens silent websockets, and sets cookies. */
export async function startOdd(): Promise<{
  readonly port: number;
  readonly objects: readonly Manifest[];
  count(): number;
}> {
  let count = 0;
  const server = createServer((incoming, response) => {
    count++;
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://odd");
    if (pathname === "/stall") return;
    if (pathname === "/mid") {
      response.write("begin");
      return;
    }
    if (pathname === "/status") {
      response.statusCode = Number(searchParams.get("code"));
      response.end("own page");
      return;
    }
    response.statusCode = 302;
    response.setHeader("set-cookie", cookies);
    response.setHeader("location", searchParams.get("to") ?? "/");
    response.setHeader("refresh", `5; url=${searchParams.get("to") ?? "/"}`);
    response.end();
  });
  server.on("upgrade", (_, socket) => {
    socket.on("error", () => socket.destroy());
    socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    objects: [
      service("default", "odd"),
      endpointSlice("default", "odd", port),
      ...ingresses.map(nginxIngress),
    ],
    count: () => count,
  };
}

/** Seconds until a silent websocket is closed. */
const silentWebsocket = (port: number): Promise<number> =>
  new Promise((done, fail) => {
    const start = performance.now();
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(
        "GET /ws HTTP/1.1\r\nHost: o1.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      ),
    );
    socket.setTimeout(20_000, () => fail(new Error("the websocket stays open")));
    socket.on("error", fail);
    socket.on("data", () => {});
    socket.on("close", () => done((performance.now() - start) / 1000));
  });

/** What clients of a server see: statuses, how often the backend was asked, and changed headers. */
export async function askOdd(port: number, count: () => number): Promise<Readonly<Record<string, unknown>>> {
  const stalled = async (method: string): Promise<unknown> => {
    const before = count();
    const { status } = await request({ port, host: "o1.test", path: "/stall", method });
    return { status, tries: count() - before };
  };
  const get = await stalled("GET");
  const post = await stalled("POST");
  const [mid, silent] = await Promise.all([
    request({ port, host: "o1.test", path: "/mid" }).then(
      () => "ended",
      () => "broken",
    ),
    silentWebsocket(port),
  ]);
  const changed = await Promise.all(
    ["http://from.test/abc", "HTTP://From.test/abc", "/abc"].map(async (to) => {
      const { headers } = await request({ port, host: "o2.test", path: `/?to=${encodeURIComponent(to)}` });
      return { location: headers.location, refresh: headers.refresh, cookies: headers["set-cookie"] };
    }),
  );
  // Both look at their timers in their own time.
  return { get, post, mid, isSilentShort: silent >= 0.9 && silent < 3.5, changed };
}

/** What ingress-nginx answers. */
export const expectedOdd = {
  get: { status: 504, tries: 3 },
  post: { status: 504, tries: 1 },
  mid: "broken",
  isSilentShort: true,
  changed: [
    ["http://to.test/x/abc", "5; url=http://to.test/x/abc"],
    ["HTTP://From.test/abc", "5; url=HTTP://From.test/abc"],
    ["/abc", "5; url=/abc"],
  ].map(([location, refresh]) => ({
    location,
    refresh,
    cookies: [
      "a=b; Domain=two.test; Path=/b/x; Secure",
      "c=d; path=/A/; domain=.two.test",
      "e=f; Path=/z; Domain=two.test; HttpOnly",
      "g=h",
    ],
  })),
};
