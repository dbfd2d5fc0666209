import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { discoveryRequest } from "../support/discovery.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { startServe } from "../support/serve-process.js";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** A collector that takes spans as JSON; with a status other than 200 it refuses them. */
async function startCollector(status = 200) {
  const exported: Exported[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      expect(incoming.url).toBe("/v1/traces");
      exported.push(JSON.parse(Buffer.concat(chunks).toString()) as Exported);
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const spans = (): Span[] =>
    exported.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    );
  return { url: `http://127.0.0.1:${port}`, exported, spans };
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-traces-"));
  const made = folder;
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

const objects = (service: string): string =>
  JSON.stringify([
    { kind: "IsolineSettings", spec: { endpoints: "inline" } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: service, namespace: "shop" },
      spec: { ports: [{ port: 80 }] },
    },
    {
      apiVersion: "projectcontour.io/v1",
      kind: "HTTPProxy",
      metadata: { name: "web", namespace: "shop" },
      spec: { virtualhost: { fqdn: "a.example.com" }, routes: [{ services: [{ name: service, port: 80 }] }] },
    },
  ]);

async function startTraced(endpoint: string) {
  const port = await freePort();
  const server = await startServe(
    folder,
    ["--push", "--listen", `127.0.0.1:${port}`, "--otlp-endpoint", endpoint],
    { OTEL_BSP_SCHEDULE_DELAY: "100", OTEL_EXPORTER_OTLP_TIMEOUT: "1000" },
  );
  const push = async (service: string): Promise<void> => {
    const path = "/sources/web?commit=0123456789";
    expect((await request({ port, method: "PUT", path, body: objects(service) })).status).toBe(200);
  };
  const versions = new Map<string, string>();
  /** Takes what is served until nothing differs, as an Envoy does. */
  const follow = async (): Promise<void> => {
    for (let i = 0; i < 4; i++)
      for (const type of ["clusters", "listeners", "routes"]) {
        const names = type === "routes" ? ["ingress_http"] : [];
        const body = discoveryRequest("edge-1", versions.get(type) ?? "", names);
        const answer = await request({ port, method: "POST", path: `/v3/discovery:${type}`, body });
        if (answer.status === 200)
          versions.set(type, (JSON.parse(answer.body) as { readonly version_info: string }).version_info);
      }
  };
  return { server, push, follow };
}

it("has a trace for a change: compiled, published, accepted by each Envoy, and switched", async () => {
  const collector = await startCollector();
  const { push, follow } = await startTraced(collector.url);
  await push("blue");
  await follow();
  await push("green");
  await follow();
  const traced = (): Span[] => {
    const roots = collector.spans().filter(({ name }) => name === "change");
    const root = roots.find(({ attributes }) =>
      JSON.stringify(attributes).includes('"isoline.revision","value":{"intValue":2}'),
    );
    return root ? collector.spans().filter(({ traceId }) => traceId === root.traceId) : [];
  };
  await eventually(
    async () => traced().some(({ name }) => name === "switch"),
    "the trace of the second push",
  );
  const spans = traced();
  const names = spans.map(({ name }) => name);
  expect(new Set(names)).toEqual(
    new Set(["change", "compile", "publish", "accept clusters", "accept routes", "switch"]),
  );
  const root = spans.find(({ name }) => name === "change");
  for (const { name, parentSpanId, startTimeUnixNano: from, endTimeUnixNano: to } of spans) {
    expect(parentSpanId ?? "", name).toBe(name === "change" ? "" : root?.spanId);
    expect(BigInt(to) >= BigInt(from), name).toBe(true);
  }
  expect(JSON.stringify(root?.attributes)).toContain('"isoline.commit","value":{"stringValue":"0123456789"}');
  expect(JSON.stringify(collector.exported[0]?.resourceSpans[0]?.resource)).toContain(
    '"service.name","value":{"stringValue":"isoline"}',
  );
});

it("goes on without traces while the collector refuses them, and ends in time", async () => {
  const { server, push, follow } = await startTraced((await startCollector(400)).url);
  await push("blue");
  await follow();
  expect(await server.line("traces-not-sent")).toMatchObject({ level: "warn" });
  await push("green");
  await server.stop();
  expect(server.lines().filter(({ event }) => event === "traces-not-sent")).toHaveLength(1);
  expect(server.child.exitCode).toBe(0);
});
