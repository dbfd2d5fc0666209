import { RE2JS } from "re2js";

/** How often an optional or repeated part is written. */
type Times = 0 | 1;

/** Texts that a regular expression of RE2 matches completely; empty when none is found. */
export function regexExamples(regex: string): string[] {
  const compiled = RE2JS.compile(regex);
  const times: readonly Times[] = [0, 1];
  const texts = times.map((one) => new Example(regex, one).text());
  return [...new Set(texts)].filter((text) => compiled.matcher(text).matches());
}

/** Characters that a client can send unescaped, in the order of trials. */
const candidates = "x1/A-_.~aez0".concat(
  ...Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)),
);

/** Writes one text with the first of alternatives. Unknown syntax is skipped: the caller tests the text. */
class Example {
  #at = 0;

  constructor(
    private readonly regex: string,
    private readonly times: Times,
  ) {}

  text(): string {
    return this.#alternatives();
  }

  #alternatives(): string {
    const first = this.#sequence();
    while (this.regex[this.#at] === "|") {
      this.#at += 1;
      this.#sequence();
    }
    return first;
  }

  #sequence(): string {
    let text = "";
    for (
      let next = this.regex[this.#at];
      next !== undefined && next !== "|" && next !== ")";
      next = this.regex[this.#at]
    ) {
      const atom = this.#atom(next);
      text += atom.repeat(this.#quantity());
    }
    return text;
  }

  #atom(first: string): string {
    this.#at += 1;
    if (first === "(") return this.#group();
    if (first === "[") return this.#class();
    if (first === "\\") return this.#escape();
    if (first === ".") return "x";
    return first === "^" || first === "$" ? "" : first;
  }

  #group(): string {
    const flags = /^\?(?:P?<\w+>|[a-zA-Z-]*:)/.exec(this.regex.slice(this.#at));
    this.#at += flags?.[0].length ?? 0;
    const switched = /^\?[a-zA-Z-]+\)/.exec(this.regex.slice(this.#at));
    if (switched) {
      this.#at += switched[0].length;
      return "";
    }
    const text = this.#alternatives();
    this.#at += 1;
    return text;
  }

  #class(): string {
    const end = /^\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/s.exec(this.regex.slice(this.#at));
    const text = `[${end?.[0] ?? "]"}`;
    this.#at += end?.[0].length ?? this.regex.length;
    return oneOf(text);
  }

  #escape(): string {
    const escaped = this.regex[this.#at] ?? "";
    this.#at += 1;
    if (/[bBAz]/.test(escaped)) return "";
    return /[a-zA-Z]/.test(escaped) ? oneOf(`\\${escaped}`) : escaped;
  }

  #quantity(): number {
    const found = /^(?:[*+?]|\{(\d+)(?:,\d*)?\})\??/.exec(this.regex.slice(this.#at));
    if (!found) return 1;
    this.#at += found[0].length;
    if (found[1] !== undefined) return Math.min(Number(found[1]), 1000);
    return found[0].startsWith("+") ? 1 : this.times;
  }
}

/** A character of a class. */
function oneOf(text: string): string {
  try {
    const compiled = RE2JS.compile(text);
    return [...candidates].find((one) => compiled.matcher(one).matches()) ?? "";
  } catch {
    return "";
  }
}
