import type { KubeOptions, KubeTarget } from "../kubernetes/node/config.js";
import { isLabel } from "../schema/names.js";
import { UsageError } from "./usage.js";

/**
 * The clusters of `--kube`: without a name, the cluster of the kubeconfig (or of the pod); with `NAME[=CONTEXT]`, once
 * or repeated, named clusters, each a context of the kubeconfig.
 *
 * @throws UsageError
 */
export function kubeTargets(given: readonly string[], { kubeconfig, context }: KubeOptions): KubeTarget[] {
  const file = kubeconfig === undefined ? {} : { kubeconfig };
  if (given.length === 1 && given[0] === "")
    return [{ name: "", ...file, ...(context === undefined ? {} : { context }) }];
  if (context !== undefined)
    throw new UsageError("--context is only for a cluster without a name; use --kube NAME=CONTEXT");
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
  if (twice) throw new UsageError(`--kube ${twice.name} is given twice; each cluster needs a different name`);
  return targets;
}
