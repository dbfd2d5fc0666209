import { readFileSync } from "node:fs";
import protobuf from "protobufjs/light.js";
import "protobufjs/ext/descriptor.js";
import protojson from "protobufjs/ext/protojson.js";

/** A release whose API is in protos/. */
type Release = "1.36" | "1.40";

const loaded = new Map<Release, protobuf.Root>();

function envoyTypes(release: Release = "1.40"): protobuf.Root {
  const known = loaded.get(release);
  if (known) return known;
  const file = new URL(`../../protos/envoy-v${release}.binpb`, import.meta.url);
  const types = protobuf.Root.fromDescriptor(readFileSync(file));
  types.resolveAll();
  loaded.set(release, types);
  return types;
}

/** A message of Envoy's API, for services that Envoy calls. */
export const messageType = (fullName: string): protobuf.Type => envoyTypes().lookupType(fullName);

/**
 * Parses `json` as the proto3 JSON of an Envoy message, with the messages inside every `Any`. `undefined` members
 * count as absent, as for `JSON.stringify`.
 *
 * @param messageFullName such as `envoy.config.cluster.v3.Cluster`
 * @returns the first error, or an empty list; field rules (PGV) are not checked
 */
export function checkProto(messageFullName: string, json: unknown, release?: Release): string[] {
  const type = envoyTypes(release).lookupType(messageFullName);
  try {
    protojson.fromJson(type, JSON.parse(JSON.stringify(json)));
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
