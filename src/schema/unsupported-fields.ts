import type { kindShapes } from "../gen/fields.js";
import { pathText } from "./field-path.js";
import { isRecord } from "./issues.js";
import type { Finding, Ref } from "./meta.js";

type Raw = Readonly<Record<string, unknown>>;

/** Fields of the Gateway API that are valid and not supported. A path includes the entries of lists on its way. */
export const unsupported: Readonly<Partial<Record<keyof typeof kindShapes, readonly string[]>>> = {
  BackendTLSPolicy: ["spec.options"],
};

/** A warning with the reason `UnsupportedField` for each field of a manifest that is not supported. */
export function unsupportedFields(kind: keyof typeof kindShapes, about: Ref, input: Raw): Finding[] {
  const fields = unsupported[kind];
  if (!fields) return [];
  return fields.flatMap((field) =>
    placesOf(input, field.split(".")).map(({ path }) => ({
      about,
      severity: "warning" as const,
      type: "SchemaError",
      reason: "UnsupportedField",
      message: `${field.split(".").at(-1)} is not supported; it has no effect`,
      path: pathText(path),
    })),
  );
}

/** A value with its path. */
interface PlaceOf {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
}

/** The values at a path of field names, outermost first. For a list on the way, the values in all its entries. */
export function placesOf(value: unknown, [key, ...rest]: readonly string[]): readonly PlaceOf[] {
  if (key === undefined) return [{ path: [], value }];
  if (Array.isArray(value)) return value.flatMap((one, i) => within(i, placesOf(one, [key, ...rest])));
  if (!isRecord(value) || !Object.hasOwn(value, key)) return [];
  return within(key, placesOf(value[key], rest));
}

const within = (step: string | number, places: readonly PlaceOf[]): readonly PlaceOf[] =>
  places.map(({ path, value }) => ({ path: [step, ...path], value }));
