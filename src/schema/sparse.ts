import { z } from "zod";

/** The limit of field sets with their own schema. Further inputs are parsed with the whole schema. */
const maxParts = 64;

/**
 * `z.object` for maps with mostly absent fields. Each input is parsed with a schema of the required fields and the
 * optional fields that it has. An absent optional field adds nothing to a result, so the result is equal and cheaper.
 */
export function sparse<S extends z.core.$ZodShape>(shape: S): z.ZodObject<S, z.core.$strip> {
  const schema = z.object(shape);
  // A field with a default is optional in the input, but not in the output.
  const optional = Object.keys(shape).filter(
    (key) => shape[key]?._zod.optin === "optional" && shape[key]?._zod.optout === "optional",
  );
  const bits = new Map(optional.slice(0, 31).map((key, i) => [key, 1 << i]));
  const parts = new Map<number, z.core.$ZodType>();
  const whole = z.object(shape);

  const partOf = (present: number): z.core.$ZodType => {
    const known = parts.get(present);
    if (known) return known;
    if (parts.size >= maxParts) return whole;
    const kept = Object.entries(shape).filter(([key]) => {
      const bit = bits.get(key);
      return bit === undefined || (present & bit) !== 0;
    });
    const part = z.object(Object.fromEntries(kept));
    parts.set(present, part);
    return part;
  };
  const parse: typeof schema._zod.parse = (payload, context) => {
    const input: unknown = payload.value;
    let present = 0;
    if (typeof input === "object") for (const key in input) present |= bits.get(key) ?? 0;
    return partOf(present)._zod.run(payload, context);
  };
  schema._zod.parse = parse;
  schema._zod.run = parse;
  return schema;
}
