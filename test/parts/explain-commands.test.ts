import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { stringify } from "yaml";
import { type DiffCommandOptions, diffCommand } from "../../src/cli/diff.js";
import { type ExplainCommandOptions, explainCommand } from "../../src/cli/explain.js";
import { UsageError } from "../../src/cli/usage.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { hostProxy, type Manifest, service } from "../support/backend.js";
import { backendRefs, gateway, gatewayRoute, gatewaySettings, onPort } from "../support/gateway.js";
import { freePort } from "../support/http.js";
import { captureOutput } from "../support/output.js";

let folder = "";
let out = "";
let errors = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isoline-explain-"));
  out = "";
  errors = "";
  captureOutput(
    (text) => {
      out += text;
    },
    (line) => {
      errors += line;
    },
  );
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const objects = [service("default", "a"), hostProxy("a.test", "a")];
const toYaml = (manifests: readonly Manifest[]): string =>
  manifests.map((object) => stringify(object)).join("---\n");
const yaml = toYaml(objects);

/** A Gateway of the ports 80 and 8080 with a route on the latter. */
const gatewayYaml = (host: string): string =>
  toYaml([
    service("default", "a"),
    ...gateway(onPort(8080, "web", "HTTP"), onPort(16080, "late", "HTTP")),
    gatewayRoute(
      "HTTPRoute",
      "late",
      { hostnames: [host], rules: [{ backendRefs: backendRefs("a") }] },
      "late",
    ),
  ]);

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

describe("isoline explain", () => {
  const run = (url: string, options: Partial<ExplainCommandOptions>): Promise<number> =>
    explainCommand("GET", url, { file: [], header: [], format: "text", ...options });

  it("tells the file and line that a route comes from, and exits with 0, also for a 404", async () => {
    const file = write("a.yaml", yaml);
    const line = yaml.split("\n").findIndex((text) => text.includes("- services:")) + 1;
    expect(await run("http://a.test/x", { file: [file] })).toBe(0);
    expect(out).toContain(`HTTPProxy/default/a-test spec.routes[0] (${file}:${line})`);
    expect(await run("http://b.test/x", { file: [file], format: "json" })).toBe(0);
    expect(out).toContain('"outcome": "not-found"');
  });

  it.each([
    [
      "the class",
      {
        ...hostProxy("b.test", "a"),
        spec: { ...(hostProxy("b.test", "a").spec as object), ingressClassName: "nginx" },
      },
      "spec: is not served: it has the class nginx, and without the setting ingressClassNames",
    ],
    [
      "the setting gatewayRef",
      [
        ...gateway(onPort(8080, "web", "HTTP")),
        gatewayRoute("HTTPRoute", "r", { hostnames: ["b.test"], rules: [{ backendRefs: backendRefs("a") }] }),
      ],
      "HTTPRoute/default/r spec: is not served: the setting gatewayRef names no Gateway",
    ],
    [
      "the setting gatewayRef, with a wider host",
      [
        ...gateway(onPort(8080, "web", "HTTP")),
        gatewayRoute("HTTPRoute", "r", { hostnames: ["*.test"], rules: [{ backendRefs: backendRefs("a") }] }),
      ],
      "HTTPRoute/default/r spec: is not served: the setting gatewayRef names no Gateway",
    ],
    [
      "the group",
      {
        apiVersion: "traefik.io/v1alpha1",
        kind: "IngressRoute",
        metadata: { name: "t" },
        spec: { routes: [{ match: "Host(`B.test`) && PathPrefix(`/`)" }] },
      },
      "IngressRoute/default/t: is not served: another controller reads its API version, traefik.io/v1alpha1",
    ],
  ])("says why an object for a host is not served: %s", async (_, object, hint) => {
    const manifests = ([] as Manifest[]).concat(object as Manifest | Manifest[]);
    write("a.yaml", toYaml([...objects, ...manifests]));
    await run("http://b.test/", { file: [folder] });
    expect(out).toContain(hint);
    out = "";
    await run("http://a.test/", { file: [folder] });
    expect(out).not.toContain("is not served");
  });

  it("names the orphans of a host's namespace for a path that has no route, and which of them are idle", async () => {
    const part = (name: string, annotations: object) => ({
      ...hostProxy("x", "a"),
      metadata: { name, namespace: "default", annotations },
      spec: { routes: [{ services: [{ name: "a", port: 80 }] }] },
    });
    const root = hostProxy("c.test", "a");
    const routes = [{ conditions: [{ prefix: "/only" }], services: [{ name: "a", port: 80 }] }];
    const idle = part("green", { "isoline.dev/idle": "true" });
    write(
      "a.yaml",
      toYaml([
        ...objects,
        { ...root, spec: { virtualhost: { fqdn: "c.test" }, routes } },
        part("lost", {}),
        idle,
      ]),
    );
    await run("http://c.test/other", { file: [folder] });
    expect(out).toContain(
      "HTTPProxy/default/lost: this HTTPProxy is not part of a delegation chain from a root HTTPProxy",
    );
    expect(out).toContain("HTTPProxy/default/green: is idle, as its annotation isoline.dev/idle declares");
    out = "";
    await run("http://c.test/only", { file: [folder] });
    expect(out).not.toContain("hint");
  });

  it("refuses what is no request, and tells of files that it can't read", async () => {
    await expect(run("a.test", { file: [write("a.yaml", yaml)] })).rejects.toThrow(UsageError);
    expect(await run("http://a.test/", { file: [join(folder, "missing")] })).toBe(3);
    expect(errors).toContain("missing");
  });

  it("finds the listener of a Gateway by the port", async () => {
    const text = gatewayYaml("a.test");
    const options = { file: [write("a.yaml", text)], settings: write("s.yaml", stringify(gatewaySettings)) };
    const line = text.split("\n").findIndex((one) => one.includes("- backendRefs:")) + 1;
    expect(await run("http://a.test:8080/x", options)).toBe(0);
    expect(out).toContain("http-8080 0.0.0.0:16080, port 8080 of the Gateway");
    expect(out).toContain(`HTTPRoute/default/late spec.rules[0] (${options.file[0]}:${line})`);
    expect(await run("http://a.test:81/x", options)).toBe(0);
    expect(out).toContain("open ports: 8080 (http, Envoy's 16080)");
  });

  it("asks a running server", async () => {
    const file = write("a.yaml", yaml);
    const port = await freePort();
    const server = await startServer({ paths: [file], host: "127.0.0.1", port, log: () => undefined });
    onTestFinished(() => server.close());
    expect(await run("http://a.test/x", { xds: server.url })).toBe(0);
    expect(out).toContain("HTTPProxy/default/a-test spec.routes[0]");
    const gone = "http://127.0.0.1:1";
    await expect(run("http://a.test/x", { xds: gone })).rejects.toThrow(`can't reach ${gone}`);
    await expect(run("http://a.test/x", { xds: "http://isoline.example.com" })).rejects.toThrow(UsageError);
    await expect(run("http://a.test/x", { xds: server.url, file: [file] })).rejects.toThrow(UsageError);
    await expect(run("http://a.test/x", {})).rejects.toThrow(UsageError);
  });
});

