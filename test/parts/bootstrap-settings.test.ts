import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type BootstrapCommandOptions, bootstrapCommand } from "../../src/cli/bootstrap.js";
import { manifestsOf } from "../../src/cli/manifests.js";
import { bootstrapFindings } from "../../src/schema/bootstrap-settings.js";
import { defaultPollTimes, pollTimes } from "../../src/schema/polls.js";
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

test("the static layer has the runtime settings, and Isoline's own values take precedence", () => {
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

test("a server warns that they take effect only in the bootstrap", () => {
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

test("isoline bootstrap --settings reads them from a file, and reports what it leaves out", async () => {
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
    "warning settings no-such",
    'warning settings runtimeSettings["re2.max_program_size.warn_level"]',
  ]);
});

interface Deployed {
  readonly kind: string;
  readonly data: { readonly "envoy.json": string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly volumeMounts: readonly object[] }[];
        readonly volumes: readonly { readonly name: string; readonly emptyDir?: object }[];
      };
    };
  };
}

const deployed = (xds?: string): readonly Deployed[] =>
  manifestsOf("envoy", {
    namespace: "isoline",
    image: "isoline",
    replicas: "1",
    envoyImage: "envoy",
    envoyKind: "Deployment",
    ...(xds ? { xds } : {}),
  }) as readonly object[] as readonly Deployed[];

const bootstrapIn = (manifests: readonly Deployed[]): ReturnType<typeof writeBootstrap> => {
  const map = manifests.find(({ kind }) => kind === "ConfigMap");
  return JSON.parse(map?.data["envoy.json"] ?? "") as ReturnType<typeof writeBootstrap>;
};

/** The address of the interface, and its address for the listeners of probes and scrapes. */
const adminOf = ({ admin, static_resources }: ReturnType<typeof writeBootstrap>): readonly unknown[] => [
  admin?.address,
  static_resources?.clusters?.find(({ name }) => name === "envoy-admin")?.load_assignment?.endpoints?.[0]
    ?.lb_endpoints?.[0]?.endpoint?.address,
];

async function bootstrapOf(
  options: Partial<BootstrapCommandOptions>,
): Promise<{ written: ReturnType<typeof writeBootstrap>; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-admin-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  await bootstrapCommand(join(folder, "b.json"), { xds: "http://127.0.0.1:18000", ...options });
  const written = JSON.parse(await readFile(join(folder, "b.json"), "utf8")) as ReturnType<
    typeof writeBootstrap
  >;
  return { written, said: said.mock.calls.join("\n") };
}

