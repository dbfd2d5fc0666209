import { readTimeout } from "../../schema/duration.js";
import type { Policy } from "./policy.js";

export interface RetryPolicy {
  /** Comma-joined Envoy retry conditions. */
  readonly retryOn: string;
  readonly count: number;
  readonly perTryTimeoutMs?: number;
  /** The time between two parts of a response; its end is a reset of the try. */
  readonly perTryIdleMs?: number;
  readonly statusCodes: readonly number[];
  /** Requests with other methods are not retried. */
  readonly methods?: readonly string[];
  /** A retry uses an endpoint that was not tried before. */
  readonly otherHosts?: true;
  /** The pause before the first retry; absent: Envoy's default of 25 ms. */
  readonly backoffMs?: number;
}

interface RetryFields {
  count?: number;
  perTryTimeout?: string;
  retryOn?: readonly string[];
  retriableStatusCodes?: readonly number[];
}

const maxCount = 4_294_967_295;

/** -1 is no retry; 0 or undefined is one retry, as Contour reads `retryPolicy.count`. */
const countOf = (count: number | undefined): number =>
  count === -1 ? 0 : Math.min(maxCount, Math.max(1, count ?? 1));

/** Reads `retryPolicy` of an HTTPProxy route. An invalid per-try timeout is the default, as in Contour. */
function readRetryPolicy(fields: RetryFields | undefined): RetryPolicy | undefined {
  if (!fields) return undefined;
  const perTry = readTimeout(fields.perTryTimeout).ms;
  return {
    retryOn: fields.retryOn?.length ? fields.retryOn.join(",") : "5xx",
    count: countOf(fields.count),
    ...(perTry ? { perTryTimeoutMs: perTry } : {}),
    statusCodes: fields.retriableStatusCodes ?? [],
  };
}

export const retry: Policy<{ route: RetryPolicy }> = {
  protects: false,
  fields: { route: ["retryPolicy"] },
  read: {
    route: ({ route }) => readRetryPolicy(route.retryPolicy),
    ingressRoute: ({ route }) => readRetryPolicy(route.retryPolicy),
    ingress({ annotation }) {
      const retryOn = annotation("retry-on");
      if (!retryOn) return undefined;
      const retries = Number(annotation("num-retries") ?? "");
      return readRetryPolicy({
        count: Number.isInteger(retries) ? retries : 0,
        perTryTimeout: annotation("per-try-timeout") ?? "",
        retryOn: retryOn.split(",").map((part) => part.trim()),
      });
    },
  },
};
