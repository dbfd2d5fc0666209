import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { migrateCommand } from "../../src/cli/migrate.js";
import { readMigrationInput } from "../../src/cli/migrate-input.js";
import { verify } from "../../src/cli/migrate-verify.js";
import { peerNames } from "../../src/cli/peer-names.js";
import { migrate } from "../../src/migrate/migrate.js";
import { peers } from "../../src/migrate/peers.js";
import { reportMarkdown } from "../../src/migrate/report-text.js";
import type { Manifest } from "../support/backend.js";
import { HttpKube } from "../support/http-kube.js";
import { manifestsOf, migrated, optionsFor } from "../support/migration.js";
import { captureOutput } from "../support/output.js";

const caseText = (name: string): string =>
  readFileSync(join(import.meta.dirname, "cases", `${name}.yaml`), "utf8");

describe("--verify", () => {
  const same = [
    "delegation",
    "shared-child",
    "first-wrong-route",
    "missing-delegate",
    "timeouts",
    "verified-backend",
    "same-match-twice",
    "passthrough",
    "tcp-delegate",
  ];
  it.each(same)("finds no difference between IngressRoutes and HTTPProxies: %s", (name) => {
    const manifests = manifestsOf(caseText(`ingressroute/${name}`));
    const options = optionsFor("httpproxy");
    const { text, differs } = verify(migrate(manifests, options), manifests, options);
    expect(text).toMatch(/no change for traffic/);
    expect(differs).toBe(false);
  });

  it("serves Ingresses of ingress-nginx with the ConfigMap of the input", () => {
    const manifests = manifestsOf(caseText("nginx/config-map"));
    const options = optionsFor("httpproxy");
    const { text } = verify(migrate(manifests, options), manifests, options);
    expect(text).toContain("own.example.com");
    expect(text).not.toMatch(/^ *(?:addresses|backends|response): .* -> /m);
  });

  it("shows what differs", () => {
    const manifests = manifestsOf(caseText("ingressroute/unknown-field"));
    const options = optionsFor("httpproxy");
    const { text, differs } = verify(migrate(manifests, options), manifests, options);
    expect(differs).toBe(true);
    expect(text).toContain("unknown.example.com");
  });

  it("says of which peers nothing is compared", () => {
    const manifests = manifestsOf(caseText("traefik/plain"));
    const options = optionsFor("httpproxy");
    expect(verify(migrate(manifests, options), manifests, options)).toEqual({
      text: "not compared: objects of traefik, which Isoline does not serve as they are; test the result with isoline test\n",
      differs: false,
    });
  });
});

describe("the command", () => {
  const folder = mkdtempSync(join(tmpdir(), "isoline-migrate-"));
  const run = async (text: string, rest: object = {}) => {
    const file = join(folder, "input.yaml");
    writeFileSync(file, text);
    const out: string[] = [];
    const errors: string[] = [];
    captureOutput(
      (line) => out.push(line),
      (line) => errors.push(line),
    );
    vi.spyOn(process.stderr, "write").mockImplementation((line) => {
      errors.push(String(line));
      return true;
    });
    try {
      const options = {
        file: [file],
        to: "httpproxy",
        class: [],
        gateway: "isoline/isoline",
        format: "text",
      } as const;
      const code = await migrateCommand({ ...options, ...rest });
      return { code, stdout: out.join(""), stderr: errors.join("") };
    } finally {
      vi.restoreAllMocks();
    }
  };

  it("has a name for each peer", () => {
    expect(peers.map(({ name }) => name)).toEqual([...peerNames]);
  });

  it("exits with 0 without errors, with 1 with them, and with --strict with 1 for warnings", async () => {
    expect((await run(caseText("ingressroute/delegation"))).code).toBe(0);
    expect((await run(caseText("nginx/basic-auth"))).code).toBe(1);
    expect((await run(caseText("ingressroute/root"))).code).toBe(0);
    expect((await run(caseText("ingressroute/root"), { strict: true })).code).toBe(1);
  });

  it("writes objects and report where it is asked to", async () => {
    const [output, report] = [join(folder, "out.yaml"), join(folder, "report.json")];
    const { stdout, stderr } = await run(caseText("ingressroute/delegation"), {
      output,
      report,
      format: "json",
    });
    expect([stdout, stderr]).toEqual(["", ""]);
    expect(readFileSync(output, "utf8")).toContain(
      `# from IngressRoute/shop/root (${join(folder, "input.yaml")}:1)`,
    );
    expect(JSON.parse(readFileSync(report, "utf8"))).toMatchObject({ counts: { error: 0 } });
  });

  it("refuses what it can't read, and goes on with the rest", async () => {
    const { code, stderr, stdout } = await run(`${caseText("ingressroute/delegation")}---\n{a: [}\n`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/input\.yaml:\d+: error/);
    expect(stdout).toContain("fqdn: teams.example.com");
    expect((await run("{a: [}\n")).code).toBe(3);
  });

  it("refuses wrong options", async () => {
    await expect(run("", { gateway: "edge" })).rejects.toThrow("--gateway edge: expected NAMESPACE/NAME");
    await expect(run("", { class: ["x"] })).rejects.toThrow(
      "--class: is a class of the controller of --from",
    );
  });
});

