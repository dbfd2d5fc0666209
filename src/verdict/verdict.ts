import { plural } from "../schema/words.js";
import { ago } from "./ago.js";
import type { EnvoyCounts, Overview } from "./overview.js";

export type Level = "good" | "warning" | "bad";

/** One statement of the verdict, and the view of the page with the details. */
export interface VerdictPart {
  readonly level: Level;
  readonly text: string;
  readonly view: "hosts" | "problems" | "envoys" | "changes";
}

export interface ServerVerdict {
  readonly level: Level;
  /** The level as text, because many readers can't rely on a colour. */
  readonly word: string;
  readonly parts: readonly VerdictPart[];
}

interface Clock {
  /** Milliseconds since the epoch, by the clock of the overview. */
  readonly now: number;
  /** Formats a time as the time of day in the reader's time zone. */
  time(at: number): string;
}

/** An Envoy gets a new configuration within some seconds. After this time without it, the Envoy is late. */
const lateMs = 60_000;
const words: Readonly<Record<Level, string>> = {
  good: "All is served",
  warning: "Look into this",
  bad: "Act now",
};
const ranks: readonly Level[] = ["good", "warning", "bad"];

const count = (number: number): string => number.toLocaleString("en-US");
const counted = (number: number, noun: string): string => plural(number, noun).replace(/^\d+/, count(number));

/**
 * The state of a server in one line. The level is `bad` if traffic does not get the intended configuration: nothing is
 * published, an Envoy rejects a version, or a response can't be sent. It is `warning` if objects have errors, Envoys
 * are late, or the served configuration may be outdated.
 */
export function verdictOf(overview: Overview, clock: Clock): ServerVerdict {
  const { ready, pending, hosts, findings, envoys, notices, last } = overview;
  const parts: VerdictPart[] = [
    ready
      ? { level: "good", text: counted(hosts, "host"), view: "hosts" }
      : { level: "bad", text: "nothing is published yet", view: "problems" },
    errorsPart(findings),
    envoysPart(envoys, clock),
    ...notices.map(({ level, text }): VerdictPart => ({ level, text, view: "problems" })),
    ...(pending > 0
      ? [{ level: "good", text: `${counted(pending, "unit")} left to compile`, view: "changes" } as const]
      : []),
    ...(last ? [{ level: "good", text: lastChange(last, clock), view: "changes" } as const] : []),
  ];
  const level = parts.reduce<Level>(
    (worst, part) => (ranks.indexOf(part.level) > ranks.indexOf(worst) ? part.level : worst),
    "good",
  );
  return { level, word: words[level], parts };
}

function errorsPart({ errors, warnings, objects }: Overview["findings"]): VerdictPart {
  const view = "problems";
  if (errors > 0)
    return { level: "warning", text: `${counted(errors, "error")} in ${counted(objects, "object")}`, view };
  return {
    level: "good",
    text: warnings > 0 ? `no errors, ${counted(warnings, "warning")}` : "no errors",
    view,
  };
}

function envoysPart(envoys: EnvoyCounts, { now, time }: Clock): VerdictPart {
  const { total, current, behind, never, refusals, away, waitingSince } = envoys;
  const view = "envoys";
  if (total === 0)
    return {
      level: "good",
      text: away > 0 ? `no Envoy polls, ${count(away)} did before` : "no Envoy polls",
      view,
    };
  const isLate = waitingSince !== undefined && now - waitingSince > lateMs;
  const states = [
    ...(current > 0 ? [`${count(current)} current`] : []),
    ...refusals.map(
      ({ type, since, count: refusing }) => `${count(refusing)} refuses ${type} since ${time(since)}`,
    ),
    ...(behind > 0 ? [`${count(behind)} behind`] : []),
    ...(never > 0 ? [`${count(never)} without configuration`] : []),
  ];
  const level = refusals.length > 0 ? "bad" : isLate ? "warning" : "good";
  return { level, text: `${counted(total, "Envoy")}: ${states.join(", ")}`, view };
}

function lastChange({ at, source, revision, by }: NonNullable<Overview["last"]>, { now }: Clock): string {
  const where = [source, revision === undefined ? undefined : `revision ${revision}`]
    .filter(Boolean)
    .join(", ");
  const who = by ? ` by ${by}${where ? ` (${where})` : ""}` : where ? ` from ${where}` : "";
  return `last change ${ago(at, now)}${who}`;
}

/** The verdict as one line of text. */
export const verdictLine = ({ word, parts }: ServerVerdict): string =>
  `${word}: ${parts.map(({ text }) => text).join(" · ")}`;
