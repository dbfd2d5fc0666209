/** What a scan of a regular expression finds, without compiling it. */
export interface RegexProgram {
  /** RE2's program in Envoy: instructions, at least as many as there are. */
  readonly size: number;
  /** An expression of the same syntax that is cheap to compile: short repetitions, no case folding, no Unicode classes. */
  readonly skeleton: string;
}

/** Unicode classes that every RE2 knows; scripts that are younger than Envoy's RE2 would cost the whole route table. */
const unicodeClass =
  /^(?:[CLMNPSZ][a-z]?|Any|Latin|Greek|Cyrillic|Armenian|Hebrew|Arabic|Devanagari|Bengali|Tamil|Telugu|Thai|Georgian|Hangul|Hiragana|Katakana|Han|Common|Inherited)$/;

/** RE2 refuses what repeats more often, also by repetitions within each other (`kMaxRepeat` of its parser). */
const maxRepeat = 1000;
/** Envoy takes as long to parse a Unicode class as for so many instructions, though its program has about eight. */
const unicodeClassSize = 100;
/** A class of bytes has this many ranges at most, an instruction each. */
const maxRanges = 128;
/** Start, end and the search for a match. */
const frameSize = 8;

class RegexError extends Error {}

/** The UTF-8 of a text, a character for each byte: as Envoy's RE2 reads it. */
function bytesOf(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/**
 * Scans an expression once, from its start to its end. What is not valid RE2 may pass: compiling the skeleton finds it.
 * Returns what is wrong as text: what would take Envoy long, or what the compiler of the skeleton takes and Envoy's RE2 does not.
 */
export function scanRegex(expression: string): RegexProgram | string {
  try {
    return new Scan(isAscii(expression) ? expression : bytesOf(expression)).run();
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
}

/** A group or the whole: instructions so far, those of its last part, and how often its parts are repeated within each other. */
interface Group {
  size: number;
  last: number;
  lastRepeats: number;
  repeats: number;
  readonly captures: boolean;
  /** Whether case is ignored after the group. */
  readonly foldAfter: boolean;
}

const repetition = /\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\}/y;
const flags = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y;
const groupName = /\(\?P?<\w+>/y;
const escaped = /\\(?:[pP](?:\{\^?([^{}]*)\}|(.))|x\{([0-9A-Fa-f]+)\}|x..|([0-7]{1,3})|(.))/sy;
const posixClass = /\[:\^?\w+:\]/y;

class Scan {
  #at = 0;
  #skeleton = "";
  #fold = false;
  #repeated = false;
  readonly #groups: Group[] = [newGroup(false, false)];

  constructor(private readonly text: string) {}

  run(): RegexProgram {
    while (this.#at < this.text.length) this.#step();
    let size = frameSize;
    for (const group of this.#groups) size += group.size;
    return { size, skeleton: this.#skeleton };
  }

  get #group(): Group {
    return this.#groups.at(-1) as Group;
  }

  #step(): void {
    const character = this.text[this.#at];
    const repeated = this.#repeated;
    this.#repeated = false;
    if (character === "(") this.#open();
    else if (character === ")") this.#close();
    else if (character === "[") this.#class();
    else if (character === "\\") this.#escape();
    else if (character === "{") this.#counted();
    else if (character === "*" || character === "+" || character === "?") this.#operator(character, repeated);
    else if (character === ".") this.#part(2, 1);
    else this.#part(this.#literalSize, 1);
  }

  /** A letter has an instruction for each case, and some have a third letter, as one range with another. */
  get #literalSize(): number {
    return this.#fold ? 2 : 1;
  }

  /** Takes so many characters as they are. */
  #copy(length: number): void {
    this.#skeleton += this.text.slice(this.#at, this.#at + length);
    this.#at += length;
  }

  /** A part of so many instructions. */
  #part(size: number, length: number): void {
    this.#add(size, 1);
    this.#copy(length);
  }

  #add(size: number, repeats: number): void {
    const group = this.#group;
    group.size += size;
    group.last = size;
    group.lastRepeats = repeats;
    group.repeats = Math.max(group.repeats, repeats);
  }

  /** Matches at the place where the scan is. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text) ?? undefined;
  }

  #open(): void {
    const flagged = this.#match(flags);
    if (!flagged) {
      this.#groups.push(newGroup(true, this.#fold));
      this.#copy(this.#match(groupName)?.[0].length ?? 1);
      return;
    }
    const [whole, on = "", off = "", end] = flagged;
    const fold = !off.includes("i") && (this.#fold || on.includes("i"));
    if (end === ":") this.#groups.push(newGroup(false, this.#fold));
    this.#fold = fold;
    this.#skeleton += whole.replaceAll("i", "s");
    this.#at += whole.length;
  }

  #close(): void {
    if (this.#groups.length > 1) {
      const { size, repeats, captures, foldAfter } = this.#groups.pop() as Group;
      this.#fold = foldAfter;
      this.#add(Math.max(1, size) + (captures ? 2 : 0), repeats);
    }
    this.#copy(1);
  }

  /** A `?` after another operator makes that one lazy. */
  #operator(operator: string, repeated: boolean): void {
    if (!repeated || operator !== "?") {
      this.#grow(operator === "+" ? 2 : 1);
      this.#repeated = true;
    }
    this.#copy(1);
  }

  #grow(more: number): void {
    const group = this.#group;
    group.size += more;
    group.last += more;
  }

  #counted(): void {
    const found = this.#match(repetition);
    if (!found) {
      this.#part(this.#literalSize, 1);
      return;
    }
    const [whole, least = "", comma, most] = found;
    const from = Number(least);
    const to = most === undefined ? from : Number(most);
    if (from > maxRepeat || to > maxRepeat || to < from) {
      // Compiling the skeleton tells what is wrong with it.
      this.#copy(whole.length);
      return;
    }
    const group = this.#group;
    const { last } = group;
    const repeats = group.lastRepeats * Math.max(1, to);
    if (repeats > maxRepeat) throw new RegexError(`it repeats a part more than ${maxRepeat} times`);
    group.lastRepeats = repeats;
    group.repeats = Math.max(group.repeats, repeats);
    const open = comma !== undefined && most === undefined ? 1 : 0;
    this.#grow(Math.max(0, last * (Math.max(from, to, 1) - 1) + (to - from) + open));
    this.#repeated = true;
    const short = (count: string): string => String(Math.min(2, Number(count)));
    this.#skeleton += `{${short(least)}${comma ?? ""}${most === undefined ? "" : short(most)}}`;
    this.#at += whole.length;
  }

  #escape(): void {
    if (this.text.startsWith("\\Q", this.#at)) this.#quoted();
    else this.#add(this.#escapedSize(), 1);
  }

  /** Takes an escape sequence; returns its instructions, of which a class has one for each range. */
  #escapedSize(): number {
    const found = this.#match(escaped);
    const [whole = "\\", braced, letter, hex, octal, single] = found ?? [];
    const unicode = braced ?? letter;
    if (single === "C") throw new RegexError("\\C is not supported");
    if (octal !== undefined && Number.parseInt(octal, 8) > 255)
      throw new RegexError(`\\${octal} is more than a byte`);
    if (hex !== undefined && Number.parseInt(hex, 16) > 255)
      throw new RegexError(`\\x{${hex}} is more than a byte: write the character itself`);
    if (unicode === undefined) {
      this.#copy(whole.length);
      return perlSizes[single ?? ""] ?? this.#literalSize;
    }
    if (!unicodeClass.test(unicode))
      throw new RegexError(`\\p{${unicode.slice(0, 40)}} is no Unicode class that is supported`);
    if (this.#fold)
      throw new RegexError(
        `\\p{${unicode}} where case is ignored takes Envoy too long: put it outside of (?i)`,
      );
    this.#skeleton += "\\d";
    this.#at += whole.length;
    return unicodeClassSize;
  }

  /** `\Q…\E`: all between is literal. */
  #quoted(): void {
    const end = this.text.indexOf("\\E", this.#at + 2);
    const stop = end < 0 ? this.text.length : end;
    const length = stop - this.#at - 2;
    this.#add(Math.max(1, this.#literalSize * length), 1);
    // An operator after it is for the last character alone.
    this.#group.last = this.#literalSize;
    this.#copy(Math.min(this.text.length, stop + 2) - this.#at);
  }

  #class(): void {
    let ranges = 0;
    let unicode = 0;
    /** Whether what comes next is the end of a range, and whether a range may begin with what came last. */
    let ends = false;
    let begins = false;
    this.#copy(1);
    if (this.text[this.#at] === "^") {
      ranges++;
      this.#copy(1);
    }
    const start = this.#at;
    while (this.#at < this.text.length && (this.text[this.#at] !== "]" || this.#at === start)) {
      const character = this.text[this.#at];
      const isDash: boolean = begins && character === "-" && this.text[this.#at + 1] !== "]";
      if (isDash) this.#copy(1);
      else {
        const size = this.#classItemSize();
        if (size >= unicodeClassSize) unicode += size;
        else ranges += ends ? size - 1 : size;
      }
      begins = !isDash && !ends && character !== "\\" && character !== "[";
      ends = isDash;
    }
    this.#part(Math.max(1, Math.min(maxRanges, ranges)) + unicode, 1);
  }

  /** Takes a character, an escape sequence or a named class; returns its ranges. */
  #classItemSize(): number {
    const posix = this.#match(posixClass);
    if (posix) {
      this.#copy(posix[0].length);
      return posixRanges;
    }
    if (this.text[this.#at] === "\\") return this.#escapedSize();
    this.#copy(1);
    return this.#literalSize;
  }
}

/** Ranges that a class such as `[:punct:]` has at most. */
const posixRanges = 5;
/** Ranges of the classes with one letter, with those that their complements have. */
const perlSizes: Readonly<Record<string, number>> = { d: 1, D: 2, s: 3, S: 4, w: 4, W: 5 };

const newGroup = (captures: boolean, foldAfter: boolean): Group => ({
  size: 0,
  last: 1,
  lastRepeats: 1,
  repeats: 1,
  captures,
  foldAfter,
});
