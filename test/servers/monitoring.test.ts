import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { processMetrics } from "../../src/runtime/node/process-metrics.js";
import { metricDefinitions } from "../../src/server/metrics.js";
import { discoveryRequest } from "../support/discovery.js";
import { eventually } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { startServe } from "../support/serve-process.js";

const monitoring = join(import.meta.dirname, "../../deploy/monitoring");
/** A program of Debian's package `prometheus`. */
const found = (name: string): string | undefined =>
  [`/usr/bin/${name}`, `/usr/local/bin/${name}`].find((path) => existsSync(path));
const promtool = found("promtool");
const prometheus = found("prometheus");
const why = "Debian's package prometheus is not installed";

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const { panels } = JSON.parse(readFileSync(join(monitoring, "dashboard.json"), "utf8")) as {
  readonly panels: readonly Panel[];
};
const alerts = readFileSync(join(monitoring, "alerts.yaml"), "utf8");
const alertQueries = [...alerts.matchAll(/^ +expr: (.*)$/gm)].map(([, query = ""]) => query);
/** The queries of a panel, with Grafana's variables replaced. */
const queriesOf = ({ targets = [] }: Panel): readonly string[] =>
  targets.map(({ expr }) =>
    expr.replaceAll("$__rate_interval", "1m").replaceAll("$job", ".+").replaceAll("$instance", ".+"),
  );

test("each query names metrics that exist, and each alert has a paragraph in the docs", async () => {
  const known = new Set([
    "up",
    ...metricDefinitions.map(({ name }) => name),
    ...(await processMetrics()()).map(({ name }) => name),
  ]);
  const queries = [...alertQueries, ...panels.flatMap(queriesOf)];
  expect(queries.length).toBeGreaterThan(50);
  const named = queries.flatMap((query) =>
    [...query.replaceAll(/"[^"]*"/g, "").matchAll(/\b(?:isoline|process|nodejs)_\w+|\bup\b/g)].map(([name]) =>
      name.replace(/^(isoline_\w+_seconds)_(?:bucket|sum|count)$/, "$1"),
    ),
  );
  expect(named.filter((name) => !known.has(name))).toEqual([]);
  const page = readFileSync(join(monitoring, "../../docs/monitoring.md"), "utf8");
  const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name = ""]) => name);
  expect([...page.matchAll(/^### (Isoline\w+)$/gm)].map(([, name]) => name)).toEqual(names);
  expect([...alerts.matchAll(/runbook: docs\/monitoring\.md#(\w+)/g)].map(([, anchor]) => anchor)).toEqual(
    names.map((name) => name.toLowerCase()),
  );
});

test.skipIf(!promtool)(`promtool accepts the rules and their tests (skipped where ${why})`, () => {
  for (const args of [
    ["check", "rules", "alerts.yaml"],
    ["test", "rules", "alerts.test.yaml"],
  ]) {
    const { status, stdout, stderr } = spawnSync(promtool ?? "", args, { cwd: monitoring, encoding: "utf8" });
    expect(status, stdout + stderr).toBe(0);
  }
});

const objects = JSON.stringify([
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "app", namespace: "shop" },
    spec: { ports: [{ port: 80 }] },
  },
  {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { name: "tls", namespace: "shop" },
    data: Object.fromEntries(
      [
        ["tls.crt", "secure.crt"],
        ["tls.key", "secure.key"],
      ].map(([key = "", file = ""]) => [
        key,
        readFileSync(join(import.meta.dirname, "../support/certs", file)).toString("base64"),
      ]),
    ),
  },
  {
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      virtualhost: { fqdn: "secure.test", tls: { secretName: "tls" } },
      routes: [{ services: [{ name: "app", port: 80 }] }],
    },
  },
]);
const settings = (httpPort: number): string =>
  JSON.stringify([{ kind: "IsolineSettings", spec: { httpPort } }]);

