import { RE2JS } from "re2js";
import { memoizedLast } from "../../schema/memoized.js";
import { messageOf } from "../../schema/words.js";
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

/** What an entry of a memory takes beside its texts. */
const entryBytes = 200;
const sizeOf = (text: string): number => 2 * text.length + entryBytes;

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

const check = memoizedLast(
  (expression: string): Checked => {
    const program = scanRegex(expression);
    return typeof program === "string" ? { size: 0, skeleton: "", problem: program } : { ...program };
  },
  { maxSize: 4_000_000, sizeOf },
);

/** What RE2 says of a skeleton, empty when it is valid. Many expressions have the same one. */
const compile = memoizedLast(
  (skeleton: string): string => {
    try {
      RE2JS.compile(skeleton);
      return "";
    } catch (error) {
      return messageOf(error);
    }
  },
  { maxSize: 1_000_000, sizeOf },
);

function syntaxProblem(skeleton: string, expression: string): string | undefined {
  const message = compile(skeleton);
  if (message === "") return undefined;
  // The message quotes the skeleton, which may not be what was written.
  const quoted = /: `(.*)`$/s.exec(message);
  if (!quoted) return message;
  const what = message.slice(0, quoted.index);
  if (quoted[1] === skeleton) return `${what}: \`${expression}\``;
  return expression.includes(quoted[1] ?? "") ? message : what;
}
