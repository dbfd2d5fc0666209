// .tmp-prof/prof.ts
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";

// test/support/http.ts
import { connect, createServer } from "node:net";
async function freePort() {
  for (; ; ) {
    const port2 = firstPort + next++ % (endPort - firstPort);
    if (await isFree(port2)) return port2;
  }
}
var perWorker = 2e3;
var firstPort = 12e3 + Number(process.env.VITEST_POOL_ID ?? 0) % 10 * perWorker;
var endPort = firstPort + perWorker;
var next = Math.floor(Math.random() * perWorker);
async function isFree(port2) {
  const server = createServer();
  const listening = await new Promise(
    (done) => server.once("error", () => done(false)).once("listening", () => done(true)).listen(port2, "127.0.0.1")
  );
  if (listening) await new Promise((done) => server.close(done));
  return listening;
}

// test/bench/apps.ts
function applications(count) {
  const namespaces = Math.max(1, Math.floor(count / 50));
  const lines = [];
  const add = (object) => {
    lines.push(JSON.stringify(object));
  };
  for (let k = 0; k < namespaces; k++)
    add({ apiVersion: "v1", kind: "Namespace", metadata: { name: `team-${k}` } });
  for (let i = 0; i < count; i++) for (const object of application(i, `team-${i % namespaces}`)) add(object);
  return lines.join("\n");
}
function application(i, namespace, timeout = "15s") {
  const name = `app-${i}`;
  const metadata = { name, namespace, creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 };
  const services = [{ name, port: 80 }];
  const subnet = `${i >> 8 & 255}.${i & 255}`;
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: {
        clusterIP: `10.0.${subnet}`,
        ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }]
      }
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, name: `${name}-x`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [100, 101, 102].map((net) => ({
        addresses: [`10.${net}.${subnet}`],
        conditions: { ready: true }
      }))
    },
    {
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata,
      spec: {
        virtualhost: { fqdn: `${name}.${namespace}.example.com` },
        routes: [
          { conditions: [{ prefix: "/" }], services },
          { conditions: [{ prefix: "/api/v1" }], services, timeoutPolicy: { response: timeout } },
          {
            conditions: [{ prefix: "/api/v2" }, { header: { name: "x-canary", exact: "yes" } }],
            services,
            pathRewritePolicy: { replacePrefix: [{ replacement: "/" }] }
          }
        ]
      }
    }
  ];
}

// .tmp-prof/prof.ts
var lineOf = (role, token) => `${role} sha256:${createHash("sha256").update(token).digest("hex")}`;
var folder = mkdtempSync(join(tmpdir(), "isoline-bench-"));
var port = await freePort();
var ip = await freePort();
var worker = new Miniflare({
  host: "127.0.0.1",
  port,
  inspectorPort: ip,
  modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync("dist/worker.js", "utf8") }],
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_compat"],
  durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
  durableObjectsPersist: folder,
  bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: [lineOf("publish", "p"), lineOf("node", "n")].join("\n") }
});
await worker.ready;
var targets = await (await fetch(`http://127.0.0.1:${ip}/json`)).json();
console.error(targets.map((t) => t.webSocketDebuggerUrl));
var ws = new WebSocket(targets[0].webSocketDebuggerUrl);
await new Promise((d) => ws.addEventListener("open", d));
var id = 0;
var waits = /* @__PURE__ */ new Map();
ws.addEventListener("message", (m) => {
  const d = JSON.parse(String(m.data));
  if (d.id) waits.get(d.id)?.(d.result ?? d);
});
var call = (method, params = {}) => new Promise((d) => {
  const n = ++id;
  waits.set(n, d);
  ws.send(JSON.stringify({ id: n, method, params }));
});
var url = `http://127.0.0.1:${port}`;
var text = applications(Number(process.argv[2] ?? 1e4));
var body = gzipSync(text);
var put = async (body2) => {
  const a = await fetch(`${url}/sources/main`, { method: "PUT", headers: { authorization: "Bearer p", "content-encoding": "gzip" }, body: body2 });
  let { left } = await a.json();
  if (a.status !== 200) throw new Error(String(a.status));
  const t = performance.now();
  while (left) {
    await sleep(100);
    ({ left } = await (await fetch(`${url}/sources/main`, { headers: { authorization: "Bearer p" } })).json());
  }
  return t;
};
await put(gzipSync(JSON.stringify({ kind: "Service", apiVersion: "v1", metadata: { name: "a" }, spec: { ports: [{ port: 80 }] } })));
if (process.env.PROF) {
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: 1e3 });
  await call("Profiler.start");
}
var t0 = performance.now();
var answered = await put(body);
console.error("first push ms", Math.round(performance.now() - t0), "answered after", Math.round(answered - t0));
if (process.env.PROF) {
  const r = await call("Profiler.stop");
  writeFileSync("/tmp/worker.cpuprofile", JSON.stringify(r.profile));
}
ws.close();
await worker.dispose();
rmSync(folder, { recursive: true });
process.exit(0);
//# sourceMappingURL=prof.js.map