interface Answer {
  readonly status: string;
  readonly data: {
    readonly result?: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: unknown;
    }[];
    readonly alerts?: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly state: string;
    }[];
    readonly activeTargets?: readonly { readonly health: string; readonly lastError: string }[];
  };
}

/** A real Prometheus that scrapes a server each second, with the rules and no waits in them. */
async function startPrometheus(target: string) {
  const folder = mkdtempSync(join(tmpdir(), "isoline-prometheus-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "alerts.yaml"), alerts.replaceAll(/for: \d+[mh]/g, "for: 0s"));
  writeFileSync(
    join(folder, "prometheus.yml"),
    `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml]
scrape_configs: [{job_name: isoline, static_configs: [{targets: ["${target}"]}]}]
`,
  );
  const port = await freePort();
  const child = spawn(
    prometheus ?? "",
    [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=data",
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { cwd: folder, stdio: ["ignore", "ignore", "inherit"] },
  );
  const exited = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const ask = async (path: string): Promise<Answer> =>
    JSON.parse((await request({ port, path: `/api/v1/${path}` })).body) as Answer;
  await eventually(async () => {
    const [one] = (await ask("targets")).data.activeTargets ?? [];
    expect(one?.lastError).toBe("");
    return one?.health === "up";
  }, "Prometheus scrapes the server");
  return { ask, query: (text: string) => ask(`query?query=${encodeURIComponent(text)}`) };
}

/** Panels without data where no Kubernetes cluster is followed, or no error was held. */
const mayBeEmpty =
  /^(Silence of the API server|Failures to follow|Statuses|Rejected versions|Refused requests|Errors to Envoys)/;

describe.skipIf(!prometheus)(`a real Prometheus (skipped where ${why})`, () => {
  it("answers each query, and fires an alert when an Envoy rejects", async () => {
    const folder = mkdtempSync(join(tmpdir(), "isoline-monitored-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const port = await freePort();
    await startServe(folder, ["--push", "--listen", `127.0.0.1:${port}`]);
    const push = async (source: string, body: string): Promise<void> =>
      expect((await request({ port, method: "PUT", path: `/sources/${source}`, body })).status).toBe(200);
    const poll = async (type: string, version: string): Promise<string> => {
      const body = discoveryRequest("edge-1", version, []);
      const answer = await request({ port, method: "POST", path: `/v3/discovery:${type}`, body });
      return answer.status === 200
        ? (JSON.parse(answer.body) as { readonly version_info: string }).version_info
        : "";
    };
    await push("web", objects);
    const clusters = await poll("clusters", "");
    await poll("clusters", clusters);
    const first = await poll("listeners", "");
    await poll("listeners", first);
    const { ask, query } = await startPrometheus(`127.0.0.1:${port}`);
    await push("settings", settings(8081));
    const second = await poll("listeners", first);
    await poll("listeners", second);

    await eventually(async () => {
      const accepted = await query('isoline_accept_seconds_count{type="listeners"} == 1');
      return (accepted.data.result ?? []).length > 0;
    }, "the acceptance is scraped");
    const [certificate] = (await query("isoline_certificate_not_after_timestamp_seconds")).data.result ?? [];
    expect(certificate?.metric).toMatchObject({ host: "secure.test", object: "HTTPProxy/shop/web" });
    for (const text of alertQueries) expect(await query(text), text).toMatchObject({ status: "success" });
    for (const panel of panels)
      for (const text of queriesOf(panel)) {
        await eventually(async () => {
          const { status, data } = await query(text);
          expect(status, text).toBe("success");
          return mayBeEmpty.test(panel.title) || (data.result ?? []).length > 0;
        }, `the panel ${panel.title} has data for ${text}`);
      }

    await push("settings", settings(8082));
    await poll("listeners", second);
    await poll("listeners", second);
    await eventually(async () => {
      const firing = ((await ask("alerts")).data.alerts ?? []).filter(({ state }) => state === "firing");
      return firing.some(
        ({ labels }) => labels.alertname === "IsolineEnvoyRejects" && labels.type === "listeners",
      );
    }, "the alert fires");
  });
});
