import { RE2JS } from "re2js";
import { messageOf } from "../../schema/words.js";
import { LruCache } from "../core/lru-cache.js";
import { scanRegex } from "./regex-program.js";

const maxLength = 4096;
/** What is known of an expression. */
interface Checked {
  /** Instructions of its program. */
  readonly size: number;
  readonly skeleton: string;
  /** Why it is refused whatever its skeleton. */
  readonly problem?: string;
}

/** What an entry of the cache takes beside its texts. */
const entryBytes = 200;
const scanned = new LruCache<Checked>(4_000_000, (expression) => 2 * expression.length + entryBytes);
/** By skeleton: what RE2 says of it, empty when it is valid. Many expressions have the same. */
const compiled = new LruCache<string>(1_000_000, (skeleton) => 2 * skeleton.length + entryBytes);

/**
 * Why Envoy is not given an expression: its engine, RE2, refuses it, or its program has more than `maxProgramSize`
 * instructions (setting `budgets.regexProgramSize`). Undefined when it is good. A check takes as long as the text is, whatever
 * it repeats.
 */
export function regexProblem(expression: string, maxProgramSize: number): string | undefined {
  if (expression.length > maxLength) return `longer than ${maxLength} characters`;
  const checked = check(expression);
  if (checked.size > maxProgramSize)
    return `its program has ${checked.size} instructions, and may have ${maxProgramSize} (setting budgets.regexProgramSize): let it repeat less`;
  return checked.problem ?? syntaxProblem(checked.skeleton, expression);
}

/** Instructions of an expression's program, at least as many as RE2 makes of it; 0 for one that is refused anyway. */
export const regexProgramSize = (expression: string): number =>
  expression.length > maxLength ? 0 : check(expression).size;

function check(expression: string): Checked {
  const known = scanned.get(expression);
  if (known) return known;
  const program = scanRegex(expression);
  const checked: Checked =
    typeof program === "string" ? { size: 0, skeleton: "", problem: program } : { ...program };
  scanned.set(expression, checked);
  return checked;
}

function syntaxProblem(skeleton: string, expression: string): string | undefined {
  const message = compiled.get(skeleton) ?? compile(skeleton);
  compiled.set(skeleton, message);
  if (message === "") return undefined;
  // The message quotes the skeleton, which may not be what was written.
  const quoted = /: `(.*)`$/s.exec(message);
  if (!quoted) return message;
  const what = message.slice(0, quoted.index);
  if (quoted[1] === skeleton) return `${what}: \`${expression}\``;
  return expression.includes(quoted[1] ?? "") ? message : what;
}

function compile(skeleton: string): string {
  try {
    RE2JS.compile(skeleton);
    return "";
  } catch (error) {
    return messageOf(error);
  }
}
