/** The body of a poll, as far as the server reads it, of an Envoy 1.40. */
export const discoveryRequest = (node: string, version: string, names: readonly string[]): string =>
  JSON.stringify({
    version_info: version,
    node: {
      id: node,
      user_agent_name: "envoy",
      user_agent_build_version: { version: { major_number: 1, minor_number: 40, patch: 0 } },
    },
    resource_names: names,
  });
