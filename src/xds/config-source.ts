import type { ConfigSource } from "../gen/envoy.js";
import { defaultPollTimes, type PollTimes } from "../schema/polls.js";
import { duration } from "./duration.js";

/**
 * The name of the xDS cluster in compiled configuration. Each response has the name from the bootstrap of its Envoy
 * instead.
 */
const compiledName = "isoline";

/** The source of one resource. Equal sources for one name share a subscription. */
export const configSource = ({ timeoutMs }: PollTimes = defaultPollTimes): ConfigSource => ({
  resource_api_version: "V3",
  initial_fetch_timeout: "0s",
  api_config_source: {
    api_type: "REST",
    transport_api_version: "V3",
    cluster_names: [compiledName],
    refresh_delay: "0.1s",
    request_timeout: duration(timeoutMs),
  },
});

const clusterNames = (name: string): string => `"cluster_names":${JSON.stringify([name])}`;
const compiledNames = clusterNames(compiledName);

/**
 * A piece of compiled configuration (JSON) for an Envoy whose bootstrap names the xDS cluster `name`. Text of users is
 * inside JSON strings, where quotes are escaped, so that it never matches a source.
 */
export const forXdsCluster = (json: string, name: string): string =>
  name === compiledName ? json : json.replaceAll(compiledNames, clusterNames(name));
