import type { Cluster, RouteAction } from "../../gen/envoy.js";
import type { HashKey, LoadBalancing } from "../../graph/policies/load-balancing.js";
import { duration } from "../duration.js";
import { facts, type WrittenPolicy } from "./policy.js";

type Entry = NonNullable<RouteAction["hash_policy"]>[number];

function writeKey(key: HashKey): Entry {
  switch (key.kind) {
    case "cookie":
      return {
        cookie: {
          name: key.name,
          ...(key.passive ? {} : { ttl: duration((key.seconds ?? 0) * 1000), path: key.path ?? "/" }),
          ...(key.attributes ? { attributes: key.attributes } : {}),
        },
      };
    case "header":
      return {
        header: {
          header_name: key.name,
          ...(key.rewrite
            ? {
                regex_rewrite: {
                  pattern: { regex: key.rewrite.pattern },
                  substitution: key.rewrite.substitution,
                },
              }
            : {}),
        },
        ...(key.terminal ? { terminal: true } : {}),
      };
    case "query":
      return { query_parameter: { name: key.name }, ...(key.terminal ? { terminal: true } : {}) };
    case "source-ip":
      return { connection_properties: { source_ip: true }, ...(key.terminal ? { terminal: true } : {}) };
  }
}

export const hash: WrittenPolicy<"hash"> = {
  write: { route: (policy) => ({ action: { hash_policy: policy.map(writeKey) } }) },
  describe({ route: { route } }) {
    const among = route?.weighted_clusters?.use_hash_policy ? ", also among the backends" : "";
    return facts({
      affinity: route?.hash_policy && `${route.hash_policy.map(describeHash).join(", then ")}${among}`,
    });
  },
};

function describeHash(policy: Entry): string {
  if (policy.cookie) return `cookie ${policy.cookie.name}`;
  if (policy.header) return `header ${policy.header.header_name}`;
  return policy.query_parameter ? `query parameter ${policy.query_parameter.name}` : "the client's address";
}

const balancers: Readonly<Record<LoadBalancing, Cluster["lb_policy"]>> = {
  "round-robin": undefined,
  random: "RANDOM",
  "least-request": "LEAST_REQUEST",
  "ring-hash": "RING_HASH",
};

export const loadBalancing: WrittenPolicy<"loadBalancing"> = {
  write: {
    cluster(balancing) {
      const policy = balancers[balancing];
      return { cluster: policy ? { lb_policy: policy } : {} };
    },
  },
};