describe("--kube", () => {
  const kubeOptions = (kubeconfig: string) =>
    ({ file: [], kube: [""], kubeconfig, from: "ingressroute" }) as const;

  it("reads the objects of a Kubernetes cluster, and passes over kinds that are not there", async () => {
    const kube = await HttpKube.start();
    onTestFinished(() => kube.end());
    for (const { value } of manifestsOf(caseText("ingressroute/delegation")))
      kube.put("ingressroutes", value as Manifest);
    const { manifests } = await readMigrationInput(kubeOptions(kube.kubeconfig));
    const { documents, report } = migrate(manifests, optionsFor("httpproxy"));
    expect(documents.map(({ object }) => object)).toEqual(
      migrated(caseText("ingressroute/delegation"), "httpproxy").documents.map(({ object }) => object),
    );
    expect(report.counts.error).toBe(0);
    kube.absent.add("ingressroutes");
    expect((await readMigrationInput(kubeOptions(kube.kubeconfig))).manifests).toEqual([]);
  });

  it("reads the ConfigMap that is named, and the ConfigMaps with headers that it names", async () => {
    const kube = await HttpKube.start();
    onTestFinished(() => kube.end());
    for (const { value } of manifestsOf(caseText("nginx/config-map"))) {
      const { kind } = value as Manifest;
      kube.put(kind === "ConfigMap" ? "configmaps" : "ingresses", value as Manifest);
    }
    const named = { namespace: "ingress-nginx", name: "ingress-nginx-controller" };
    const { manifests } = await readMigrationInput(kubeOptions(kube.kubeconfig), named);
    const names = manifests.map(({ value }) => (value as { metadata: Manifest }).metadata.name);
    expect(names).toEqual(
      expect.arrayContaining(["ingress-nginx-controller", "sent-headers", "added-headers"]),
    );
    expect(kube.requests.filter((url) => url.includes("configmaps?"))).toEqual([]);
    const missing = readMigrationInput(kubeOptions(kube.kubeconfig), { ...named, name: "other" });
    await expect(missing).rejects.toThrow("ConfigMap ingress-nginx/other");
  });

  it("ends where a kind may not be read, as what it holds may restrict access", async () => {
    const kube = await HttpKube.start();
    onTestFinished(() => kube.end());
    kube.fail = "ingressroutes";
    await expect(readMigrationInput(kubeOptions(kube.kubeconfig))).rejects.toThrow("kube-forbidden");
  });
});

describe("the report", () => {
  it("shows text of objects as text in Markdown", () => {
    const { report } = migrated(
      "apiVersion: contour.heptio.com/v1beta1\nkind: IngressRoute\nmetadata: {name: x, namespace: shop}\nspec:\n  virtualhost: {fqdn: x.example.com}\n  routes: [{match: /, '<img src=x>': 1, services: [{name: a, port: 80}]}]\n",
      "httpproxy",
    );
    expect(reportMarkdown(report)).not.toContain("<img");
  });
});

describe("objects of the result that are among the input", () => {
  const route = (host: string): string =>
    `apiVersion: contour.heptio.com/v1beta1\nkind: IngressRoute\nmetadata: {name: web, namespace: shop}\nspec:\n  virtualhost: {fqdn: ${host}}\n  routes: [{match: /, services: [{name: web, port: 80}]}]\n`;
  const proxy =
    "apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata: {name: web, namespace: shop}\nspec: {virtualhost: {fqdn: one.example.com}, routes: [{services: [{name: web, port: 80}]}]}\n";

  it("keep their names", () => {
    const { text, report } = migrated(`${route("two.example.com")}---\n${proxy}`, "httpproxy");
    expect([...text.matchAll(/name: (web\S*)\n {2}namespace/g)].map(([, name]) => name)).toEqual([
      "web-two-example-com",
    ]);
    expect(report.counts.error).toBe(0);
  });

  it("are an error where both have one host", () => {
    const { report } = migrated(`${route("one.example.com")}---\n${proxy}`, "httpproxy");
    expect(report.hosts[0]?.remarks[0]?.message).toBe(
      "HTTPProxy/shop/web of the input has the host one.example.com, too: both are refused together",
    );
  });
});

