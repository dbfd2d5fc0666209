import { type FieldPath, pathText } from "../schema/field-path.js";
import { isRecord } from "../schema/issues.js";
import { quote } from "../schema/words.js";

/** The fields of one object that a reader has read, and the values that it could not read. */
export interface FieldLog {
  /** Paths of fields that were read, in the form of `pathText`. */
  readonly used: Set<string>;
  readonly problems: { readonly path: FieldPath; readonly message: string }[];
}

export const fieldLog = (): FieldLog => ({ used: new Set(), problems: [] });

/**
 * A field of a peer's object. Each read is recorded, so that `table.ts` finds fields that no reader has read. A value
 * of an unexpected type is a problem and reads as absent. Access to an inner field does not count as a read.
 */
export class Field {
  constructor(
    private readonly value: unknown,
    readonly path: FieldPath,
    private readonly log: FieldLog,
  ) {}

  at(...keys: FieldPath): Field {
    let value: unknown = this.value;
    for (const key of keys) {
      if (Array.isArray(value) && typeof key === "number") value = value[key] as unknown;
      else value = isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    }
    return new Field(value, [...this.path, ...keys], this.log);
  }

  get pathText(): string {
    return pathText(this.path);
  }

  /** Whether the field has a value. */
  get given(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** Whether the field has a value. The field counts as read. */
  seen(): boolean {
    this.use();
    return this.given;
  }

  /** The unchanged value. The field and all its inner fields count as read. */
  use(): unknown {
    // An absent field is not recorded.
    if (!this.given) return undefined;
    this.log.used.add(this.pathText);
    return this.value;
  }

  text(): string | undefined {
    return this.#typed("text", (value) => typeof value === "string");
  }

  /** A port number or a port name. */
  port(): number | string | undefined {
    return this.#typed<number | string>(
      "a port",
      (value) => typeof value === "string" || Number.isInteger(value),
    );
  }

  number(): number | undefined {
    return this.#typed("a number", (value) => typeof value === "number");
  }

  flag(): boolean | undefined {
    return this.#typed("true or false", (value) => typeof value === "boolean");
  }

  /** A duration: text such as `10s`, or a number in a unit that the reader defines. */
  textOrNumber(): string | number | undefined {
    return this.#typed<string | number>(
      "text or a number",
      (value) => typeof value === "string" || typeof value === "number",
    );
  }

  /** The members of a list, which are not read yet. */
  items(): Field[] {
    if (!this.given) return [];
    if (!Array.isArray(this.value)) {
      this.problem("must be a list");
      return [];
    }
    this.log.used.add(`${this.pathText}#`);
    return this.value.map((value: unknown, i) => new Field(value, [...this.path, i], this.log));
  }

  texts(): string[] {
    return this.items().flatMap((item) => item.text() ?? []);
  }

  /** The entries of a map, which are not read yet. */
  entries(): [string, Field][] {
    if (!this.given) return [];
    if (!isRecord(this.value)) {
      this.problem("must be a map");
      return [];
    }
    this.log.used.add(`${this.pathText}#`);
    return Object.entries(this.value).map(([key, value]) => [
      key,
      new Field(value, [...this.path, key], this.log),
    ]);
  }

  /** The entries of a map with text values. */
  record(): [string, string][] {
    return this.entries().flatMap(([key, field]): [string, string][] => {
      const value = field.text();
      return value === undefined ? [] : [[key, value]];
    });
  }

  problem(message: string): void {
    this.log.problems.push({ path: this.path, message });
  }

  #typed<T>(what: string, is: (value: unknown) => boolean): T | undefined {
    const value = this.use();
    if (value === undefined) return undefined;
    if (is(value)) return value as T;
    this.problem(`must be ${what}, and is ${quote(JSON.stringify(value) ?? typeof value)}`);
    return undefined;
  }
}
