import { schemaError } from "../../schema/issues.js";
import type { Finding } from "../../schema/meta.js";
import { type Settings, settingsRef } from "../../schema/settings.js";

/** The settings with every followed cluster in `clusters`, in the order of the command line. */
export function withClusters(
  settings: Settings,
  targets: readonly { readonly name: string }[],
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
