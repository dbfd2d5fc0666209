import type { RetryPolicy } from "../../graph/policies/retry.js";
import { duration } from "../duration.js";
import type { Written } from "./written.js";

export const writeRetry = ({ retryOn, count, perTryTimeoutMs, statusCodes }: RetryPolicy): Written => ({
  action: {
    retry_policy: {
      retry_on: retryOn,
      num_retries: count,
      ...(perTryTimeoutMs === undefined ? {} : { per_try_timeout: duration(perTryTimeoutMs) }),
      ...(statusCodes.length > 0 ? { retriable_status_codes: statusCodes } : {}),
    },
  },
});
