import { readFileSync } from "node:fs";
import protobuf from "protobufjs/light.js";
import "protobufjs/ext/descriptor.js";
import protojson from "protobufjs/ext/protojson.js";

const FILE = new URL("../../protos/envoy-v1.40.binpb", import.meta.url);

let loaded: protobuf.Root | undefined;

function envoyTypes(): protobuf.Root {
  if (loaded) return loaded;
  loaded = protobuf.Root.fromDescriptor(readFileSync(FILE));
  loaded.resolveAll();
  return loaded;
}

/** A message of Envoy's API, for servers that Envoy asks. */
export const messageType = (fullName: string): protobuf.Type => envoyTypes().lookupType(fullName);

/**
 * Reads `json` as the proto3-JSON of Envoy's message, with the messages inside every `Any`. Members that are
 * `undefined` count as absent, as they do for `JSON.stringify`.
 *
 * @param messageFullName such as `envoy.config.cluster.v3.Cluster`
 * @returns what is wrong, at most the first mistake, empty when all is right; field rules (PGV) are not checked
 */
export function checkProto(messageFullName: string, json: unknown): string[] {
  const type = envoyTypes().lookupType(messageFullName);
  try {
    protojson.fromJson(type, JSON.parse(JSON.stringify(json)));
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
