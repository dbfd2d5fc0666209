import { canonicalHeader, headerNameProblem, headerValueProblem } from "../../schema/header-names.js";
import { type ErrorStatus, isErrorStatus } from "../../schema/status-code.js";
import { type HeaderCondition, headerMatches, headerProblem } from "../api/httpproxy/conditions.js";
import type { HeaderMatch } from "../matches/match-types.js";
import { headerFormat } from "./header-values.js";
import type { Policy } from "./policy.js";

/** A token bucket in each Envoy: `requests` per `intervalMs`, and up to `burst` more at once. */
export interface LocalRateLimit {
  readonly requests: number;
  readonly burst: number;
  readonly intervalMs: number;
  /** Default 429. */
  readonly status?: ErrorStatus;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** The buckets of each client address, in place of one bucket for all clients. */
  readonly perAddress?: readonly Pick<LocalRateLimit, "requests" | "burst" | "intervalMs">[];
}

/** A descriptor for the rate limit service. */
export type RateLimitDescriptor = readonly DescriptorEntry[];

/** At least one of the two is set. */
export interface RouteRateLimits {
  /** Replaces the descriptors of the host. */
  readonly descriptors?: readonly RateLimitDescriptor[];
  readonly ignoreHost?: true;
}

export type DescriptorEntry =
  | { readonly kind: "generic-key"; readonly key?: string; readonly value: string }
  | { readonly kind: "header"; readonly header: string; readonly key: string }
  | {
      readonly kind: "header-match";
      readonly headers: readonly HeaderMatch[];
      readonly expect: boolean;
      readonly value: string;
    }
  | { readonly kind: "remote-address" };

interface LocalFields {
  readonly requests: number;
  readonly unit: "second" | "minute" | "hour";
  readonly burst?: number;
  readonly responseStatusCode?: number;
  readonly responseHeadersToAdd?: readonly { readonly name: string; readonly value: string }[];
}

interface EntryFields {
  readonly genericKey?: { readonly key?: string; readonly value: string };
  readonly requestHeader?: { readonly headerName: string; readonly descriptorKey: string };
  readonly requestHeaderValueMatch?: {
    readonly headers?: readonly HeaderCondition[];
    readonly expectMatch: boolean;
    readonly value: string;
  };
  readonly remoteAddress?: object;
}

interface GlobalFields {
  readonly disabled?: boolean;
  readonly descriptors?: readonly { readonly entries: readonly EntryFields[] }[];
}

const intervals = { second: 1000, minute: 60_000, hour: 3_600_000 } as const;
const maxTokens = 4_294_967_295;
/** Envoy refuses a route table with a longer list. */
const maxHeaders = 10;