describe("isoline diff", () => {
  const run = (before: string, after: string, options: Partial<DiffCommandOptions> = {}): Promise<number> =>
    diffCommand(before, after, { from: [], to: [], format: "text", ...options });

  it("sees no change in another form and order", async () => {
    const other = write(
      "b.json",
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects.toReversed() }),
    );
    expect(await run(write("a.yaml", yaml), other, { exitCode: true })).toBe(0);
    expect(out).toBe("no change for traffic\n");
  });

  it("tells the port of a Gateway's further listener", async () => {
    const settings = write("s.yaml", stringify(gatewaySettings));
    const [before, after] = ["a.test", "b.test"].map((host) => write(`${host}.yaml`, gatewayYaml(host)));
    await run(before ?? "", after ?? "", { settings });
    expect(out).toBe(`a.test  [host-gone]
  - http on port 8080  [host-gone]
      prefix /: default/a/80
b.test
  + http on port 8080
      prefix /: default/a/80
`);
  });

  it("exits with 1 for changes where that is asked for, and with 3 for what can't be read", async () => {
    const [before, after] = [write("a.yaml", yaml), write("b.yaml", yaml.replaceAll("a.test", "b.test"))];
    expect(await run(before, after)).toBe(0);
    expect(out).toContain("b.test\n  + http\n");
    expect(await run(before, after, { exitCode: true, format: "json" })).toBe(1);
    expect(await run(before, join(folder, "missing"), { exitCode: true })).toBe(3);
  });

  it("counts errors on standard error", async () => {
    const bad = write("bad.yaml", `${yaml}---\n${stringify(hostProxy("bad.test", "missing"))}`);
    await run(bad, bad);
    expect(errors).toContain(`1 error in ${bad}; isoline check lists them`);
  });
});
