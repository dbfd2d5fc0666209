import { readFileSync } from "node:fs";
import { readOne } from "../documents/documents.js";
import type { EnvoyConfig } from "../explain/config.js";
import { wholeTables } from "../explain/config.js";
import { isRecord } from "../schema/issues.js";
import { messageOf } from "../schema/words.js";

/** A configuration that was compiled elsewhere. */
export interface ForeignConfig {
  readonly config: EnvoyConfig;
  /** Present where it comes from a server, which shows digests of keys alone: whether it shows what requests are compared with. */
  readonly values?: "shown" | "hidden";
}

/**
 * A file that `isoline compile -o` has written, as JSON or YAML.
 *
 * @throws Error when it can't be read or is something else.
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

/** Names of resources; those of endpoints have one of their own. */
const nameFields = ["name", "cluster_name"] as const;

/** What `isoline compile` and `GET /config` print. @throws Error when it is something else; `from` says what was read. */
export function parseConfig(value: unknown, from: string): ForeignConfig {
  if (!isRecord(value) || typeof value.endpoint_mode !== "string")
    throw new Error(`${from}: is not what isoline compile prints (isoline compile -f manifests/ -o FILE)`);
  const resources = <T>(type: string): Map<string, T> => {
    const response = value[type];
    if (response === undefined) return new Map();
    const list = isRecord(response) ? response.resources : undefined;
    if (!Array.isArray(list)) throw new Error(`${from}: ${type} holds no resources`);
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
  if (!isRecord(resource)) throw new Error(`${where} holds something that is no resource`);
  const { "@type": _, ...fields } = resource;
  const name = nameFields.map((field) => fields[field]).find((one) => typeof one === "string");
  if (typeof name !== "string") throw new Error(`${where} holds a resource without a name`);
  return [name, fields as T];
}
