import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isMain, root } from "./run.mjs";

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const manifests = (...args) =>
  execFileSync(process.execPath, [join(root, "dist/isoline.js"), "manifests", ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });

/** Placeholder values in the output of `isoline manifests`. The chart has templates in their place. */
const marks = {
  namespace: "namespace-of-the-release",
  image: "image-of-the-server",
  envoy: "image-of-envoy",
  replicas: 97,
};

/** The settings of the release, which the chart writes as YAML. */
const settingsFile = () => {
  const file = join(mkdtempSync(join(tmpdir(), "isoline-chart-")), "settings.yaml");
  writeFileSync(file, "{}");
  return file;
};

const chartPart = (part, ...args) =>
  manifests(
    part,
    ...["--namespace", marks.namespace, "--image", marks.image, "--envoy-image", marks.envoy],
    ...["--replicas", String(marks.replicas), ...args],
  )
    .replaceAll(`namespace: ${marks.namespace}\n`, "namespace: {{ .Release.Namespace | quote }}\n")
    .replaceAll(marks.namespace, "{{ .Release.Namespace }}")
    .replaceAll(`image: ${marks.image}\n`, "image: {{ .Values.image | quote }}\n")
    .replaceAll(`image: ${marks.envoy}\n`, "image: {{ .Values.envoy.image | quote }}\n")
    .replaceAll(`replicas: ${marks.replicas}\n`, "replicas: {{ .Values.replicas }}\n")
    // With one replica, a budget of one would block the drain of its node.
    .replaceAll(
      "minAvailable: 1\n",
      "minAvailable: {{ if gt (int .Values.replicas) 1 }}1{{ else }}0{{ end }}\n",
    )
    .replace(
      /^ *- --write-status\n/gm,
      (line) => `            {{- if .Values.writeStatus }}\n${line}            {{- end }}\n`,
    )
    .replace(/settings\.yaml: .*\n/, "settings.yaml: {{ toYaml .Values.settings | quote }}\n")
    .replace(
      /isoline\.dev\/settings: .*\n/,
      "isoline.dev/settings: {{ toJson .Values.settings | sha256sum }}\n",
    );

/** Removes the Namespace: it exists, or `helm install --create-namespace` creates it. */
const withoutNamespace = (text) =>
  text
    .split(/^---\n/m)
    .filter((document) => document !== "" && !/^kind: Namespace$/m.test(document))
    .map((document) => `---\n${document}`)
    .join("");

const when = (condition, text) => `{{- if ${condition} }}\n${text}{{- end }}\n`;
const isKind = (kind) => `and .Values.envoy.enabled (eq .Values.envoy.kind "${kind}")`;

/** The schema of the chart's values. Settings have the schema that the server publishes. */
function valuesSchema() {
  const { $schema, ...settings } = JSON.parse(readFileSync(join(root, "schemas/settings.json"), "utf8"));
  const text = { type: "string", minLength: 1 };
  const object = (properties) => ({
    type: "object",
    additionalProperties: false,
    required: Object.keys(properties).filter((name) => name !== "global"),
    properties,
  });
  const schema = object({
    global: { type: "object" },
    image: text,
    replicas: { type: "integer", minimum: 1, maximum: 100 },
    gateway: { type: "boolean" },
    writeStatus: { type: "boolean" },
    settings,
    envoy: object({
      enabled: { type: "boolean" },
      image: text,
      kind: { enum: ["DaemonSet", "Deployment"] },
    }),
  });
  return `${JSON.stringify({ $schema, ...schema }, null, 2)}\n`;
}

/**
 * The generated files of `deploy/`, by path. They come from `isoline manifests`, so that they cannot differ from it.
 */
export function generated() {
  return {
    "deploy/kustomize/crds.yaml": manifests("crds"),
    "deploy/kustomize/rbac.yaml": manifests("rbac"),
    "deploy/kustomize/server.yaml": manifests("server", "--image", "isoline"),
    "deploy/kustomize/envoy.yaml": manifests(
      "envoy",
      "--envoy-image",
      "docker.io/envoyproxy/envoy:distroless-v1.40.0",
    ),
    "deploy/helm/isoline/Chart.yaml": `apiVersion: v2
name: isoline
description: An Envoy control plane without pods
type: application
keywords: [envoy, ingress, gateway-api, contour, xds]
version: ${version}
appVersion: "${version}"
`,
    "deploy/helm/isoline/values.schema.json": valuesSchema(),
    "deploy/helm/isoline/crds/crds.yaml": manifests("crds"),
    "deploy/helm/isoline/templates/rbac.yaml":
      when("not .Values.gateway", withoutNamespace(chartPart("rbac"))) +
      when(".Values.gateway", withoutNamespace(chartPart("rbac", "--gateway"))),
    "deploy/helm/isoline/templates/server.yaml":
      when("not .Values.settings", chartPart("server")) +
      when(".Values.settings", chartPart("server", "--settings", settingsFile())),
    "deploy/helm/isoline/templates/envoy.yaml": ["DaemonSet", "Deployment"]
      .map((kind) => when(isKind(kind), chartPart("envoy", "--envoy-kind", kind)))
      .join(""),
  };
}

if (isMain(import.meta)) {
  for (const [path, text] of Object.entries(generated())) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
