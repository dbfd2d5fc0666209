import { readFileSync } from "node:fs";
import { request as post } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpServer } from "../../src/runtime/node/http-server.js";
import { MiddlesByToken, readPollBody } from "../../src/runtime/node/poll-body.js";
import { maxRequestBytes, RequestError, readBody, readDiscoveryRequest } from "../../src/server/request.js";

const { version_info: _, ...asked } = JSON.parse(
  readFileSync("test/support/discovery-request.json", "utf8"),
) as Record<string, unknown>;
const real = JSON.stringify(asked);
const bodyOf = (version: string, text = real): Uint8Array =>
  new TextEncoder().encode(`{"version_info":"${version}",${text.slice(1)}`);

describe("descriptions of Envoys that were read before", () => {
  it("give the same requests as text, whatever changes at the ends or between", () => {
    const known = new MiddlesByToken().of("t");
    const other = real.replace('"extensions":[', '"extensions":[{"name":"another"},');
    const third = real.replace('"extensions":[', '"version_info":"hidden","extensions":[');
    for (const round of [1, 2, 3])
      for (const text of [real, other, third])
        for (const version of ["", "1-0123456789abcdef", `${round}-0123456789abcdef`, "é"]) {
          const body = bodyOf(version, text);
          expect(readDiscoveryRequest(body, known)).toEqual(readDiscoveryRequest(body));
        }
    expect(readDiscoveryRequest(bodyOf("9-0123456789abcdef"), known).version).toBe("9-0123456789abcdef");
  });

  it("are used", () => {
    const calls = { has: 0, hits: 0 };
    const memory = new MiddlesByToken().of("t");
    const known = {
      ...memory,
      has: (middle: Uint8Array) => {
        const hit = memory.has(middle);
        calls.has++;
        if (hit) calls.hits++;
        return hit;
      },
    };
    for (const version of ["1-0123456789abcdef", "2-0123456789abcdef"])
      readDiscoveryRequest(bodyOf(version), known);
    expect(calls.hits).toBe(1);
  });

  it("do not admit bytes that are not UTF-8", () => {
    const known = new MiddlesByToken().of("t");
    const body = bodyOf("1-0123456789abcdef");
    readDiscoveryRequest(body, known);
    for (const at of [5000, body.length - 100]) {
      const broken = body.slice();
      broken[at] = 0xff;
      expect(() => readDiscoveryRequest(broken, known)).toThrow(RequestError);
    }
  });

  it("are bounded by token, and no token displaces those of another one", () => {
    const all = new MiddlesByToken();
    const middle = new Uint8Array([1, 2, 3]);
    all.of("quiet").add(middle);
    for (let i = 0; i < 20; i++) all.of("busy").add(new Uint8Array([i]));
    expect(all.of("quiet").has(middle)).toBe(true);
    const busy = Array.from({ length: 20 }, (_, i) => all.of("busy").has(new Uint8Array([i])));
    expect(busy.filter(Boolean)).toHaveLength(4);
    for (let i = 0; i < 64; i++) all.of(`t${i}`).add(middle);
    expect(all.of("quiet").has(middle)).toBe(false);
  });
});

describe("bodies of polls on Node", () => {
  const server = createHttpServer(
    getRequestListener(async (request, env) => {
      const web = new URL(request.url).pathname === "/web";
      try {
        const body = await (web ? readBody(request) : readPollBody({ env } as never, maxRequestBytes));
        return new Response(String(body.length));
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        return new Response(error.code, { status: error.status });
      }
    }),
  );
  beforeAll(() => new Promise<void>((done) => server.listen(0, "127.0.0.1", done)));
  afterAll(() => void server.close());

  async function send(path: string, body: Uint8Array, headers: Record<string, string>): Promise<string> {
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const sent = post(
        { host: "127.0.0.1", port, path, method: "POST", headers, agent: false },
        (answer) => {
          answer.setEncoding("utf8");
          let text = "";
          answer.on("data", (chunk: string) => {
            text += chunk;
          });
          answer.on("end", () => resolve(`${answer.statusCode} ${text}`));
        },
      );
      sent.on("error", reject).end(body);
    });
  }

  const gzip = { "content-encoding": "gzip" };
  const zipped = gzipSync(real);
  it.each<[string, Uint8Array, Record<string, string>, string]>([
    ["a plain body", bodyOf("1"), {}, `200 ${bodyOf("1").length}`],
    ["an empty one", new Uint8Array(), {}, "200 0"],
    ["a compressed one", zipped, gzip, `200 ${real.length}`],
    ["one that is too large", new Uint8Array(maxRequestBytes + 1), {}, "413 too-large"],
    [
      "one in pieces that is too large",
      new Uint8Array(maxRequestBytes + 1),
      { "transfer-encoding": "chunked" },
      "413 too-large",
    ],
    ["a compressed one that is too large", gzipSync(Buffer.alloc(8 * 1024 * 1024)), gzip, "413 too-large"],
    ["one that is not gzip", bodyOf("1"), gzip, "400 bad-gzip"],
    ["half of gzip", zipped.subarray(0, zipped.length / 2), gzip, "400 bad-gzip"],
    ["another encoding", bodyOf("1"), { "content-encoding": "br" }, "415 unsupported-encoding"],
  ])("are read as those of web requests: %s", async (_, body, headers, expected) => {
    expect([await send("/node", body, headers), await send("/web", body, headers)]).toEqual([
      expected,
      expected,
    ]);
  });
});
