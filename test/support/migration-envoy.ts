import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { parseAllDocuments } from "yaml";
import { certificate, certificateFile, hostProxy, type Manifest } from "./backend.js";
import { eventually } from "./envoy.js";
import { freePort, request } from "./http.js";
import { startRig } from "./isoline.js";
import { edge, migrated } from "./migration.js";

const root = join(import.meta.dirname, "../migrate/cases");
/** Inputs of the golden conversions. */
export const migrationCases = readdirSync(root).flatMap((peer) =>
  readdirSync(join(root, peer))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => ({ name: `${peer}/${file}`, input: readFileSync(join(root, peer, file), "utf8") })),
);

const documentsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });

const encode = (text: string): string => Buffer.from(text).toString("base64");

/** Services and Secrets that a result names, in each namespace that it names: with every port, and a certificate with an authority. */
function besideOf(text: string): Manifest[] {
  const namespaces = new Set(
    [...text.matchAll(/namespace: (\S+)|([a-z-]+)\/[a-z-]+\n/g)].map(([, a, b]) => a ?? b ?? ""),
  );
  const ports = [...new Set([...text.matchAll(/port: (\d+)/g)].map(([, port]) => Number(port)))];
  const services = new Set([...text.matchAll(/- name: ([a-z][a-z0-9-]*)$/gm)].map(([, name]) => name ?? ""));
  const secrets = new Set(
    [...text.matchAll(/(?:[sS]ecret(?:Name)?|name): (?:[a-z-]+\/)?([a-z][a-z0-9-]*)$/gm)].map(
      ([, name]) => name ?? "",
    ),
  );
  const { cert, key } = certificate("secure");
  const data = {
    "tls.crt": encode(cert),
    "tls.key": encode(key),
    "ca.crt": encode(certificateFile("ca.crt")),
  };
  return [...namespaces].flatMap((namespace) => [
    ...[...services].map((name) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { ports: ports.map((port) => ({ name: `p${port}`, port })) },
    })),
    ...[...secrets].map((name) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      type: "kubernetes.io/tls",
      data,
    })),
  ]);
}

/** Has a real Envoy load what cases become as HTTPProxies, one after the other. */
export async function acceptsHttpProxies(cases: typeof migrationCases): Promise<void> {
  const { isoline, envoy, httpPort } = await startRig({ backends: ["a"], objects: [] });
  for (const [i, { name, input }] of cases.entries()) {
    const { text } = migrated(input, "httpproxy");
    const marker = `case-${i}.test`;
    await isoline.apply("case", ...documentsOf(text), ...besideOf(text), hostProxy(marker, "a"));
    await eventually(
      async () => (await request({ port: httpPort, host: marker, path: "/" })).status === 200,
      name,
    );
    expect([name, await envoy.rejected()]).toEqual([name, []]);
  }
}

/** The same as objects of the Gateway API. */
export async function acceptsGateways(cases: typeof migrationCases): Promise<void> {
  const ports = new Map<number, number>();
  for (const port of [80, 443, 5432, 9000]) ports.set(port, await freePort());
  const { isoline, envoy } = await startRig({
    backends: ["a"],
    objects: [],
    settings: { gatewayRef: edge },
  });
  for (const [i, { name, input }] of cases.entries()) {
    const { text } = migrated(input, "gateway");
    const listening = text.replace(
      /^( +)port: (\d+)$(?=\n +(?:allowedRoutes|hostname|tls):)/gm,
      (_, indent: string, port: string) => {
        const own = ports.get(Number(port));
        return `${indent}port: ${(own ?? 0) - 8000}`;
      },
    );
    const objects = documentsOf(listening);
    const plain = objects.some(({ kind }) => kind === "Gateway") && text.includes("protocol: HTTP\n");
    const marker: Manifest = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name: "marker", namespace: "default" },
      spec: {
        parentRefs: [{ ...edge, sectionName: "http" }],
        hostnames: [`case-${i}.test`],
        rules: [{ backendRefs: [{ name: "a", port: 80 }] }],
      },
    };
    await isoline.apply("case", ...objects, ...besideOf(text), ...(plain ? [marker] : []));
    if (plain)
      await eventually(
        async () =>
          (await request({ port: ports.get(80) ?? 0, host: `case-${i}.test`, path: "/" })).status === 200,
        name,
      );
    expect([name, await envoy.rejected()]).toEqual([name, []]);
  }
}
