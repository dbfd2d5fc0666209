import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy for HTTP/1.1 that gives up on an answer after a time, as nginx does with `proxy_read_timeout`. */
export interface CuttingProxy {
  readonly port: number;
  /** The number of requests that it gave up on. */
  cuts(): number;
}

/** `keeps`: the request to the server goes on after the proxy has given up. */
export async function startCuttingProxy(target: number, cutMs: number, keeps = false): Promise<CuttingProxy> {
  let cuts = 0;
  const server = createServer((asked, answer: ServerResponse) => {
    const { method, url, headers } = asked;
    const onward = request({ host: "127.0.0.1", port: target, method, path: url, headers }, (got) => {
      clearTimeout(timer);
      if (answer.headersSent) return void got.resume();
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    const timer = setTimeout(() => {
      cuts++;
      answer.writeHead(504).end();
      if (!keeps) onward.destroy();
    }, cutMs);
    onward.on("error", () => {
      clearTimeout(timer);
      if (!answer.headersSent) answer.writeHead(502).end();
    });
    asked.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, cuts: () => cuts };
}
