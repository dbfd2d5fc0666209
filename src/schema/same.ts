/**
 * Whether two JSON values are equal. It compares all fields, so that fields that a type gets later are included. A field
 * with the value `undefined` is absent, as in JSON; the order of fields is irrelevant. The function is small so that V8
 * inlines it: nearly all calls compare an object with itself.
 */
export const isSame = (a: unknown, b: unknown): boolean => a === b || isAlike(a, b);

function isAlike(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && isSameList(a, b);
  for (const key in a) if (!isSame(fieldOf(a, key), fieldOf(b, key))) return false;
  for (const key in b) if (!Object.hasOwn(a, key) && fieldOf(b, key) !== undefined) return false;
  return true;
}

const fieldOf = (value: object, key: string): unknown =>
  Object.hasOwn(value, key) ? value[key as keyof object] : undefined;

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !isAlike(a[i], b[i])) return false;
  return true;
}
