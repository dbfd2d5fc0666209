import { printable } from "../schema/printable.js";
import { events, type LogEvent, type LogLevel, levels } from "./events.js";

type Field = string | number | boolean | undefined | readonly Field[] | { readonly [name: string]: Field };
export type LogFields = Readonly<Record<string, Field>>;

/** Writes a line: a message for people, and for programs the event with its fields. */
export type Log = (message: string, event: LogEvent, fields?: LogFields) => void;

/** A line as it is written: its texts hold no control characters, so none can start another line. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly message: string;
  readonly fields: LogFields;
}

const longestMessage = 4000;
const longestText = 500;
const longestList = 50;

const shortened = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest)}…` : text;

function clean(field: Field): Field {
  if (typeof field === "string") return printable(shortened(field, longestText));
  if (Array.isArray(field)) return field.slice(0, longestList).map(clean);
  if (typeof field === "object") return cleanFields(field as LogFields);
  return field;
}

const cleanFields = (fields: LogFields): LogFields =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, clean(value)]),
  );

/** Makes a log of a function that writes records of a level or of a more important one. */
export const logTo =
  (level: LogLevel, write: (record: LogRecord) => void): Log =>
  (message, event, fields = {}) => {
    const own = events[event].level;
    if (levels.indexOf(own) < levels.indexOf(level)) return;
    const text = printable(shortened(message, longestMessage));
    write({ level: own, event, message: text, fields: cleanFields(fields) });
  };

/** The log of one of several followed clusters; the name is empty for a single one. */
export const logOf = (log: Log, cluster: string): Log =>
  cluster ? (message, event, fields) => log(`${cluster}: ${message}`, event, { cluster, ...fields }) : log;
