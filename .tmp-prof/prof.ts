import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { freePort } from "../test/support/http.js";
import { applications } from "../test/bench/apps.js";
const lineOf = (role: string, token: string): string => `${role} sha256:${createHash("sha256").update(token).digest("hex")}`;
const folder = mkdtempSync(join(tmpdir(), "isoline-bench-"));
const port = await freePort(); const ip = await freePort();
const worker = new Miniflare({ host: "127.0.0.1", port, inspectorPort: ip,
  modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync("dist/worker.js", "utf8") }],
  compatibilityDate: "2026-04-01", compatibilityFlags: ["nodejs_compat"],
  durableObjects: { FLEET: { className: "Fleet", useSQLite: true } }, durableObjectsPersist: folder,
  bindings: { ISOLINE_INSECURE: "1", ISOLINE_TOKENS: [lineOf("publish", "p"), lineOf("node", "n")].join("\n") } });
await worker.ready;
const targets = await (await fetch(`http://127.0.0.1:${ip}/json`)).json() as any[];
console.error(targets.map((t) => t.webSocketDebuggerUrl));

const ws = new WebSocket(targets[0].webSocketDebuggerUrl);
await new Promise((d) => ws.addEventListener("open", d));
let id = 0; const waits = new Map<number, (v: any) => void>();
ws.addEventListener("message", (m: any) => { const d = JSON.parse(String(m.data)); if (d.id) waits.get(d.id)?.(d.result ?? d); });
const call = (method: string, params = {}): Promise<any> => new Promise((d) => { const n = ++id; waits.set(n, d); ws.send(JSON.stringify({ id: n, method, params })); });
const url = `http://127.0.0.1:${port}`;
const text = applications(Number(process.argv[2] ?? 10000));
const body = gzipSync(text);
const put = async (body: any) => {
  const a = await fetch(`${url}/sources/main`, { method: "PUT", headers: { authorization: "Bearer p", "content-encoding": "gzip" }, body });
  let { left } = await a.json() as any;
  if (a.status !== 200) throw new Error(String(a.status));
  const t = performance.now();
  while (left) { await sleep(100); ({ left } = await (await fetch(`${url}/sources/main`, { headers: { authorization: "Bearer p" } })).json() as any); }
  return t;
};
await put(gzipSync(JSON.stringify({ kind: "Service", apiVersion: "v1", metadata: { name: "a" }, spec: { ports: [{ port: 80 }] } })));
if (process.env.PROF) { await call("Profiler.enable"); await call("Profiler.setSamplingInterval", { interval: 1000 }); await call("Profiler.start"); }
const t0 = performance.now();
const answered = await put(body);
console.error("first push ms", Math.round(performance.now() - t0), "answered after", Math.round(answered - t0));
if (process.env.PROF) { const r = await call("Profiler.stop"); writeFileSync("/tmp/worker.cpuprofile", JSON.stringify(r.profile)); }
ws.close();
await worker.dispose();
rmSync(folder, { recursive: true });
process.exit(0);
