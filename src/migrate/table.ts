import { type FieldPath, pathOf, pathText } from "../schema/field-path.js";
import { isRecord } from "../schema/issues.js";
import type { FieldLog } from "./field.js";
import type { RemarkSeverity } from "./model.js";

/** The result for a field of a peer's object. */
export type Row =
  | { readonly verdict: "carried" | "ignored" }
  | {
      readonly verdict: "changed" | "lost";
      readonly severity: RemarkSeverity;
      readonly note: string;
      /** What the user can do about it. */
      readonly todo?: string;
      /** The field restricts access: its routes answer 503. */
      readonly closes?: true;
    };

/** The result is equivalent. */
export const carried: Row = { verdict: "carried" };
/** The field has no effect on requests. */
export const ignored: Row = { verdict: "ignored" };
/** The result is almost equivalent. The note describes the difference. */
export const changed = (note: string, severity: RemarkSeverity = "info", todo?: string): Row => ({
  verdict: "changed",
  severity,
  note,
  ...(todo ? { todo } : {}),
});
export const lost = (note: string, severity: RemarkSeverity = "warning", todo?: string): Row => ({
  verdict: "lost",
  severity,
  note,
  ...(todo ? { todo } : {}),
});
/** The field restricts access and cannot be converted. */
export const restricts = (note: string, todo?: string): Row => ({
  verdict: "lost",
  severity: "error",
  note,
  closes: true,
  ...(todo ? { todo } : {}),
});

/** The fields of one kind. */
export interface KindTable {
  /**
   * Rows by path, such as `spec.routes[].match`. `[]` is any member of a list, and `*` any key of a map. A row applies
   * to all fields below its path that have no row of their own.
   */
  readonly fields: Readonly<Record<string, Row>>;
  /** Annotations by name. Other annotations with one of `prefixes` are unknown. */
  readonly annotations?: Readonly<Record<string, Row>>;
  readonly prefixes?: readonly string[];
  /** The row of unknown annotations. Without it, they count as restrictions. */
  readonly unknown?: Row;
  /** Annotations whose names contain a value. The reader converts all of them. */
  readonly known?: RegExp;
}

/** The evaluation of one field. */
export interface Verdict {
  readonly path: FieldPath;
  readonly severity: RemarkSeverity;
  readonly message: string;
  readonly todo?: string;
  readonly closes: boolean;
}

interface Node {
  row?: Row;
  readonly below: Map<string, Node>;
}

const anyKey = "*";
const anyMember = "[]";

function treeOf({ fields }: KindTable): Node {
  const root: Node = { below: new Map() };
  for (const [path, row] of Object.entries(fields)) {
    let node = root;
    for (const step of path.replaceAll("[]", ".[]").split(".")) {
      const next = node.below.get(step) ?? { below: new Map() };
      node.below.set(step, next);
      node = next;
    }
    node.row = row;
  }
  return root;
}

/**
 * Whether a field belongs to the part at `part` or to an object that contains the part. A field of another member of
 * the same list does not.
 */
export function concerns(field: FieldPath, part: string): boolean {
  if (part === "") return true;
  for (const [i, step] of pathOf(part).entries()) {
    const other = field[i];
    if (other === undefined) return true;
    if (other !== step) return typeof other !== "number" || typeof step !== "number";
  }
  return true;
}

/** Evaluates objects of one kind by its table. */
export function judgeBy(
  table: KindTable,
): (value: Readonly<Record<string, unknown>>, log: FieldLog) => Verdict[] {
  const tree = treeOf(table);
  return (value, log) => {
    const verdicts: Verdict[] = log.problems.map(({ path, message }) => ({
      path,
      severity: "error",
      message,
      closes: true,
    }));
    for (const [key, inner] of Object.entries(value)) {
      if (key === "metadata") annotations(inner, table, log, verdicts);
      else if (!["apiVersion", "kind", "status"].includes(key))
        walk(inner, [key], tree, undefined, log, verdicts);
    }
    return verdicts;
  };
}

function annotations(metadata: unknown, table: KindTable, log: FieldLog, verdicts: Verdict[]): void {
  const given = isRecord(metadata) && isRecord(metadata.annotations) ? metadata.annotations : {};
  for (const name of Object.keys(given)) {
    const path = ["metadata", "annotations", name];
    const rows = table.annotations ?? {};
    if (Object.hasOwn(rows, name)) judge(rows[name], path, log, verdicts);
    else if (table.known?.test(name)) judge(carried, path, log, verdicts);
    else if (table.prefixes?.some((prefix) => name.startsWith(prefix)) && table.unknown)
      judge(table.unknown, path, log, verdicts);
    else if (table.prefixes?.some((prefix) => name.startsWith(prefix)))
      verdicts.push({
        path,
        severity: "error",
        message: "is no annotation that is known here; it is not converted",
        todo: "remove it where it has no effect, or write by hand what it does",
        closes: true,
      });
  }
}

/** @param row the row of the closest outer path that has one */
function walk(
  value: unknown,
  path: FieldPath,
  parent: Node | undefined,
  row: Row | undefined,
  log: FieldLog,
  verdicts: Verdict[],
): void {
  if (value === undefined || value === null) return;
  const last = path.at(-1);
  const node =
    parent?.below.get(typeof last === "number" ? anyMember : String(last)) ?? parent?.below.get(anyKey);
  const own = node?.row ?? row;
  if (node && node.below.size > 0 && (isRecord(value) || Array.isArray(value))) {
    if (node.row) {
      // Inner fields without a row of their own are evaluated by this row.
      for (const [key, inner] of entriesOf(value)) walk(inner, [...path, key], node, node.row, log, verdicts);
      return;
    }
    for (const [key, inner] of entriesOf(value)) walk(inner, [...path, key], node, own, log, verdicts);
    return;
  }
  if (!own) {
    verdicts.push({
      path,
      severity: "error",
      message: "is no field that is known here; it is not converted",
      todo: "remove it where it has no effect, or write by hand what it does",
      closes: true,
    });
    return;
  }
  judge(own, path, log, verdicts);
}

const entriesOf = (
  value: Readonly<Record<string, unknown>> | readonly unknown[],
): [string | number, unknown][] => (Array.isArray(value) ? [...value.entries()] : Object.entries(value));

function judge(row: Row | undefined, path: FieldPath, log: FieldLog, verdicts: Verdict[]): void {
  if (!row || row.verdict === "ignored") return;
  const isUsed = path.some((_, i) => log.used.has(pathText(path.slice(0, i + 1)))) || usedBelow(path, log);
  if (row.verdict !== "lost" && !isUsed)
    verdicts.push({ path, severity: "error", message: notConverted, closes: true });
  else if ("note" in row) {
    const { severity, note, todo, closes = false } = row;
    verdicts.push({ path, severity, message: note, closes, ...(todo ? { todo } : {}) });
  }
}

const notConverted = "is not converted: the object is not understood at this place";

/** A row for a whole map or list counts as read if any part of the map or list was read. */
function usedBelow(path: FieldPath, { used }: FieldLog): boolean {
  const text = pathText(path);
  if (used.has(`${text}#`)) return true;
  for (const one of used) if (one.startsWith(`${text}.`) || one.startsWith(`${text}[`)) return true;
  return false;
}
