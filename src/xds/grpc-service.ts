import type { GrpcService } from "../gen/envoy.js";
import { duration } from "./duration.js";

/** A service that Envoy asks over gRPC; without a timeout, that of the asking filter holds. */
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
