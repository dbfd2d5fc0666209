import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { type Manifest, service } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

const answering = (host: string, body: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: host.replaceAll(".", "-"), namespace: "default" },
  spec: { virtualhost: { fqdn: host }, routes: [{ directResponsePolicy: { statusCode: 200, body } }] },
});

/** Runs the built command. */
function run(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const isoline = fileURLToPath(new URL("../../dist/isoline.js", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [isoline, ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

describe.skipIf("reason" in binaries)("a real API server", () => {
  let kube: TestKube;
  let envoy: TestEnvoy;
  let isoline: Awaited<ReturnType<typeof startServer>>;
  let httpPort: number;
  const log: string[] = [];

  const body = async (host: string): Promise<string> => {
    const answer = await request({ port: httpPort, host });
    return answer.status === 200 ? answer.body : String(answer.status);
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(async () => {
      await kube.apply(service("default", "app"), answering("first.test", "first"));
      return true;
    }, "the CRDs are served");
    httpPort = await freePort();
    isoline = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: kube.adminConfig }], acceptShrink: false },
      overrides: {
        ...(await onLoopback(httpPort)),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => log.push(line),
    });
    envoy = await startEnvoy({ xdsPort: Number(new URL(isoline.url).port) });
    await eventually(() => envoy.ready(), "Envoy is ready");
  });

  afterAll(async () => {
    await envoy?.stop();
    await isoline?.close();
    await kube?.stop();
  });

  it("is followed: objects are added, changed and deleted", async () => {
    expect(await body("first.test")).toBe("first");
    await kube.apply(answering("second.test", "one"));
    await eventually(async () => (await body("second.test")) === "one", "a new host answers");
    await kube.apply(answering("second.test", "two"));
    await eventually(async () => (await body("second.test")) === "two", "a changed host answers anew");
    await kube.remove(answering("second.test", ""));
    await eventually(async () => (await body("second.test")) === "404", "a removed host is gone");
    expect(await envoy.rejected()).toEqual([]);
  });

  it("rejects what the schemas reject, with the generated CRDs", async () => {
    const bad = answering("bad.test", "x");
    const spec = { ...(bad.spec as Manifest), virtualhost: { fqdn: "Bad_Host" } };
    await expect(kube.apply({ ...bad, spec })).rejects.toThrow(/spec.virtualhost.fqdn/);
    const cookies = [{ name: "a;b", secure: true }];
    const routes = [{ services: [{ name: "app", port: 80, cookieRewritePolicies: cookies }] }];
    await expect(kube.apply({ ...bad, spec: { virtualhost: { fqdn: "bad.test" }, routes } })).rejects.toThrow(
      /cookieRewritePolicies/,
    );
    const refused = async (host: Manifest, route: Manifest): Promise<string> => {
      const broken = { virtualhost: { fqdn: "bad.test", ...host }, routes: [{ services: [], ...route }] };
      return kube.apply({ ...bad, spec: broken }).then(
        () => "taken",
        (error: Error) => error.message,
      );
    };
    const provider = { name: "p", issuer: "i" };
    expect(await refused({ jwtProviders: [provider] }, {})).toContain(
      "must set exactly one of remoteJWKS and localJWKS",
    );
    const http = { serviceType: "grpc", httpSettings: {} };
    expect(await refused({ authorization: http }, {})).toContain("only be set when serviceType is http");
    const headers = [{ exact: "a", prefix: "b" }];
    const settings = { serviceType: "http", httpSettings: { allowedUpstreamHeaders: headers } };
    expect(await refused({ authorization: settings }, {})).toContain(
      "must set exactly one of exact, prefix, suffix and contains",
    );
    const validation = { caSecret: "ca", subjectName: "a", subjectNames: ["b", "a"] };
    expect(await refused({}, { services: [{ name: "app", port: 80, validation }] })).toContain(
      "must have subjectName as the first of subjectNames",
    );
  });

  it("is an input of compile, check and explain", async () => {
    const kubeconfig = ["--kube", "--kubeconfig", kube.adminConfig];
    const explained = await run("explain", ...kubeconfig, "GET", "http://first.test/");
    expect(explained.stdout).toContain("HTTPProxy/default/first-test spec.routes[0]");
    const compiled = await run("compile", ...kubeconfig);
    const { routes } = JSON.parse(compiled.stdout) as { routes: { resources: { name: string }[] } };
    expect(routes.resources.map(({ name }) => name)).toContain("ingress_http");
    expect(compiled.stdout).toContain('"domains":["first.test"]');
    expect((await run("check", ...kubeconfig)).code).toBe(0);
    const denied = await run("compile", "--kube", "--kubeconfig", kube.isolineConfig);
    expect(denied.code).toBe(3);
    expect(denied.stderr).toMatch(/not allowed to list and watch .+ \(403\): grant get, list and watch on/);
  });

  it("may crash: the served state stays, and changes arrive after its restart", async () => {
    kube.crash();
    for (let i = 0; i < 20; i++) expect(await body("first.test")).toBe("first");
    await kube.restart();
    await kube.apply(answering("after.test", "after"));
    await eventually(async () => (await body("after.test")) === "after", "a change after the crash arrives");
    expect(await body("first.test")).toBe("first");
    expect(log.join("\n")).toMatch(/can't reach the API server/);
  });
});
