import type { GrpcService } from "../gen/envoy.js";
import { duration } from "./duration.js";

/** A gRPC service that an Envoy filter calls. Without a timeout, the default of that filter applies. */
export const grpcService = ({
  cluster,
  authority,
  timeoutMs,
}: {
  readonly cluster: string;
  readonly authority: string;
  readonly timeoutMs?: number;
}): GrpcService => ({
  envoy_grpc: { cluster_name: cluster, authority },
  ...(timeoutMs === undefined ? {} : { timeout: duration(timeoutMs) }),
});
