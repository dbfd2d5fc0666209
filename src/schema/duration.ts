import { z } from "zod";

/**
 * Durations stay text in objects, as users wrote them: a store keeps parsed objects and parses settings again. The types say which
 * grammar a schema has checked, and so what a zero means.
 *
 * `Timeout`: a zero or nothing keeps the default, `infinity` is no limit.
 */
export type Timeout = string & z.$brand<"Timeout">;
/** A time as it is written, a zero too. */
export type Duration = string & z.$brand<"Duration">;

/** What a timeout comes to: milliseconds, of which 0 is no limit; absent for the default. */
export type TimeoutMs =
  | { readonly ms?: number; readonly error?: undefined }
  | { readonly error: string; readonly ms?: undefined };

const units: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  μs: 0.001,
  ns: 0.000001,
};
const amount = String.raw`(?:\d+(?:\.\d*)?|\.\d+)`;
const unit = "(?:h|ms?|s|us|µs|μs|ns)";
/** Go's durations without a sign, as in Contour's CRDs. */
const goDuration = `(?:${amount}${unit})+`;
const whole = new RegExp(`^${goDuration}$`);
const part = new RegExp(`(${amount})(${unit})`, "g");
const maxLength = 100;
// A Go duration ends at 292 years.
const maxMs = 100 * 365 * 24 * 3_600_000;

function sumOf(text: string): number {
  let ms = 0;
  for (const [, count = "0", name = "s"] of text.matchAll(part)) ms += Number(count) * (units[name] ?? 0);
  return ms;
}

/** Milliseconds of a duration. */
export const durationMs = (text: Duration): number => sumOf(text);

/** Reads a timeout. Only text that no schema has read, such as an annotation, may be more wrong than too long. */
export function readTimeout(text: string | undefined): TimeoutMs {
  if (!text || text === "0") return {};
  if (text === "infinity" || text === "infinite") return { ms: 0 };
  if (text.length > maxLength || !whole.test(text)) {
    const shown = JSON.stringify(text.slice(0, maxLength));
    return {
      error: `invalid duration ${shown}: write numbers with a unit (h, m, s, ms), such as "15s", or "infinity"`,
    };
  }
  const ms = sumOf(text);
  if (ms > maxMs) return { error: `duration ${JSON.stringify(text)} is longer than 100 years` };
  return ms === 0 ? {} : { ms };
}

/** A number is told as what it is: a duration without its unit. */
function durationLike(pattern: string, what: string): z.ZodString {
  const error = `must be ${what}`;
  return z
    .string({ error: ({ input }) => (typeof input === "number" ? error : undefined) })
    .max(maxLength)
    .regex(new RegExp(`^(?:${pattern})$`), {
      error: ({ input }) => (String(input).startsWith("-") ? `${error}; negative values are not allowed` : error),
    });
}

/** Contour's pattern of timeouts: Go units or `infinity`. A bare 0 is refused, as its CRD does; 100 years are for the reader to check. */
export const timeout = durationLike(
  `${goDuration}|infinity|infinite`,
  'a duration with a unit such as "15s", or "infinity"',
).brand<"Timeout">();

const isInTime = (text: string): boolean => sumOf(text) <= maxMs;
const tooLong = { error: "must be at most 100 years" };

/** The same without `infinity`. */
export const finiteDuration = durationLike(goDuration, 'a duration with a unit such as "15s"')
  .refine(isInTime, tooLong)
  .brand<"Duration">();

/** The age of a CORS answer: a duration or `0`. */
export const maxAge = durationLike(`${goDuration}|0`, 'a duration with a unit such as "10m", or "0"')
  .refine(isInTime, tooLong)
  .brand<"Duration">();

/** Durations of the Gateway API (GEP-2257). */
export const gatewayDuration = z
  .string()
  .regex(/^(?:\d{1,5}(?:h|m|s|ms)){1,4}$/, { error: 'must be a duration such as "10s" or "1m30s"' })
  .brand<"Duration">();

/** A timeout of the settings, which may be empty or zero. */
export const settingsTimeout = z
  .string()
  .refine((value) => readTimeout(value).error === undefined, {
    error: 'must be a duration such as "15s", or "infinity"',
  })
  .brand<"Timeout">();