test("Envoy's admin interface is on loopback, and only harmless paths of it are served beside metrics", async () => {
  const { written, said } = await bootstrapOf({});
  const place = { socket_address: { address: "127.0.0.1", port_value: 9001 } };
  expect(adminOf(written)).toEqual([place, place]);
  expect(said).toBe("");
  const store = createMemoryStore();
  update(store, [], { checkKeyPair: () => undefined });
  const shown = [...store.resources("listener")]
    .flatMap(({ json }) => json.match(/"(?:prefix|path|regex)":"[^"]*"/g) ?? [])
    .join();
  expect(shown).not.toMatch(/config_dump|quitquit|certs|"prefix":"\/"/);
});

test("--admin-socket puts it on a unix socket, as printed manifests do in a folder of the pod", async () => {
  const { written, said } = await bootstrapOf({ adminSocket: "/run/x/admin.sock" });
  expect(adminOf(written)).toEqual([
    { pipe: { path: "/run/x/admin.sock", mode: 0o600 } },
    { pipe: { path: "/run/x/admin.sock" } },
  ]);
  expect(said).toBe("");
  const path = "/run/envoy/admin.sock";
  expect(adminOf(bootstrapIn(deployed()))).toEqual([{ pipe: { path, mode: 0o600 } }, { pipe: { path } }]);
  const pod = deployed().find(({ kind }) => kind === "Deployment")?.spec.template.spec;
  expect(pod?.containers[0]?.volumeMounts).toContainEqual({ name: "admin", mountPath: "/run/envoy" });
  expect(pod?.volumes.find(({ name }) => name === "admin")?.emptyDir).toBeDefined();
});

test("printed manifests name the xDS cluster after the host of the URL that Envoys poll", () => {
  const clusterOf = (xds?: string): unknown =>
    bootstrapIn(deployed(xds)).dynamic_resources?.lds_config?.api_config_source?.cluster_names;
  expect(clusterOf()).toEqual(["isoline.isoline.svc"]);
  expect(clusterOf("https://xds.example.com")).toEqual(["xds.example.com"]);
});

test.each(["0.0.0.0", "::", "10.0.0.1", "2001:db8::1"])(
  "--admin-address %s is warned of",
  async (adminAddress) => {
    const { written, said } = await bootstrapOf({ adminAddress });
    expect(said).toMatch(`warning: --admin-address ${adminAddress}: `);
    expect(said).toMatch(/has no authentication.*127\.0\.0\.1 or --admin-socket/);
    expect(written.admin?.address?.socket_address?.address).toBe(adminAddress);
  },
);

test.each(["127.0.0.1", "127.0.0.2", "::1"])("--admin-address %s is not", async (adminAddress) => {
  expect((await bootstrapOf({ adminAddress })).said).toBe("");
});

test.each<[Partial<BootstrapCommandOptions>, RegExp]>([
  [{ adminAddress: "localhost" }, /--admin-address localhost: Envoy requires an IP address/],
  [{ adminSocket: "admin.sock" }, /--admin-socket admin\.sock: expected an absolute path/],
  [{ adminSocket: "@admin" }, /--admin-socket @admin: expected an absolute path/],
  [{ adminSocket: `/${"a".repeat(107)}` }, /less than 108 bytes/],
  [{ adminSocket: "/a.sock", adminPort: "9001" }, /--admin-socket replaces/],
  [{ adminSocket: "/a.sock", adminAddress: "127.0.0.1" }, /--admin-socket replaces/],
])("%j is refused", async (options, message) => {
  await expect(bootstrapOf(options)).rejects.toThrow(message);
});

test("the timeout of polls is that of the settings, in the bootstrap and in what is served", () => {
  const timeoutsOf = (value: unknown): unknown[] =>
    [...JSON.stringify(value).matchAll(/"request_timeout":"([^"]+)"/g)].map(([, text]) => text);
  const { settings, findings } = parseSettings({ polls: { hold: "2m" } });
  expect(findings).toEqual([]);
  expect(timeoutsOf(writeBootstrap({ ...target, settings: settings.spec }))).toEqual(["125s", "125s"]);
  expect(timeoutsOf(writeBootstrap(target))).toEqual(["30s", "30s"]);
});

test.each([
  ["polls.timeout", { hold: "120s", timeout: "120s" }, /must be at least 5s longer than polls.hold \(120s\)/],
  ["polls.timeout", { hold: "60s", timeout: "30s" }, /must be at least 5s longer/],
  ["polls.hold", { hold: "301s" }, /must be from 1s to 300s/],
  ["polls.hold", { hold: "0s" }, /must be from 1s to 300s/],
])("%s of %j is refused, and bootstrap writes nothing", async (path, polls, message) => {
  const { settings, findings } = parseSettings({ polls });
  expect(findings).toMatchObject([{ severity: "error", path, message: expect.stringMatching(message) }]);
  expect(pollTimes(settings.spec.polls)).toEqual(defaultPollTimes);
  const folder = await mkdtemp(join(tmpdir(), "isoline-bootstrap-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "settings.json");
  await writeFile(file, JSON.stringify({ polls }));
  await expect(
    bootstrapCommand(join(folder, "out.json"), { xds: target.xdsUrl, settings: file }),
  ).rejects.toThrow(message);
});
