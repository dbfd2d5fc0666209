import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestsOf } from "../../src/cli/manifests.js";
import { startServer } from "../../src/runtime/node/serve.js";
import type { Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, onLoopback } from "../support/http.js";
import { forUser, kubeBinaries, startKube, type TestKube } from "../support/kube.js";
import { nginxIngress } from "../support/nginx-probes.js";

const binaries = await kubeBinaries();
if ("reason" in binaries)
  console.error(`isoline: tests with a real API server are skipped: ${binaries.reason}`);

const namespace = "projectcontour";
const configMap = (name: string, data: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "ingress-nginx" },
  data,
});

describe.skipIf("reason" in binaries)("a real API server, and the ConfigMap of ingress-nginx", () => {
  let kube: TestKube;
  let isoline: Awaited<ReturnType<typeof startServer>>;

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    const role = manifestsOf("rbac", {
      namespace,
      image: "",
      replicas: "2",
      envoyImage: "",
      envoyKind: "DaemonSet",
      ingressNginxConfigMap: "ingress-nginx/controller",
    });
    const names = { apiVersion: "v1", kind: "Namespace", metadata: { name: "ingress-nginx" } };
    await kube.apply(...role.slice(0, 1), names);
    await kube.apply(...role.slice(1), ...forUser(role));
    await kube.apply(
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web", namespace: "default" },
        spec: { ports: [{ port: 80 }] },
      },
      configMap("controller", { "hide-headers": "X-One" }),
      configMap("other", { "hide-headers": "X-Other" }),
      nginxIngress({ name: "web", host: "a.test" }),
    );
    isoline = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: kube.isolineConfig }], acceptShrink: false },
      overrides: {
        ingressNginx: { configMap: "ingress-nginx/controller" },
        ...(await onLoopback(await freePort())),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: () => undefined,
    });
  });

  afterAll(async () => {
    await isoline?.close();
    await kube?.stop();
  });

  const removed = async (): Promise<unknown> => {
    const text = await (await fetch(`${isoline.url}/config`)).text();
    return /"response_headers_to_remove":\["([^"]*)"/.exec(text)?.[1];
  };

  it("is read with the role that is printed for it, and followed", async () => {
    await eventually(async () => (await removed()) === "X-One", "the option of the ConfigMap holds");
    await kube.apply(configMap("controller", { "hide-headers": "X-Two" }));
    await eventually(async () => (await removed()) === "X-Two", "the changed option holds");
    await kube.remove(configMap("controller", {}));
    await eventually(async () => (await removed()) === undefined, "the defaults hold without the ConfigMap");
    expect(await (await fetch(`${isoline.url}/config`)).text()).not.toContain("X-Other");
  });
});