/** `rateLimitPolicy.local` of a virtual host or route. */
function readLocalRateLimit(fields: LocalFields | undefined): {
  limit?: LocalRateLimit;
  error?: string;
} {
  if (!fields) return {};
  const { requests, unit, burst = 0, responseStatusCode, responseHeadersToAdd } = fields;
  if (requests + burst > maxTokens) return { error: "the sum of requests and burst is more than 4294967295" };
  if (responseStatusCode !== undefined && !isErrorStatus(responseStatusCode))
    return {
      error: `Envoy does not support status ${responseStatusCode} for rate limits; the default is 429`,
    };
  const headers = new Map<string, string>();
  for (const { name, value } of responseHeadersToAdd ?? []) {
    const key = canonicalHeader(name);
    if (headers.has(key)) return { error: `duplicate header addition: "${key}"` };
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid header name "${key}": ${wrong}` };
    const problem = headerValueProblem(value);
    if (problem) return { error: `invalid header "${key}": ${problem}` };
    headers.set(key, headerFormat(value, {}));
  }
  if (headers.size > maxHeaders) return { error: `more than ${maxHeaders} headers to add` };
  return {
    limit: {
      requests,
      burst,
      intervalMs: intervals[unit],
      ...(responseStatusCode ? { status: responseStatusCode } : {}),
      headers: [...headers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => ({ name, value })),
    },
  };
}

/**
 * Reads `rateLimitPolicy.global` of a virtual host or route, or the default of the settings; undefined if disabled.
 * `maxProgramSize` limits each regular expression.
 */
function readDescriptors(
  fields: GlobalFields | undefined,
  maxProgramSize: number,
): {
  descriptors?: readonly RateLimitDescriptor[];
  error?: string;
} {
  if (!fields?.descriptors?.length || fields.disabled) return {};
  const descriptors: DescriptorEntry[][] = [];
  for (const { entries } of fields.descriptors) {
    const read = entries.map((entry) => readEntry(entry, maxProgramSize));
    const wrong = read.find((entry) => typeof entry === "string");
    if (typeof wrong === "string") return { error: wrong };
    descriptors.push(read as DescriptorEntry[]);
  }
  return { descriptors };
}

function readEntry(fields: EntryFields, maxProgramSize: number): DescriptorEntry | string {
  const { genericKey, requestHeader, requestHeaderValueMatch, remoteAddress } = fields;
  const kinds = [genericKey, requestHeader, requestHeaderValueMatch, remoteAddress].filter(Boolean);
  if (kinds.length !== 1) return "rate limit descriptor entry must have exactly one field set";
  if (genericKey) {
    const { key, value } = genericKey;
    return { kind: "generic-key", ...(key ? { key } : {}), value };
  }
  if (requestHeader) {
    return { kind: "header", header: requestHeader.headerName, key: requestHeader.descriptorKey };
  }
  if (requestHeaderValueMatch) {
    const { headers = [], expectMatch: expect, value } = requestHeaderValueMatch;
    const wrong = headerProblem(
      headers.map((header) => ({ header })),
      maxProgramSize,
    );
    if (wrong) return wrong;
    const matches = headers.flatMap(headerMatches);
    if (matches.length === 0) return "requestHeaderValueMatch requires at least one header condition";
    return { kind: "header-match", headers: matches, expect, value };
  }
  return { kind: "remote-address" };
}

const invalidHost = (error: string) =>
  [
    "VirtualHostError",
    "RateLimitPolicyNotValid",
    `Spec.VirtualHost.RateLimitPolicy is invalid: ${error}`,
    ".rateLimitPolicy",
  ] as const;

const invalidRoute = (error: string, field: string) =>
  [
    "RouteError",
    "RateLimitPolicyNotValid",
    `route.rateLimitPolicy is invalid: ${error}`,
    `.rateLimitPolicy${field}`,
  ] as const;

/** `rateLimitPolicy.local` of a virtual host or route. */
export const localRateLimit: Policy<{ host: LocalRateLimit; route: LocalRateLimit }, true> = {
  protects: true,
  fields: { host: ["rateLimitPolicy"], route: ["rateLimitPolicy"] },
  read: {
    host({ virtualhost, fail }) {
      const { limit, error } = readLocalRateLimit(virtualhost?.rateLimitPolicy?.local);
      return error ? fail(...invalidHost(error)) : limit;
    },
    route({ route, fail }) {
      const { limit, error } = readLocalRateLimit(route.rateLimitPolicy?.local);
      return error ? fail(...invalidRoute(error, ".local")) : limit;
    },
  },
};

/** `rateLimitPolicy.global` of a virtual host or route, and the settings' default for virtual hosts. */
export const globalRateLimit: Policy<{ host: readonly RateLimitDescriptor[]; route: RouteRateLimits }, true> =
  {
    protects: true,
    fields: { host: ["rateLimitPolicy"], route: ["rateLimitPolicy"] },
    read: {
      host({ virtualhost, reader: { settings }, fail }) {
        const fields = virtualhost?.rateLimitPolicy?.global;
        const { regexProgramSize } = settings.budgets;
        const own = readDescriptors(fields, regexProgramSize);
        if (own.error) return fail(...invalidHost(own.error));
        const standard = fields?.disabled
          ? {}
          : readDescriptors(settings.rateLimitService?.defaultGlobalRateLimitPolicy, regexProgramSize);
        if (!standard.error) return own.descriptors ?? standard.descriptors;
        const message = `Default Global RateLimit Policy is invalid: ${standard.error}`;
        return fail("VirtualHostError", "RateLimitPolicyNotValid", message, ".rateLimitPolicy");
      },
      route({ route, reader, fail }) {
        const fields = route.rateLimitPolicy?.global;
        const { descriptors, error } = readDescriptors(fields, reader.settings.budgets.regexProgramSize);
        if (error) return fail(...invalidRoute(error, ".global"));
        if (descriptors) return { descriptors };
        return fields?.disabled ? { ignoreHost: true } : undefined;
      },
    },
  };
