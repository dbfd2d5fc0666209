import { readOne } from "../../documents/documents.js";
import { positionOf } from "../../documents/locate.js";
import { isRecord } from "../../schema/issues.js";
import { type Ref, refOf } from "../../schema/meta.js";
import { messageOf } from "../../schema/words.js";
import { lineOf, type ManifestPlace } from "./load.js";

/** The key of a ConfigMap under which Contour's deployments keep its configuration file. */
const fileKey = "contour.yaml";

/** A Kubernetes object that holds settings. */
interface SettingsObject {
  readonly ref: Ref;
  /** The name of this place of settings, for messages. */
  readonly label: string;
  readonly form: "ConfigMap" | "ContourConfiguration" | "IsolineSettings";
}

/** An object among manifests that holds settings. */
export interface FoundSettings extends SettingsObject {
  readonly value: unknown;
  readonly place: ManifestPlace;
}

/** Whether a document is an object that holds settings: a ConfigMap with `contour.yaml`, a ContourConfiguration or an IsolineSettings. */
export function settingsObjectOf(value: unknown): SettingsObject | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, apiVersion, data } = value;
  const version = typeof apiVersion === "string" ? apiVersion : "";
  if (kind === "IsolineSettings") return { ref: refTo(value), label: kind, form: kind };
  if (kind === "ContourConfiguration" && version.startsWith("projectcontour.io/"))
    return { ref: refTo(value), label: refTo(value), form: kind };
  if (kind !== "ConfigMap" || version !== "v1" || !isRecord(data) || typeof data[fileKey] !== "string")
    return undefined;
  return { ref: refTo(value), label: `${fileKey} of ${refTo(value)}`, form: kind };
}

function refTo({ kind, metadata }: Readonly<Record<string, unknown>>): Ref {
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  return refOf(
    String(kind),
    kind === "IsolineSettings" ? "" : String(namespace || "default"),
    String(name ?? ""),
  );
}

/** The input of `parseSettings`, with the lines of its keys. */
export interface SettingsContent {
  readonly content: unknown;
  /** The line of a key, from 1; the first line of the settings for an empty path. */
  lineOf(path: string): number;
}

/**
 * The settings of a document: an object that holds them, or the document itself.
 *
 * @throws SettingsFault when the text in a ConfigMap is not valid YAML.
 */
export function contentOf(value: unknown, place: ManifestPlace): SettingsContent {
  const object = settingsObjectOf(value);
  if (!isRecord(value) || !object || object.form === "ContourConfiguration")
    return { content: value, lineOf: (path) => lineOf(place, path) };
  if (object.form === "ConfigMap") return textOf(value, place);
  return { content: value.spec ?? {}, lineOf: (path) => lineOf(place, path ? `spec.${path}` : "") };
}

export class SettingsFault extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

function textOf({ data }: Readonly<Record<string, unknown>>, place: ManifestPlace): SettingsContent {
  const first = lineOf(place, `data[${JSON.stringify(fileKey)}]`);
  const text = isRecord(data) ? String(data[fileKey]) : "";
  let document: ReturnType<typeof readOne>;
  try {
    document = readOne(text);
  } catch (error) {
    throw new SettingsFault(`${fileKey}: ${messageOf(error)}`, first);
  }
  // Only a block scalar has the lines of its text in the file; a quoted text is on one line.
  const isBlock = /\|[-+0-9]*\s*(?:#.*)?$/.test(place.part?.text.split("\n")[first - place.part.line] ?? "");
  return {
    content: document?.value ?? null,
    lineOf: (path) => (isBlock && path && document ? first + positionOf(document.part, path).line : first),
  };
}
