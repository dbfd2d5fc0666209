import type { RouteAction } from "../../gen/envoy.js";
import type { HashKey, HashPolicy } from "../../graph/policies/hash.js";
import type { Written } from "./written.js";

type Entry = NonNullable<RouteAction["hash_policy"]>[number];

function writeKey(key: HashKey): Entry {
  switch (key.kind) {
    case "cookie":
      return { cookie: { name: key.name, ttl: "0s", path: "/" } };
    case "header":
      return { header: { header_name: key.name }, ...(key.terminal ? { terminal: true } : {}) };
    case "query":
      return { query_parameter: { name: key.name }, ...(key.terminal ? { terminal: true } : {}) };
    case "source-ip":
      return { connection_properties: { source_ip: true }, ...(key.terminal ? { terminal: true } : {}) };
  }
}

export const writeHash = (policy: HashPolicy): Written => ({ action: { hash_policy: policy.map(writeKey) } });
