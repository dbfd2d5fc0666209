import { canonicalHeader, headerNameProblem } from "../../schema/header-names.js";
import type { Policy, RouteFields } from "./policy.js";

export type LoadBalancing = "round-robin" | "random" | "least-request" | "ring-hash";

/** The inputs of the hash of a ring-hash load balancer, in order. */
export type HashPolicy = readonly HashKey[];

export type HashKey =
  | {
      readonly kind: "cookie";
      readonly name: string;
      /** Envoy creates no cookie for a request without it. */
      readonly passive?: true;
      /** Default `/`. */
      readonly path?: string;
      /** The lifetime of the cookie. 0, the default, makes a session cookie. */
      readonly seconds?: number;
      readonly attributes?: readonly { readonly name: string; readonly value: string }[];
    }
  | {
      readonly kind: "header";
      readonly name: string;
      readonly terminal: boolean;
      /** Applied to the value. */
      readonly rewrite?: { readonly pattern: string; readonly substitution: string };
    }
  | { readonly kind: "query"; readonly name: string; readonly terminal: boolean }
  | { readonly kind: "source-ip"; readonly terminal: boolean };

/** The cookie of the strategy `Cookie`. Its name is Contour's, so that sessions survive a migration. */
const sessionAffinity: HashPolicy = [{ kind: "cookie", name: "X-Contour-Session-Affinity" }];

interface HashFields {
  readonly terminal?: boolean | undefined;
  readonly hashSourceIP?: boolean | undefined;
  readonly headerHashOptions?: { readonly headerName?: string | undefined } | undefined;
  readonly queryParameterHashOptions?: { readonly parameterName?: string | undefined } | undefined;
}

/**
 * The hash policy of the strategy `RequestHash`. Invalid entries are omitted and returned in `ignored` with their
 * index; `hash` is undefined if no entry is valid.
 */
function readHashPolicies(entries: readonly HashFields[]): {
  hash?: HashPolicy;
  ignored: readonly { readonly at: number; readonly message: string }[];
} {
  const ignored: { at: number; message: string }[] = [];
  const keys = new Map<string, HashKey>();
  for (const [at, entry] of entries.entries()) {
    const key = readHashKey(entry);
    const name = typeof key === "string" ? "" : nameOf(key);
    if (typeof key === "string")
      ignored.push({ at, message: `ignoring invalid request hash policy: ${key}` });
    else if (keys.has(name))
      ignored.push({ at, message: `ignoring repeated request hash policy: an earlier entry hashes ${name}` });
    else keys.set(name, key);
  }
  return { ...(keys.size > 0 ? { hash: [...keys.values()] } : {}), ignored };
}

const nameOf = (key: HashKey): string => ("name" in key ? `${key.kind} ${key.name}` : key.kind);

/** The key of an entry, or the problem. */
function readHashKey({ terminal = false, ...entry }: HashFields): HashKey | string {
  const { hashSourceIP, headerHashOptions: header, queryParameterHashOptions: query } = entry;
  if ([hashSourceIP, header, query].filter(Boolean).length !== 1)
    return "exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is required";
  if (header) {
    const name = canonicalHeader(header.headerName ?? "");
    const problem = headerNameProblem(name);
    return problem && name !== "Host"
      ? `header ${JSON.stringify(header.headerName)}: ${problem}`
      : { kind: "header", name, terminal };
  }
  const parameter = query?.parameterName?.toLowerCase();
  if (query && !parameter) return "the name of the query parameter is empty";
  return parameter ? { kind: "query", name: parameter, terminal } : { kind: "source-ip", terminal };
}

type Fields = RouteFields["loadBalancerPolicy"];

const balancers: ReadonlyMap<string | undefined, LoadBalancing> = new Map([
  ["Random", "random"],
  ["WeightedLeastRequest", "least-request"],
]);

/** The balancer of a strategy without a hash. An unknown strategy is RoundRobin, as in Contour. */
export const balancerOf = (strategy: string | undefined): LoadBalancing =>
  balancers.get(strategy) ?? "round-robin";

const hashOf = (fields: Fields): ReturnType<typeof readHashPolicies> =>
  fields?.strategy === "Cookie"
    ? { hash: sessionAffinity, ignored: [] }
    : readHashPolicies(fields?.requestHashPolicies ?? []);

const isHashed = (fields: Fields): boolean =>
  fields?.strategy === "Cookie" || fields?.strategy === "RequestHash";

/** The balancer for `loadBalancerPolicy` of a route. */
export const balancingOf = (fields: Fields): LoadBalancing =>
  isHashed(fields) && hashOf(fields).hash ? "ring-hash" : balancerOf(fields?.strategy);

/** The hash policy of `loadBalancerPolicy` of a route. */
export const hash: Policy<{ route: HashPolicy }> = {
  protects: false,
  fields: { route: ["loadBalancerPolicy"] },
  read: {
    route({ route: { loadBalancerPolicy: fields }, warnIgnored }) {
      if (!isHashed(fields)) return undefined;
      const { hash: found, ignored } = hashOf(fields);
      const field = ".loadBalancerPolicy.requestHashPolicies";
      for (const { at, message } of ignored) warnIgnored(message, `${field}[${at}]`);
      if (!found) warnIgnored("there is no valid request hash policy: the strategy is RoundRobin", field);
      return found;
    },
    ingressRoute: ({ route }) =>
      route.services?.some(({ strategy }) => strategy === "Cookie") ? sessionAffinity : undefined,
  },
};

/** `loadBalancerPolicy.strategy` of a route. */
export const loadBalancing: Policy<{ cluster: LoadBalancing }> = {
  protects: false,
  fields: { route: ["loadBalancerPolicy"] },
  read: {
    clusters: ({ route }) => balancingOf(route.loadBalancerPolicy),
    clusterFields: ({ loadBalancerPolicy }) => loadBalancerPolicy,
  },
};
