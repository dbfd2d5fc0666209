import { schemaError } from "../schema/issues.js";
import type { Finding } from "../schema/meta.js";
import { isLabel } from "../schema/names.js";
import { type Settings, settingsRef } from "../schema/settings.js";
import type { KubeOptions } from "./kube-config.js";
import { UsageError } from "./usage.js";

/** A cluster to read; its name is empty when it is the only one. */
export interface KubeTarget extends KubeOptions {
  readonly name: string;
}

/**
 * What `--kube` asks for: alone the cluster of the kubeconfig (or of the pod); as `--kube NAME[=CONTEXT]`, once or more
 * often, clusters by names of their own, each a context of the kubeconfig.
 *
 * @throws UsageError
 */
export function kubeTargets(given: readonly string[], { kubeconfig, context }: KubeOptions): KubeTarget[] {
  const file = kubeconfig === undefined ? {} : { kubeconfig };
  if (given.length === 1 && given[0] === "")
    return [{ name: "", ...file, ...(context === undefined ? {} : { context }) }];
  if (context !== undefined)
    throw new UsageError("--context is for one cluster without a name; use --kube NAME=CONTEXT");
  const targets = given.map((text) => {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    if (!isLabel(name))
      throw new UsageError(
        `--kube ${text}: expected NAME or NAME=CONTEXT, where NAME is a DNS label such as east-1`,
      );
    return { name, ...file, context: text.slice(equals + 1) || name };
  });
  const twice = targets.find(({ name }, i) => targets.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new UsageError(`--kube ${twice.name} is given twice; each cluster needs a name of its own`);
  return targets;
}

/** The settings with every followed cluster in the setting `clusters`, in the order in which they were given. */
export function withClusters(
  settings: Settings,
  targets: readonly KubeTarget[],
): { settings: Settings; findings: readonly Finding[] } {
  const { clusters } = settings.spec;
  const followed = targets.flatMap(({ name }) =>
    name === "" ? [] : [clusters.find((one) => one.name === name) ?? { name, priority: 0 }],
  );
  const findings = clusters.flatMap(({ name }, i) =>
    targets.some((target) => target.name === name)
      ? []
      : [
          {
            ...schemaError(
              settingsRef,
              `has no effect: no cluster "${name}" is followed (--kube ${name})`,
              `clusters[${i}]`,
            ),
            severity: "warning" as const,
          },
        ],
  );
  return { settings: { ...settings, spec: { ...settings.spec, clusters: followed } }, findings };
}
