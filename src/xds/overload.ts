import type { Bootstrap, OverloadAction } from "../gen/envoy.js";

/** Limits at which Envoy sheds load; undefined is no limit. */
export interface OverloadLimits {
  /** Envoy sheds load near this heap size. */
  readonly maxHeapBytes?: number;
  /** The limit for all listeners together. */
  readonly maxConnections?: number;
}

const monitors = "type.googleapis.com/envoy.extensions.resource_monitors" as const;

/**
 * Overload actions of Envoy: at 95 % of the heap it releases memory, at 98 % it refuses requests; it refuses
 * connections above the limit.
 */
export function writeOverload({
  maxHeapBytes,
  maxConnections,
}: OverloadLimits): Pick<Bootstrap, "overload_manager"> {
  if (maxHeapBytes === undefined && maxConnections === undefined) return {};
  const heap = (name: string, value: number): OverloadAction => ({
    name,
    triggers: [{ name: "envoy.resource_monitors.fixed_heap", threshold: { value } }],
  });
  return {
    overload_manager: {
      refresh_interval: "0.25s",
      resource_monitors: [
        ...(maxHeapBytes === undefined
          ? []
          : [
              {
                name: "envoy.resource_monitors.fixed_heap",
                typed_config: {
                  "@type": `${monitors}.fixed_heap.v3.FixedHeapConfig`,
                  max_heap_size_bytes: `${maxHeapBytes}`,
                } as const,
              },
            ]),
        ...(maxConnections === undefined
          ? []
          : [
              {
                name: "envoy.resource_monitors.global_downstream_max_connections",
                typed_config: {
                  "@type": `${monitors}.downstream_connections.v3.DownstreamConnectionsConfig`,
                  max_active_downstream_connections: `${maxConnections}`,
                } as const,
              },
            ]),
      ],
      ...(maxHeapBytes === undefined
        ? {}
        : {
            actions: [
              heap("envoy.overload_actions.shrink_heap", 0.95),
              heap("envoy.overload_actions.stop_accepting_requests", 0.98),
            ],
          }),
    },
  };
}
