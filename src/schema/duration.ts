/** `default`: Envoy's default; `disabled`: no limit. */
export type Timeout =
  | { readonly kind: "default" }
  | { readonly kind: "disabled" }
  | { readonly kind: "ms"; readonly ms: number }
  | { readonly error: string };

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
const whole = /^(?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms?|s|us|µs|μs|ns))+$/;
const part = /(\d+(?:\.\d*)?|\.\d+)(h|ms?|s|us|µs|μs|ns)/g;
const maxLength = 100;
// A Go duration is at most 292 years; a timeout above 100 years is a mistake.
const maxMs = 100 * 365 * 24 * 3_600_000;

/**
 * Parses Contour's timeout grammar: "" and any zero (`0`, `0s`) are the default, `infinity` is no limit, other values
 * are Go durations such as `1m30s` or `1.5h`.
 */
export function parseTimeout(text: string): Timeout {
  if (text === "" || text === "0") return { kind: "default" };
  if (text === "infinity" || text === "infinite") return { kind: "disabled" };
  if (text.length > maxLength || !whole.test(text)) {
    const shown = JSON.stringify(text.slice(0, maxLength));
    return {
      error: `invalid duration ${shown}: write numbers with a unit (h, m, s, ms), such as "15s", or "infinity"`,
    };
  }
  let ms = 0;
  for (const [, amount = "0", unit = "s"] of text.matchAll(part)) ms += Number(amount) * (units[unit] ?? 0);
  if (ms > maxMs) return { error: `duration ${JSON.stringify(text)} is longer than 100 years` };
  return ms === 0 ? { kind: "default" } : { kind: "ms", ms };
}
