import { RE2JS } from "re2js";
import { memoizedLast } from "../../schema/memoized.js";
import { messageOf } from "../../schema/words.js";
import { scanRegex } from "./regex-program.js";

const maxLength = 4096;
/** The result of checking an expression. */
interface Checked {
  /** Instructions of its program. */
  readonly size: number;
  readonly skeleton: string;
  /** Why the expression is refused, whatever its skeleton is. */
  readonly problem?: string;
}

/** Memory of an entry in addition to its texts, in bytes. */
const entryBytes = 200;
const sizeOf = (text: string): number => 2 * text.length + entryBytes;

/**
 * Why an expression is not sent to Envoy: RE2, its engine, refuses it, or its program has more than `maxProgramSize`
 * instructions (setting `budgets.regexProgramSize`). Undefined if it is valid. The time of a check depends on the
 * length of the text, not on its repetitions.
 */
export function regexProblem(expression: string, maxProgramSize: number): string | undefined {
  if (expression.length > maxLength) return `longer than ${maxLength} characters`;
  const checked = check(expression);
  if (checked.size > maxProgramSize)
    return `its program has ${checked.size} instructions, more than ${maxProgramSize} (setting budgets.regexProgramSize): use fewer repetitions`;
  return checked.problem ?? syntaxProblem(checked.skeleton, expression);
}

/** The number of capturing groups of a valid expression. */
export const groupCount = (expression: string): number => RE2JS.compile(expression).groupCount();

/** The instructions of an expression, an upper bound of RE2's; 0 for an expression that is refused anyway. */
export const regexProgramSize = (expression: string): number =>
  expression.length > maxLength ? 0 : check(expression).size;

const check = memoizedLast(
  (expression: string): Checked => {
    const program = scanRegex(expression);
    return typeof program === "string" ? { size: 0, skeleton: "", problem: program } : { ...program };
  },
  { maxSize: 4_000_000, sizeOf },
);

/** RE2's error for a skeleton, empty if it is valid. Many expressions have the same skeleton. */
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
  // The message quotes the skeleton, which may differ from the expression.
  const quoted = /: `(.*)`$/s.exec(message);
  if (!quoted) return message;
  const what = message.slice(0, quoted.index);
  if (quoted[1] === skeleton) return `${what}: \`${expression}\``;
  return expression.includes(quoted[1] ?? "") ? message : what;
}
