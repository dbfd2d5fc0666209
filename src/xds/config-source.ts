import type { ConfigSource } from "../gen/envoy.js";

/** What compiled configuration calls the xDS cluster; each answer has the name that the asking Envoy's bootstrap gives it. */
const compiledName = "isoline";

/** Where Envoy polls one resource. Equal sources for one name share a subscription. */
export const configSource: ConfigSource = {
  resource_api_version: "V3",
  initial_fetch_timeout: "0s",
  api_config_source: {
    api_type: "REST",
    transport_api_version: "V3",
    cluster_names: [compiledName],
    refresh_delay: "0.1s",
    request_timeout: "30s",
  },
};

const clusterNames = (name: string): string => `"cluster_names":${JSON.stringify([name])}`;
const compiledNames = clusterNames(compiledName);

/**
 * A piece of compiled configuration (JSON) for an Envoy whose bootstrap calls the xDS cluster `name`. What users write is in JSON
 * strings, where quotes are escaped, so that no text of theirs is taken for a source.
 */
export const forXdsCluster = (json: string, name: string): string =>
  name === compiledName ? json : json.replaceAll(compiledNames, clusterNames(name));
