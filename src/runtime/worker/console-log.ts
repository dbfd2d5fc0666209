import { type LogLevel, levels } from "../../log/events.js";
import { type Log, type LogRecord, logTo } from "../../log/log.js";

/** Writes a line of JSON to the console, at the level's method: Cloudflare shows levels and fields of such lines. */
function write({ level, event, message, fields }: LogRecord): void {
  console[level](JSON.stringify({ level, event, message, ...fields }));
}

export const consoleLog = (level: LogLevel = "info"): Log => logTo(level, write);

/** The log at the level of the environment. */
export function logFor({ ISOLINE_LOG_LEVEL: text }: { readonly ISOLINE_LOG_LEVEL?: string }): Log {
  const level = levels.find((one) => one === text);
  const log = consoleLog(level);
  if (text !== undefined && level === undefined)
    log(`ISOLINE_LOG_LEVEL: expected ${levels.join(", ")}; info is used`, "setting-ignored", {
      name: "ISOLINE_LOG_LEVEL",
    });
  return log;
}
