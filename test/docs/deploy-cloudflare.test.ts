import { type Machine, untilPrinted } from "../support/machine.js";
import { certificateFor, ownManifests, untilAnswered, untilShopIsServed, walk } from "../support/walk.js";

const site = "isoline.example.workers.dev";

/** What Cloudflare's edge does in front of the Worker: TLS under its name, HTTP/2 and HTTP/1.1. */
const edge = `
const { createSecureServer } = require("node:http2");
const { request } = require("node:http");
const { readFileSync } = require("node:fs");
const pair = { cert: readFileSync("tls.crt"), key: readFileSync("tls.key"), allowHTTP1: true };
createSecureServer(pair, (asked, answer) => {
  const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !name.startsWith(":")));
  const host = asked.headers[":authority"] ?? asked.headers.host;
  const on = request({ port: 8787, method: asked.method, path: asked.url, headers: { ...headers, host } }, (got) => {
    const { connection, "keep-alive": alive, "transfer-encoding": coding, ...rest } = got.headers;
    answer.writeHead(got.statusCode, rest);
    got.pipe(answer);
  });
  on.on("error", () => answer.destroy());
  asked.pipe(on);
}).listen(443, () => console.log("listens"));
`;

async function startEdge(machine: Machine): Promise<void> {
  machine.trust(machine.read("ca.crt"));
  machine.write("edge.cjs", edge);
  await untilPrinted(machine.start("exec node edge.cjs"), /listens/);
}

walk("docs/deploy-cloudflare.md", {
  given: async (machine) => {
    await ownManifests(machine);
    await certificateFor(machine, site);
    await startEdge(machine);
  },
  after: {
    "envoy -c": (machine) => untilShopIsServed(machine),
    "npx wrangler dev": (machine) => untilAnswered(machine, "http://127.0.0.1:8787/healthz", /^ok$/m),
  },
});
