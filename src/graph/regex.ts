import { RE2JS } from "re2js";
import { LruCache } from "./lru-cache.js";
import { scanRegex } from "./regex-program.js";

const maxLength = 4096;
/** What is known of an expression. */
interface Checked {
  /** Instructions of its program. */
  readonly size: number;
  /** Cleared once it is compiled. */
  skeleton: string;
  /** Why it is refused; undefined also before it is compiled. */
  problem?: string;
}

/** What an entry of the cache takes beside its texts. */
const entryBytes = 200;
const cache = new LruCache<Checked>(4_000_000, (expression) => 2 * expression.length + entryBytes);

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
  if (checked.skeleton !== "") {
    const problem = syntaxProblem(checked.skeleton, expression);
    checked.skeleton = "";
    if (problem !== undefined) checked.problem = problem;
  }
  return checked.problem;
}

/** Instructions of an expression's program, at least as many as RE2 makes of it; 0 for one that is refused anyway. */
export const regexProgramSize = (expression: string): number =>
  expression.length > maxLength ? 0 : check(expression).size;

function check(expression: string): Checked {
  const known = cache.get(expression);
  if (known) return known;
  const program = scanRegex(expression);
  const checked: Checked =
    typeof program === "string" ? { size: 0, skeleton: "", problem: program } : { ...program };
  cache.set(expression, checked);
  return checked;
}

function syntaxProblem(skeleton: string, expression: string): string | undefined {
  try {
    RE2JS.compile(skeleton);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The message quotes the skeleton, which may not be what was written.
    const quoted = /: `(.*)`$/s.exec(message);
    if (!quoted) return message;
    const what = message.slice(0, quoted.index);
    if (quoted[1] === skeleton) return `${what}: \`${expression}\``;
    return expression.includes(quoted[1] ?? "") ? message : what;
  }
}
