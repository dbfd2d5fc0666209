import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
    .replaceAll(`replicas: ${marks.replicas}\n`, "replicas: {{ .Values.replicas }}\n");

/** Removes the Namespace: it exists, or `helm install --create-namespace` creates it. */
const withoutNamespace = (text) =>
  text
    .split(/^---\n/m)
    .filter((document) => document !== "" && !/^kind: Namespace$/m.test(document))
    .map((document) => `---\n${document}`)
    .join("");

const when = (condition, text) => `{{- if ${condition} }}\n${text}{{- end }}\n`;
const isKind = (kind) => `and .Values.envoy.enabled (eq .Values.envoy.kind "${kind}")`;

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
version: ${version}
appVersion: "${version}"
`,
    "deploy/helm/isoline/crds/crds.yaml": manifests("crds"),
    "deploy/helm/isoline/templates/rbac.yaml":
      when("not .Values.gateway", withoutNamespace(chartPart("rbac"))) +
      when(".Values.gateway", withoutNamespace(chartPart("rbac", "--gateway"))),
    "deploy/helm/isoline/templates/server.yaml": chartPart("server"),
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
