import { pino } from "pino";
import type { LogLevel } from "../../log/events.js";
import { type Log, logTo } from "../../log/log.js";

export const logFormats = ["auto", "text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LoggerOptions {
  /** `auto`: text on a terminal, JSON elsewhere. */
  readonly format: LogFormat;
  readonly level: LogLevel;
  readonly isTerminal: boolean;
  /** Receives one line, without its end. */
  write(line: string): void;
}

/** A line as pino writes it. */
interface PinoLine {
  readonly level: string;
  readonly time: string;
  readonly event: string;
  readonly message: string;
}

/** For people: the time, the level, the message and its event. The message has what the fields have. */
const textOf = ({ time, level, event, message }: PinoLine): string =>
  `${time} ${level.toUpperCase().padEnd(5)} ${message} [${event}]`;

/**
 * The log of a server: lines of JSON by pino, or text. Lines are written at once, without pino's threads, so that the
 * last line before the end of the process is not lost.
 */
export function createLog({ format, level, isTerminal, write }: LoggerOptions): Log {
  const isText = format === "text" || (format === "auto" && isTerminal);
  const written = (line: string): void =>
    write(isText ? textOf(JSON.parse(line) as PinoLine) : line.trimEnd());
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: written },
  );
  return logTo(level, ({ level: own, event, message, fields }) => logger[own]({ event, ...fields }, message));
}
