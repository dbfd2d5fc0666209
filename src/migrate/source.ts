import { isRecord } from "../schema/issues.js";
import { type Ref, refOf } from "../schema/meta.js";
import { Field, type FieldLog, fieldLog } from "./field.js";

/** One manifest of the input. */
export interface InputManifest {
  readonly value: unknown;
  /** `FILE:LINE`; empty for an object that was read from a Kubernetes cluster. */
  readonly place: string;
  /** The original text of the document, if it contains only this object. */
  readonly text?: string;
}

/** An object of the input that has a kind and a name. */
export interface SourceObject {
  readonly ref: Ref;
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly created: string;
  readonly place: string;
  readonly text?: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly root: Field;
  readonly log: FieldLog;
}

/** Undefined if the value is no object of Kubernetes. */
export function sourceObject({ value, place, text }: InputManifest): SourceObject | undefined {
  if (!isRecord(value) || typeof value.kind !== "string" || typeof value.apiVersion !== "string")
    return undefined;
  const { kind, apiVersion } = value;
  const metadata = isRecord(value.metadata) ? value.metadata : {};
  if (typeof metadata.name !== "string" || metadata.name === "") return undefined;
  const { name } = metadata;
  const namespace =
    typeof metadata.namespace === "string" && metadata.namespace !== "" ? metadata.namespace : "default";
  const labels = isRecord(metadata.labels) ? metadata.labels : {};
  const slash = apiVersion.indexOf("/");
  const log = fieldLog();
  return {
    ref: refOf(kind, namespace, name),
    kind,
    group: slash < 0 ? "" : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    namespace,
    name,
    labels: Object.fromEntries(
      Object.entries(labels).flatMap(([k, v]) => (typeof v === "string" ? [[k, v]] : [])),
    ),
    created: typeof metadata.creationTimestamp === "string" ? metadata.creationTimestamp : "",
    place,
    ...(text === undefined ? {} : { text }),
    value,
    root: new Field(value, [], log),
    log,
  };
}

export const annotationOf = (object: SourceObject, name: string): Field =>
  object.root.at("metadata", "annotations", name);

/** The label of Services that a migration creates, such as Services for subsets. */
export const migratedLabel = "isoline.dev/migrated";
