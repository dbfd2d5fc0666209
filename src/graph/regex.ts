import { RE2JS } from "re2js";

const maxRegex = 4096;
const checked = new Map<string, string | undefined>();

/** Unicode classes that every RE2 knows; scripts that are younger than Envoy's RE2 would cost the whole route table. */
const unicodeClass =
  /^(?:[CLMNPSZ][a-z]?|Any|Latin|Greek|Cyrillic|Armenian|Hebrew|Arabic|Devanagari|Bengali|Tamil|Telugu|Thai|Georgian|Hangul|Hiragana|Katakana|Han|Common|Inherited)$/;

/** What the library takes and RE2 does not, which in Envoy reads bytes (Latin-1): no character is above 255. */
function unsupportedEscape(expression: string): string | undefined {
  for (const [, escaped = "", octal, braced, hex] of expression.matchAll(
    /\\(.)(?:(?<=[4-7])([0-7]{2})|(?<=[pP])\{\^?([^}]*)\}|(?<=x)\{([0-9A-Fa-f]+)\})?/gs,
  )) {
    if (escaped === "C") return "\\C is not supported";
    if (octal !== undefined) return `\\${escaped}${octal} is more than a byte`;
    if (braced !== undefined && !unicodeClass.test(braced))
      return `\\${escaped}{${braced.slice(0, 40)}} is no Unicode class that is supported`;
    if (hex !== undefined && Number.parseInt(hex, 16) > 255)
      return `\\x{${hex}} is more than a byte: write the character itself`;
  }
  return undefined;
}

const tokens = /\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{(\d{1,4})(?:(,)(\d{0,4}))?\}|./gsu;
/** RE2 gives up at 699,050 instructions, of which a class takes up to two for each range that it has (seen with Envoy 1.40). */
const maxInstructions = 650_000;
/** `\pL`, the largest of the classes that have names, has this many. */
const usualClass = 16;
/** What is larger than this takes long to check. */
const maxAtoms = 20_000;

/** Whether repetitions make an expression too large for RE2. */
function isTooLarge(expression: string): boolean {
  const groups = [{ total: 0, last: 0 }];
  let widest = usualClass;
  for (const [token, least, comma, most] of expression.matchAll(tokens)) {
    const group = groups.at(-1) ?? { total: 0, last: 0 };
    if (token === "(") groups.push({ total: 0, last: 0 });
    else if (least !== undefined) {
      const times = Math.max(1, Number(most || least) + (comma && !most ? 1 : 0));
      group.total += group.last * (times - 1);
      group.last *= times;
    } else {
      const closed = token === ")" && groups.length > 1 ? groups.pop() : undefined;
      const around = groups.at(-1) ?? group;
      around.last = closed ? closed.total + 1 : 1;
      around.total += around.last;
      if (token.startsWith("[")) widest = Math.max(widest, 2 * Math.min(128, token.length));
    }
  }
  const atoms = groups.reduce((sum, { total }) => sum + total, 0);
  return atoms > maxAtoms || atoms * widest > maxInstructions;
}

/** Why RE2, Envoy's engine, refuses an expression; undefined when it takes it. */
export function regexProblem(expression: string): string | undefined {
  if (expression.length > maxRegex) return `longer than ${maxRegex} characters`;
  const unsupported = unsupportedEscape(expression);
  if (unsupported) return unsupported;
  if (checked.has(expression)) return checked.get(expression);
  let problem: string | undefined;
  if (isTooLarge(expression)) problem = "its repetitions make it too large";
  else
    try {
      RE2JS.compile(expression);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  if (checked.size > 10_000) checked.clear();
  checked.set(expression, problem);
  return problem;
}
