import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../../src/runtime/node/serve.js";

const roles = ["node", "publish", "read", "admin"] as const;
const marker = "kept-from-strangers";
let server: RunningServer;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-raw-"));
  const tokensFile = join(folder, "tokens");
  const lines = roles.map((role) => `${role} sha256:${createHash("sha256").update(role).digest("hex")}`);
  writeFileSync(tokensFile, lines.join("\n"));
  server = await startServer({
    paths: [],
    push: true,
    tokensFile,
    host: "127.0.0.1",
    port: 0,
    log: () => undefined,
  });
  await send("PUT", `/sources/${marker}`, ["Authorization: Bearer publish"], "[]");
  return async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  };
});

/** What comes back for these very bytes. */
async function send(
  method: string,
  path: string,
  headers: readonly string[] = [],
  body = "",
): Promise<{ readonly status: number; readonly text: string }> {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(headers.some((line) => /^host:/i.test(line)) ? [] : ["Host: isoline"]),
    ...headers,
    "Connection: close",
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
  ];
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const answer = await text(socket);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0), text: answer };
}

const identity = 'x-isoline-identity: [{"role":"admin","name":"","id":"","fleet":"default"}]';
const bearer = (role: string): string => `Authorization: Bearer ${role}`;

describe("a request as no honest client sends it", () => {
  it.each<[string, string, readonly string[]]>([
    ["GET", "/%73tatus", []],
    ["GET", "/healthz/../status", []],
    ["GET", "/healthz/%2e%2e/status", []],
    ["GET", "/healthz%2f..%2fstatus", []],
    ["GET", "/healthz;/status", []],
    ["GET", "/healthz\\..\\status", []],
    ["GET", "//status", []],
    ["GET", "/status%00", []],
    ["GET", "/%zz/status", []],
    ["GET", "http://127.0.0.1/status", []],
    ["GET", "/status", ["Host: isoline/healthz?"]],
    ["GET", "/status", ["Host: isoline/healthz#"]],
    ["GET", "/status", ["Host: u@isoline"]],
    ["GET", "/status", ["Host: a", "Host: b"]],
    ["HEAD", "/status", []],
    ["OPTIONS", "*", []],
    ["CONNECT", "isoline:80", []],
    ["get", "/status", [bearer("read")]],
    ["POST", "/status", ["X-HTTP-Method-Override: GET"]],
    ["GET", "/status?access_token=read", []],
    ["GET", "/status?authorization=Bearer%20read", []],
    ["GET", "/status/read", []],
    ["GET", "/status", ["Cookie: token=read"]],
    ["GET", "/status", ["Authorization: Basic cmVhZA=="]],
    ["GET", "/status", ["Authorization: read"]],
    ["GET", "/status", ["Authorization: Bearer  read"]],
    ["GET", "/status", ["Authorization: Bearer read, Bearer admin"]],
    ["GET", "/status", [identity]],
    ["GET", "/status", [`Authorization: Bearer ${"x".repeat(20_000)}`]],
    ["GET", "/status", Array.from({ length: 3000 }, (_, i) => `x${i}: y`)],
    ["GET", "/status", ["Upgrade: websocket"]],
    ["POST", "/v3/discovery%3asecrets", [bearer("admin")]],
    ["POST", "/v3/discovery:secrets", [bearer("admin"), identity.replace("admin", "node")]],
  ])("%s %s is told nothing (%#)", async (method, path, headers) => {
    const answer = await send(method, path, headers);
    expect(method === "CONNECT" ? [0] : [400, 401, 404, 429, 431]).toContain(answer.status);
    expect(answer.text).not.toContain(marker);
  });

  it.each<[string, string, readonly string[]]>([
    ["GET", `/sources/${marker}`, [bearer("publish"), "X-HTTP-Method-Override: DELETE"]],
    ["POST", `/sources/${marker}?_method=DELETE`, [bearer("admin")]],
    ["DELETE", `/sources/${marker}`, [bearer("read"), bearer("admin")]],
    ["DELETE", `/sources/${marker}`, [bearer("publish"), identity]],
    ["DELETE", `/sources/x%2f..%2f${marker}`, [bearer("admin")]],
    ["DELETE", `/sources/${marker}/`, [bearer("admin")]],
    ["DELETE", `/sources/${marker.toUpperCase()}`, [bearer("admin")]],
    ["PUT", `/sources/${marker}?revision=1e3`, [bearer("publish")]],
    ["PUT", `/sources/${marker}?revision=`, [bearer("publish")]],
    ["PUT", "/sources/__proto__", [bearer("publish")]],
    ["PUT", `/sources/${marker}`, [bearer("publish"), "Transfer-Encoding: chunked", "Content-Length: 2"]],
    ["PUT", `/sources/${marker}`, [bearer("publish"), "Content-Encoding: gzip, gzip"]],
  ])("%s %s changes nothing (%#)", async (method, path, headers) => {
    const before = (await send("GET", "/status", [bearer("read")])).text;
    await send(method, path, headers, method === "PUT" && headers.length < 3 ? "[]" : "");
    const after = (await send("GET", "/status", [bearer("read")])).text;
    expect(after.replace(/Date: .*/, "")).toBe(before.replace(/Date: .*/, ""));
    expect(after).toContain(marker);
  });
});
