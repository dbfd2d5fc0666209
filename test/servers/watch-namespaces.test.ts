import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { checkCommand } from "../../src/cli/check.js";
import { compileCommand } from "../../src/cli/compile.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { parseObject } from "../../src/schema/object.js";
import { sourceOf } from "../support/source.js";

const proxy = (namespace: string, spec: string): string => `
apiVersion: projectcontour.io/v1
kind: HTTPProxy
metadata: {name: ${namespace}, namespace: ${namespace}}
spec: ${spec}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: ${namespace}}
spec: {ports: [{port: 80}]}
---`;
const host = (fqdn: string): string =>
  `{virtualhost: {fqdn: ${fqdn}}, routes: [{services: [{name: app, port: 80}]}]}`;

let folder = "";
let printed = "";
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-watch-"));
  printed = "";
  vi.spyOn(console, "error").mockImplementation((line: unknown) => {
    printed += `${String(line)}\n`;
  });
  vi.spyOn(process.stdout, "write").mockImplementation((text: string | Uint8Array) => {
    printed += String(text);
    return true;
  });
  const text = [proxy("mine", host("mine.test")), proxy("theirs", host("theirs.test")), proxy("wrong", "1")];
  writeFileSync(at("objects.yaml"), text.join("\n"));
  writeFileSync(at("settings.yaml"), "watchNamespaces: [mine]\n");
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test("compile reads only the watched namespaces", async () => {
  const options = { file: [at("objects.yaml")], output: at("out.json"), format: "json" as const };
  await compileCommand({ ...options, settings: at("settings.yaml") });
  expect(readFileSync(at("out.json"), "utf8")).toContain("mine.test");
  expect(readFileSync(at("out.json"), "utf8")).not.toContain("theirs");
  expect(printed).toBe("");
  await compileCommand(options);
  expect(readFileSync(at("out.json"), "utf8")).toContain("theirs.test");
  expect(printed).toContain("HTTPProxy/wrong/wrong");
});

test("check reports nothing about other namespaces", async () => {
  const options = { file: [at("objects.yaml")], format: "text" as const };
  expect(await checkCommand({ ...options, settings: at("settings.yaml") })).toBe(0);
  expect(printed).toBe(
    "6 objects read: 2 served, 4 ignored (2 HTTPProxy in namespaces that are not watched, 2 Service in namespaces that are not watched); 1 host; 0 errors, 0 warnings\n",
  );
  expect(await checkCommand(options)).toBe(1);
});

test("serve reads only the watched namespaces", async () => {
  const server = await startServer({
    paths: [at("objects.yaml")],
    settingsFile: at("settings.yaml"),
    host: "127.0.0.1",
    port: 0,
    log: () => {},
  });
  const status = (await (await fetch(`${server.url}/status`)).json()) as {
    sources: unknown;
    findings: unknown;
  };
  await server.close();
  expect(status.sources).toMatchObject([{ objects: 2 }]);
  expect(status.findings).toEqual([]);
});

test("objects without a namespace are in default; cluster-scoped kinds have none", () => {
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec: { ports: [] } };
  expect(parseObject(service, ["default"])).toHaveProperty("object");
  expect(parseObject(service, ["mine"])).toHaveProperty("ignored");
  const cluster = { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name: "a" } };
  expect(parseObject({ ...cluster, spec: { controller: "x/y" } }, ["mine"])).toHaveProperty("object");
});

test("a Gateway is read only in a watched namespace, its class always", () => {
  const apiVersion = "gateway.networking.k8s.io/v1";
  const listeners = [{ name: "http", port: 80, protocol: "HTTP" }];
  const spec = { gatewayClassName: "a", listeners };
  const gateway = { apiVersion, kind: "Gateway", metadata: { name: "a", namespace: "mine" }, spec };
  expect(parseObject(gateway, ["mine"])).toHaveProperty("object");
  expect(parseObject(gateway, ["theirs"])).toHaveProperty("ignored");
  const gatewayClass = { apiVersion, kind: "GatewayClass", metadata: { name: "a" } };
  expect(parseObject({ ...gatewayClass, spec: { controllerName: "x/y" } }, ["mine"])).toHaveProperty(
    "object",
  );
});

test("a pushed source gets a warning that it is not filtered", async () => {
  const { findings } = await sourceOf("kind: IsolineSettings\nspec: {watchNamespaces: [mine]}\n");
  expect(findings).toMatchObject([{ severity: "warning", reason: "NoEffect", path: "watchNamespaces" }]);
});

test("a pushed source gets a warning about settings of the bootstrap", async () => {
  const { findings } = await sourceOf('kind: IsolineSettings\nspec: {runtimeSettings: {a: "1"}}\n');
  expect(findings).toMatchObject([{ severity: "warning", reason: "BootstrapOnly", path: "runtimeSettings" }]);
});
