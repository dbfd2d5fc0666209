import type { Finding } from "./meta.js";
import type { Settings } from "./settings.js";

/** A warning for each setting that Envoy reads only from its bootstrap: discovery can't send it. */
export function bootstrapFindings({ ref, spec }: Settings): readonly Finding[] {
  const { maxRequestsPerIOCycle, maxConnectionsPerListener } = spec.listener;
  const set = {
    "listener.maxRequestsPerIOCycle": maxRequestsPerIOCycle !== undefined,
    "listener.maxConnectionsPerListener": maxConnectionsPerListener !== undefined,
    runtimeSettings: Object.keys(spec.runtimeSettings).length > 0,
  };
  return Object.entries(set).flatMap(([path, isSet]): Finding[] =>
    isSet
      ? [
          {
            about: ref,
            severity: "warning",
            type: "SettingsError",
            reason: "BootstrapOnly",
            message:
              "is a value of Envoy's runtime, which is not served: it takes effect in Envoys whose bootstrap was written with `isoline bootstrap --settings`",
            path,
          },
        ]
      : [],
  );
}

/** A warning when `watchNamespaces` is set for a source that is always read whole. */
export const unfilteredFindings = ({ ref, spec }: Settings, instead: string): readonly Finding[] =>
  spec.watchNamespaces.length === 0
    ? []
    : [
        {
          about: ref,
          severity: "warning",
          type: "SettingsError",
          reason: "NoEffect",
          message: `has no effect here; ${instead}`,
          path: "watchNamespaces",
        },
      ];