describe("odd input", () => {
  it("leaves out TLS that is passed through to a port that is not known", () => {
    const ingress = (port: string): string =>
      `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: pass, namespace: shop, annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: "true"}}\nspec: {ingressClassName: nginx, rules: [{host: pass.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: ${port}}}}]}}]}\n`;
    expect(migrated(ingress("{number: 443}"), "httpproxy").text).toContain("passthrough: true");
    const { text, report } = migrated(ingress("{name: https}"), "httpproxy");
    expect(text).not.toContain("passthrough");
    expect(report.counts.error).toBe(2);
  });

  it("names objects of kinds that are not known, and leaves them out", () => {
    const { report, documents } = migrated(
      "apiVersion: traefik.io/v9\nkind: Teleport\nmetadata: {name: x, namespace: shop}\nspec: {}\n",
      "httpproxy",
    );
    expect(documents).toEqual([]);
    expect(report.leftOut).toEqual([
      { object: "Teleport/shop/x", reason: "kind Teleport of traefik.io/v9 is not known here" },
    ]);
  });

  it.each([
    "spec: 5",
    "spec: {routes: 5}",
    "spec: {routes: [5]}",
    "spec: {routes: [{match: 5, services: [5]}]}",
    "",
  ])("gives an error and no route for %s", (spec) => {
    for (const apiVersion of ["traefik.io/v1alpha1", "contour.heptio.com/v1beta1"]) {
      const text = `apiVersion: ${apiVersion}\nkind: IngressRoute\nmetadata: {name: x, namespace: shop}\n${spec}\n`;
      const { text: result } = migrated(text, "httpproxy");
      expect(result).not.toContain("services:");
    }
  });

  it("does not take text of objects for the text of the result", () => {
    const { text } = migrated(
      `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: "x", namespace: shop}
spec:
  hosts: [x.example.com]
  gateways: [edge]
  http: [{directResponse: {status: 200, body: {string: "a\\n---\\nkind: Secret\\n"}}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {a: b}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
`,
      "httpproxy",
    );
    expect(manifestsOf(text)).toHaveLength(1);
  });
});

describe("--from", () => {
  it("converts the objects of one controller, and Ingresses without a class as its own", () => {
    const ingress =
      "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: plain, namespace: shop}\nspec: {rules: [{host: plain.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}\n";
    const { documents, report } = migrated(`${caseText("traefik/plain")}---\n${ingress}`, "httpproxy", {
      from: "nginx",
    });
    expect(documents.map(({ object }) => object.kind)).toEqual(["HTTPProxy"]);
    expect(report.leftOut).toEqual([
      { object: "IngressRoute/shop/web", reason: "is of another controller than --from nginx" },
    ]);
    const kept = migrated(ingress, "httpproxy");
    expect(kept.documents.map(({ isKept }) => isKept)).toEqual([true]);
  });
});

describe("many objects", () => {
  it("converts 2,000 Ingresses in under 3 s, and says how far it is", () => {
    const ingresses = Array.from({ length: 2000 }, (_, i) => ({
      value: {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: {
          name: `app-${i}`,
          namespace: `team-${i % 50}`,
          annotations: { "nginx.ingress.kubernetes.io/proxy-body-size": "8m" },
        },
        spec: {
          ingressClassName: "nginx",
          tls: [{ hosts: [`app-${i}.example.com`], secretName: `app-${i}` }],
          rules: [
            {
              host: `app-${i}.example.com`,
              http: {
                paths: ["/", "/api", "/static"].map((path) => ({
                  path,
                  pathType: "Prefix",
                  backend: { service: { name: "web", port: { number: 80 } } },
                })),
              },
            },
          ],
        },
      },
      place: `all.yaml:${i}`,
    }));
    const seen: number[] = [];
    const began = process.cpuUsage();
    const { documents } = migrate(ingresses, optionsFor("httpproxy"), (done) => seen.push(done));
    const { user } = process.cpuUsage(began);
    expect(documents).toHaveLength(2000);
    expect(seen.length).toBeGreaterThan(10);
    expect(user / 1e6).toBeLessThan(3);
  });
});
