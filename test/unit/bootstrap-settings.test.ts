import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { bootstrapCommand } from "../../src/cli/bootstrap.js";
import { manifestsOf } from "../../src/cli/manifests.js";
import { bootstrapFindings } from "../../src/schema/bootstrap-settings.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { writeBootstrap } from "../../src/xds/bootstrap.js";

const target = {
  xdsUrl: "http://127.0.0.1:18000",
  nodeId: "n",
  nodeCluster: "c",
  admin: { address: "127.0.0.1", port: 1 },
};
const regexLimits = {
  "re2.max_program_size.error_level": 1_048_576,
  "re2.max_program_size.warn_level": 1000,
};

test("runtime settings go into the static layer, and Isoline's own values win", () => {
  const { settings, findings } = parseSettings({
    listener: { "max-requests-per-io-cycle": 10, "max-connections-per-listener": 20 },
    "runtime-settings": { "a.b": "true", "re2.max_program_size.warn_level": "1" },
  });
  expect(findings).toEqual([]);
  const layers = [
    {
      name: "isoline",
      static_layer: {
        ...regexLimits,
        "a.b": "true",
        "http.max_requests_per_io_cycle": 10,
        "envoy.resource_limits.listener.ingress_http.connection_limit": 20,
        "envoy.resource_limits.listener.ingress_https.connection_limit": 20,
      },
    },
    { name: "admin", admin_layer: {} },
  ];
  expect(writeBootstrap({ ...target, settings: settings.spec }).layered_runtime).toEqual({ layers });
  expect(writeBootstrap(target).layered_runtime?.layers?.[0]).toEqual({
    name: "isoline",
    static_layer: regexLimits,
  });
});

test("a server says that they take effect through the bootstrap", () => {
  const { settings } = parseSettings({
    listener: { maxRequestsPerIOCycle: 10, maxConnectionsPerListener: 20 },
    runtimeSettings: { a: "1" },
  });
  expect(bootstrapFindings(settings).map(({ reason, path }) => `${reason} ${path}`)).toEqual([
    "BootstrapOnly listener.maxRequestsPerIOCycle",
    "BootstrapOnly listener.maxConnectionsPerListener",
    "BootstrapOnly runtimeSettings",
  ]);
  expect(bootstrapFindings(parseSettings({}).settings)).toEqual([]);
});

test("isoline bootstrap --settings reads them from a file, and says what it left out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-bootstrap-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  const settings = join(folder, "contour.yaml");
  await writeFile(settings, 'runtime-settings: {a: "1", re2.max_program_size.warn_level: "1"}\nno-such: 1\n');
  const out = join(folder, "envoy.json");
  await bootstrapCommand(out, { xds: target.xdsUrl, settings });

  const written = JSON.parse(await readFile(out, "utf8")) as ReturnType<typeof writeBootstrap>;
  expect(written.layered_runtime?.layers?.[0]?.static_layer).toEqual({ ...regexLimits, a: "1" });
  expect(said.mock.calls.map(([line]) => String(line).split(": ")[1])).toEqual([
    "warning Settings//isoline no-such",
    'warning Settings//isoline runtimeSettings["re2.max_program_size.warn_level"]',
  ]);
});

test("T79: Envoy's admin interface is on loopback, and of it only what harms nobody is shown beside metrics", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-admin-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await bootstrapCommand(join(folder, "b.json"), { xds: "http://127.0.0.1:18000" });
  const written = await readFile(join(folder, "b.json"), "utf8");
  const deployed = JSON.stringify(
    manifestsOf("envoy", {
      namespace: "isoline",
      image: "isoline",
      replicas: "1",
      envoyImage: "envoy",
      envoyKind: "Deployment",
    }),
  );
  for (const text of [written, deployed]) {
    const found = text.replaceAll("\\", "").match(/"?admin"?:\s*\{.{0,200}?"?address"?:\s*"?([0-9.]+)/s);
    expect(found?.[1]).toBe("127.0.0.1");
  }
  const store = createMemoryStore();
  update(store, [], { checkKeyPair: () => undefined });
  const shown = [...store.resources("listener")]
    .flatMap(({ json }) => json.match(/"(?:prefix|path|regex)":"[^"]*"/g) ?? [])
    .join();
  expect(shown).not.toMatch(/config_dump|quitquit|certs|"prefix":"\/"/);
});
