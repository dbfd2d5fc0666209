/** The result of a scan of a regular expression, without compiling it. */
export interface RegexProgram {
  /** Instructions of RE2's program in Envoy; an upper bound. */
  readonly size: number;
  /**
   * A short expression that is valid exactly if this one is: without parts that are certainly valid, such as a
   * character or a group of these, and with short repetitions, no case folding and no Unicode classes.
   */
  readonly skeleton: string;
}

/**
 * Unicode classes that every version of RE2 supports. Others, such as `Cn` or scripts newer than Envoy's RE2, would
 * make Envoy refuse the whole route table.
 */
const unicodeClass =
  /^(?:C[cfos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?|Any|Latin|Greek|Cyrillic|Armenian|Hebrew|Arabic|Devanagari|Bengali|Tamil|Telugu|Thai|Georgian|Hangul|Hiragana|Katakana|Han|Common|Inherited)$/;

/** RE2 refuses more repetitions, also as the product of nested ones (`kMaxRepeat` of its parser). */
const maxRepeat = 1000;
/** Envoy parses a Unicode class as slowly as this many instructions, although its program has about eight. */
const unicodeClassSize = 100;
/** The maximum number of ranges of a class of bytes; each is an instruction. */
const maxRanges = 128;
/** Instructions for start, end and the search for a match. */
const frameSize = 8;

class RegexError extends Error {}

/** The UTF-8 bytes of a text, one character for each byte, as Envoy's RE2 reads it. */
function bytesOf(text: string): string {
  let bytes = "";
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/**
 * Scans an expression once, from start to end. Some expressions that are not valid RE2 pass: compiling the skeleton
 * rejects these. Returns a problem as text for an expression that is slow in Envoy, or that the compiler of the
 * skeleton accepts and Envoy's RE2 refuses.
 */
export function scanRegex(expression: string): RegexProgram | string {
  try {
    return new Scan(isAscii(expression) ? expression : bytesOf(expression)).run();
  } catch (error) {
    if (error instanceof RegexError) return error.message;
    throw error;
  }
}

/**
 * A group or the whole expression: its instructions so far, those of its last part, and the product of nested
 * repetitions.
 */
interface Group {
  size: number;
  last: number;
  lastRepeats: number;
  repeats: number;
  readonly captures: boolean;
  /** Whether case is ignored after the group. */
  readonly foldAfter: boolean;
  /** Its start in the skeleton; undefined for named groups, whose names must be unique, and for invalid groups. */
  readonly start: number | undefined;
}

const repetition = /\{(0|[1-9]\d{0,3})(?:(,)(0|[1-9]\d{0,3})?)?\}/y;
const flags = /\(\?([imsU]*)(?:-([imsU]+))?([:)])/y;
const groupName = /\(\?P?<\w+>/y;
const escaped = /\\(?:[pP](?:\{\^?([^{}]*)\}|(.))|x\{([0-9A-Fa-f]+)\}|x..|([0-7]{1,3})|(.))/sy;
/** An escape whose meaning changes if digits or a brace follow it. */
const goesOn = /^\\[x0-7]/;
const posixClass = /\[:\^?\w+:\]/y;

class Scan {
  #at = 0;
  readonly #skeleton: string[] = [];
  #fold = false;
  /** Whether the last part has an operator, and whether that is lazy. */
  #repeated: "no" | "once" | "lazily" = "no";
  /** The start of the last part in the skeleton, if the part and its operators so far are certainly valid. */
  #valid: number | undefined;
  readonly #validClasses = new Set<string>();
  readonly #groups: Group[] = [newGroup(false, false)];

  constructor(private readonly text: string) {}

  run(): RegexProgram {
    while (this.#at < this.text.length) this.#step();
    this.#leaveOut();
    let size = frameSize;
    for (const group of this.#groups) size += group.size;
    return { size, skeleton: this.#skeleton.join("") };
  }

  get #group(): Group {
    return this.#groups.at(-1) as Group;
  }

  #step(): void {
    const character = this.text[this.#at] ?? "";
    if (character === "*" || character === "+" || character === "?") {
      this.#operator(character);
      return;
    }
    if (character === "{") {
      this.#counted();
      return;
    }
    this.#repeated = "no";
    // An operator after flags applies to the part before them.
    if (character === "(" && this.#match(flags)?.[3] === ")") this.#valid = undefined;
    this.#leaveOut();
    if (character === "(") this.#open();
    else if (character === ")") this.#close();
    else if (character === "[") this.#class();
    else if (character === "\\") this.#escape();
    else if (character === "|") this.#alternative();
    else {
      if (surelyValid.test(character)) this.#valid = this.#skeleton.length;
      this.#part(character === "." ? 2 : this.#literalSize, 1);
    }
  }

  /**
   * Removes the last part from the skeleton if it is valid. The text after it must not extend an escape before it:
   * `\1\.1` must not become `\11`.
   */
  #leaveOut(): void {
    if (this.#valid !== undefined) {
      this.#skeleton.length = this.#valid;
      if (goesOn.test(this.#skeleton.at(-1) ?? "")) this.#skeleton.push("(?:)");
    }
    this.#valid = undefined;
  }

  #alternative(): void {
    if (this.#skeleton.at(-1) === "|") {
      this.#add(1, 1);
      this.#at++;
    } else this.#part(1, 1);
  }

  /**
   * Ignoring case, a letter has two instructions. Some letters have a third form, which shares a range with another
   * one.
   */
  get #literalSize(): number {
    return this.#fold ? 2 : 1;
  }

  /** Copies `length` characters to the skeleton. */
  #copy(length: number): void {
    if (length > 0) this.#skeleton.push(this.text.slice(this.#at, this.#at + length));
    this.#at += length;
  }

  /** Adds a part of `size` instructions and `length` characters. */
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

  /** Matches at the current position. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.text) ?? undefined;
  }

  #open(): void {
    const flagged = this.#match(flags);
    if (!flagged) {
      const name = this.#match(groupName)?.[0];
      if (name === undefined && this.text.startsWith("(?", this.#at)) {
        // Not a group of RE2: compiling the skeleton rejects it.
        this.#copy(this.text.length);
        return;
      }
      this.#groups.push(newGroup(true, this.#fold, name === undefined ? this.#skeleton.length : undefined));
      this.#copy(name?.length ?? 1);
      return;
    }
    const [whole, on = "", off = "", end] = flagged;
    const fold = !off.includes("i") && (this.#fold || on.includes("i"));
    if (end === ":") this.#groups.push(newGroup(false, this.#fold, this.#skeleton.length));
    this.#fold = fold;
    this.#skeleton.push(whole.replaceAll("i", "s"));
    this.#at += whole.length;
  }

  #close(): void {
    if (this.#groups.length > 1) {
      const { size, repeats, captures, foldAfter, start } = this.#groups.pop() as Group;
      this.#fold = foldAfter;
      const inner = this.#skeleton.slice((start ?? 0) + 1);
      if (start !== undefined && (inner.length === 0 || (inner.length === 1 && inner[0] === "|")))
        this.#valid = start;
      this.#add(Math.max(1, size) + (captures ? 2 : 0), repeats);
    }
    this.#copy(1);
  }

  /** A `?` after another operator makes that one lazy. */
  #operator(operator: string): void {
    if (this.#repeated === "once" && operator === "?") this.#repeated = "lazily";
    else {
      this.#grow(operator === "+" ? 2 : 1);
      this.#repeat();
    }
    this.#copy(1);
  }

  /** A second operator is not valid. */
  #repeat(): void {
    if (this.#repeated !== "no") this.#valid = undefined;
    this.#repeated = "once";
  }

  #grow(more: number): void {
    const group = this.#group;
    group.size += more;
    group.last += more;
  }

  #counted(): void {
    const found = this.#match(repetition);
    if (!found) {
      this.#repeated = "no";
      this.#valid = undefined;
      this.#part(this.#literalSize, 1);
      return;
    }
    const [whole, least = "", comma, most] = found;
    const from = Number(least);
    const to = most === undefined ? from : Number(most);
    if (from > maxRepeat || to > maxRepeat || to < from) {
      // Compiling the skeleton rejects it.
      this.#valid = undefined;
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
    this.#repeat();
    const short = (count: string): string => String(Math.min(2, Number(count)));
    this.#skeleton.push(`{${short(least)}${comma ?? ""}${most === undefined ? "" : short(most)}}`);
    this.#at += whole.length;
  }

  #escape(): void {
    if (this.text.startsWith("\\Q", this.#at)) {
      this.#quoted();
      return;
    }
    const start = this.#skeleton.length;
    const { size, isValid } = this.#escaped();
    this.#add(size, 1);
    if (isValid) this.#valid = start;
  }

  /** Reads an escape sequence. Its size is the number of its instructions: one per range for a class. */
  #escaped(): { size: number; isValid: boolean } {
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
      const size = perlSizes[single ?? ""];
      return {
        size: size ?? this.#literalSize,
        isValid: size !== undefined || isPunctuation.test(single ?? ""),
      };
    }
    if (!unicodeClass.test(unicode))
      throw new RegexError(`\\p{${unicode.slice(0, 40)}} is not a supported Unicode class`);
    if (this.#fold)
      throw new RegexError(`\\p{${unicode}} with ignored case is too slow in Envoy: move it outside of (?i)`);
    this.#skeleton.push("\\d");
    this.#at += whole.length;
    return { size: unicodeClassSize, isValid: true };
  }

  /** `\Q…\E`: the text between is literal. */
  #quoted(): void {
    const end = this.text.indexOf("\\E", this.#at + 2);
    const stop = end < 0 ? this.text.length : end;
    const length = stop - this.#at - 2;
    this.#add(Math.max(1, this.#literalSize * length), 1);
    // An operator behind it applies to its last character alone.
    this.#group.last = this.#literalSize;
    this.#copy(Math.min(this.text.length, stop + 2) - this.#at);
  }

  #class(): void {
    let ranges = 0;
    let unicode = 0;
    /** Whether the next item ends a range, and whether the last item may start one. */
    let ends = false;
    let begins = false;
    const [from, first] = [this.#at, this.#skeleton.length];
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
    // A class that equals an earlier one has the same validity.
    const written = this.text.slice(from, this.#at);
    if (this.#validClasses.has(written)) this.#valid = first;
    else this.#validClasses.add(written);
  }

  /** Reads a character, an escape sequence or a named class; returns the number of its ranges. */
  #classItemSize(): number {
    const posix = this.#match(posixClass);
    if (posix) {
      this.#copy(posix[0].length);
      return posixRanges;
    }
    if (this.text[this.#at] === "\\") return this.#escaped().size;
    this.#copy(1);
    return this.#literalSize;
  }
}

/** Literal characters, and `.`. */
const surelyValid = /^[A-Za-z0-9 !"#%&',/:;<=>@_`~.\x80-\xff-]$/;
const isPunctuation = /^[!-/:-@[-`{-~]$/;

/** The maximum number of ranges of a class such as `[:punct:]`. */
const posixRanges = 5;
/** The number of ranges of one-letter classes and their complements. */
const perlSizes: Readonly<Record<string, number>> = { d: 1, D: 2, s: 3, S: 4, w: 4, W: 5 };

const newGroup = (captures: boolean, foldAfter: boolean, start?: number): Group => ({
  start,
  size: 0,
  last: 1,
  lastRepeats: 1,
  repeats: 1,
  captures,
  foldAfter,
});
