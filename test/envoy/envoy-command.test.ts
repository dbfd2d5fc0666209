import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { type EnvoyCommandOptions, envoyCommand } from "../../src/cli/envoy.js";
import { hostProxy, httpProxy, type Manifest, tlsSecret } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { type Rig, type RigOptions, startIsoline, startRig } from "../support/isoline.js";
import { captureOutput } from "../support/output.js";

const objects: readonly Manifest[] = [
  hostProxy("plain.test", "a"),
  tlsSecret("default", "secure"),
  httpProxy("default", "many", {
    virtualhost: {
      fqdn: "many.test",
      tls: { secretName: "secure" },
      corsPolicy: { allowOrigin: ["*"], allowMethods: ["GET"], maxAge: "10m" },
      rateLimitPolicy: { local: { requests: 3000, unit: "second" } },
    },
    routes: [
      {
        conditions: [{ prefix: "/slow" }],
        services: [
          { name: "a", port: 80, weight: 0 },
          { name: "b", port: 80, weight: 1 },
        ],
        timeoutPolicy: { response: "infinity", idle: "1.5s", idleConnection: "1h" },
        retryPolicy: { count: 2, perTryTimeout: "250ms" },
        healthCheckPolicy: { path: "/healthz", intervalSeconds: 60 },
      },
      { conditions: [{ prefix: "/gone" }], services: [{ name: "empty", port: 80 }] },
      {
        conditions: [{ prefix: "/hashed" }, { header: { name: "x-key", exact: "hunter2" } }],
        services: [{ name: "b", port: 80 }],
        loadBalancerPolicy: {
          strategy: "RequestHash",
          requestHashPolicies: [{ headerHashOptions: { headerName: "x-user" } }],
        },
        requestHeadersPolicy: { set: [{ name: "x-color", value: "blue" }], remove: ["x-old"] },
      },
      { services: [{ name: "b", port: 80 }], pathRewritePolicy: { replacePrefix: [{ replacement: "/v1" }] } },
    ],
  }),
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "empty", namespace: "default" },
    spec: { ports: [{ port: 80 }] },
  },
];

async function run(
  rig: Rig,
  options: Partial<EnvoyCommandOptions> = {},
): Promise<{ code: number; text: string }> {
  let text = "";
  captureOutput(
    (part) => {
      text += part;
    },
    () => undefined,
  );
  const xds = `http://127.0.0.1:${rig.isoline.port}`;
  const code = await envoyCommand(rig.envoy.adminUrl, { xds, format: "text", ...options });
  vi.restoreAllMocks();
  return { code, text };
}

it.each<Pick<RigOptions, "endpoints" | "adminSocket">>([
  { endpoints: "eds" },
  { endpoints: "inline", adminSocket: true },
])(
  "isoline envoy finds no difference in an Envoy that is up to date, says what another one lacks, and names response flags (%o)",
  async (options) => {
    const rig = await startRig({ backends: ["a", "b"], objects, ...options });
    await eventually(
      async () => (await request({ port: rig.httpPort, host: "plain.test" })).status === 200,
      "it forwards",
    );
    const first = await run(rig);
    expect(first.text).toContain("it has what http://127.0.0.1");
    expect(first.code).toBe(0);
    expect(first.text).not.toMatch(/hunter2|PRIVATE/);

    await request({ port: rig.httpPort, host: "nobody.test" });
    await request({ port: rig.httpsPort, host: "many.test", sni: "many.test", path: "/gone" });
    const flagged = await run(rig);
    expect(flagged.text).toMatch(/ {2}NR \d+ {2}no route takes the request/);
    expect(flagged.text).toMatch(
      / {2}UH \d+ {2}[^\n]*\n {6}in cluster default_empty_80 \(\d+\)\n {6}look at /,
    );

    const folder = await mkdtemp(join(tmpdir(), "isoline-other-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const other = await startIsoline(folder, { allowLoopbackEndpoints: true });
    await other.apply("objects", ...rig.backends.objects, ...objects, hostProxy("new.test", "a"));
    await other.start();
    onTestFinished(() => other.stop());
    const behind = await run(rig, { xds: `http://127.0.0.1:${other.port}` });
    expect(behind.code).toBe(1);
    expect(behind.text).toContain("differs from what it has");
    expect(behind.text).toMatch(/new\.test/);
  },
);
