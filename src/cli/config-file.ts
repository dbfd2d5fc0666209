import { readFileSync } from "node:fs";
import { readOne } from "../documents/documents.js";
import type { EnvoyConfig } from "../explain/config.js";
import { wholeTables } from "../explain/config.js";
import { isRecord } from "../schema/issues.js";
import { messageOf } from "../schema/words.js";

/** A configuration that another process compiled. */
export interface ForeignConfig {
  readonly config: EnvoyConfig;
  /**
   * Present for the configuration of a server, which has digests in place of keys: whether it contains the values that
   * requests are compared with.
   */
  readonly values?: "shown" | "hidden";
}

/**
 * Reads a file that `isoline compile -o` has written, as JSON or YAML.
 *
 * @throws Error when it can't be read or has other content.
 */
export function readConfigFile(file: string): ForeignConfig {
  let value: unknown;
  try {
    const text = readFileSync(file, "utf8");
    value = text.startsWith("{") ? JSON.parse(text) : readOne(text)?.value;
  } catch (error) {
    throw new Error(`snapshot:${file}: ${messageOf(error)}`);
  }
  return parseConfig(value, `snapshot:${file}`);
}

/** Fields with the name of a resource; the second one is for endpoints. */
const nameFields = ["name", "cluster_name"] as const;

/**
 * Parses the output of `isoline compile` or `GET /config`. @throws Error for other content; `from` names the origin.
 */
export function parseConfig(value: unknown, from: string): ForeignConfig {
  if (!isRecord(value) || typeof value.endpoint_mode !== "string")
    throw new Error(`${from}: is not the output of isoline compile (isoline compile -f manifests/ -o FILE)`);
  const resources = <T>(type: string): Map<string, T> => {
    const response = value[type];
    if (response === undefined) return new Map();
    const list = isRecord(response) ? response.resources : undefined;
    if (!Array.isArray(list)) throw new Error(`${from}: ${type} has no list of resources`);
    return new Map(list.map((one: unknown) => named<T>(one, `${from}: ${type}`)));
  };
  const { values } = value;
  return {
    config: {
      listeners: resources("listeners"),
      tables: wholeTables(resources("routes")),
      clusters: resources("clusters"),
      endpoints: resources("endpoints"),
      secrets: resources("secrets"),
    },
    ...(values === "shown" || values === "hidden" ? { values } : {}),
  };
}

function named<T>(resource: unknown, where: string): [string, T] {
  if (!isRecord(resource)) throw new Error(`${where} contains an item that is not a resource`);
  const { "@type": _, ...fields } = resource;
  const name = nameFields.map((field) => fields[field]).find((one) => typeof one === "string");
  if (typeof name !== "string") throw new Error(`${where} contains a resource without a name`);
  return [name, fields as T];
}
