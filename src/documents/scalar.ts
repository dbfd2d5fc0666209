/**
 * The value of unquoted YAML text for Kubernetes clients, by the rules of sigs.k8s.io/yaml (go-yaml v2, `resolve.go`).
 * They differ from YAML 1.2 (`yes` is true, `0120` is 80) and from YAML 1.1 (no numbers of base 60, no dates).
 */

/** A parsed scalar. An integer is a bigint, to distinguish it from a float when it is a key. */
export type Scalar = string | boolean | null | bigint | number;

const words = new Map<string, Scalar>([
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false] as const,
  ),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, Number.NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map(
    (word) => [word, Number.POSITIVE_INFINITY] as const,
  ),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, Number.NEGATIVE_INFINITY] as const),
]);

/** The possible first characters of values that are not text. A value with any other first character is text. */
const notText = /^[-+.0-9~yYnNtTfFoO]/;
const integer = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** Longer texts are not parsed as numbers, because the time for that grows with the square of the length. */
const maxNumber = 400;

/** Reads text without quotes and without a tag. */
export function readPlain(text: string): Scalar {
  if (text !== "" && !notText.test(text)) return text;
  const word = words.get(text);
  if (word !== undefined) return word;
  if (text.length > maxNumber) return text;
  if (text.startsWith(".")) return readFloat(text) ?? text;
  if (!/^[-+0-9]/.test(text)) return text;
  const digits = text.replaceAll("_", "");
  return readInteger(digits) ?? readFloat(digits) ?? text;
}

/** An integer of 64 bits, or of 63 bits with a sign. */
function readInteger(text: string): bigint | undefined {
  const [, sign, hex, binary, octal, decimal] = integer.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const digits = hex ? `0x${hex}` : binary ? `0b${binary}` : octal ? `0o${octal}` : decimal;
  const value = BigInt(digits ?? "");
  if (sign === "-") return value <= 1n << 63n ? -value : undefined;
  return value < 1n << (sign === "+" ? 63n : 64n) ? value : undefined;
}

function readFloat(text: string): number | undefined {
  const value = float.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** The text of a key of any type; undefined for null, which is not a valid key. */
export function keyText(key: Scalar): string | undefined {
  if (key === null) return undefined;
  return typeof key === "number" ? floatText(key) : String(key);
}

/** A float in Go's format with 32-bit precision (`strconv.FormatFloat(key, 'g', -1, 32)`). */
function floatText(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  const short = Math.fround(value);
  if (!Number.isFinite(short)) return value < 0 ? "-.inf" : ".inf";
  let digits = 1;
  while (digits < 9 && Math.fround(Number(short.toPrecision(digits))) !== short) digits++;
  const [mantissa = "", power = "0"] = short.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(short.toPrecision(digits)));
  const sign = exponent < 0 ? "-" : "+";
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
