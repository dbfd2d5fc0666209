import { setTimeout as sleep } from "node:timers/promises";
import { printable } from "../schema/printable.js";
import { messageOf } from "../schema/words.js";
import type { EnvoyPage } from "../server/envoys.js";
import type { FindingGroups } from "../server/findings.js";
import type { Overview } from "../verdict/overview.js";
import { type Level, verdictLine, verdictOf } from "../verdict/verdict.js";
import { isColoured, paint } from "./colour.js";
import { askServer, type ServerAccess } from "./server-url.js";
import { envoyTable, gatewayTable, pollsLine, problemLines } from "./status-text.js";

/** The options of `isoline status` as commander passes them. */
export interface StatusCommandOptions extends ServerAccess {
  readonly xds: string;
  readonly watch?: boolean;
  /** The lowest level with exit code 1. */
  readonly failOn: "warning" | "bad" | "never";
  readonly format: "text" | "json";
}

interface State {
  readonly overview: Overview;
  readonly envoys: EnvoyPage;
  readonly problems: FindingGroups;
}

const watchMs = 2000;
const maxEnvoys = 50;
const colours: Readonly<Record<Level, "good" | "warning" | "error">> = {
  good: "good",
  warning: "warning",
  bad: "error",
};

/** `isoline status`: prints the verdict on a running server, its Envoys and its problems. Returns the exit code. */
export async function statusCommand(options: StatusCommandOptions): Promise<number> {
  if (options.watch) return watch(options);
  const state = await stateOf(options);
  process.stdout.write(formatted(state, options));
  return codeOf(state.overview, options);
}

async function stateOf(options: StatusCommandOptions): Promise<State> {
  const ask = (path: string): Promise<unknown> => askServer("--xds", options.xds, path, options);
  return {
    overview: (await ask("overview")) as Overview,
    envoys: (await ask(`envoys?limit=${maxEnvoys}`)) as EnvoyPage,
    problems: (await ask("findings")) as FindingGroups,
  };
}

const time = (at: number): string => new Date(at).toTimeString().slice(0, 5);

function formatted(state: State, { format }: StatusCommandOptions): string {
  const { overview, envoys, problems } = state;
  const verdict = verdictOf(overview, { now: overview.now, time });
  if (format === "json") return `${JSON.stringify({ verdict, ...state }, null, 2)}\n`;
  const line = printable(verdictLine(verdict));
  const lines = [
    isColoured(process.stdout) ? paint(line, colours[verdict.level]) : line,
    ...(overview.gatewayCount > 0 ? ["", ...gatewayTable(overview)] : []),
    ...(envoys.total > 0 ? ["", ...envoyTable(envoys, overview.now)] : []),
    ...(envoys.polls ? ["", pollsLine(envoys.polls)] : []),
    ...(problems.total > 0 ? ["", ...problemLines(problems)] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function codeOf(overview: Overview, { failOn }: StatusCommandOptions): number {
  const { level } = verdictOf(overview, { now: overview.now, time });
  const failing: readonly Level[] = failOn === "never" ? [] : failOn === "bad" ? ["bad"] : ["bad", "warning"];
  return failing.includes(level) ? 1 : 0;
}

/** Prints the state whenever it changes, until the process ends. Tries again if the server can't be reached. */
async function watch(options: StatusCommandOptions): Promise<never> {
  const clear = process.stdout.isTTY ? "\u001b[2J\u001b[H" : "";
  let before = "";
  for (;;) {
    let text: string;
    try {
      text = formatted(await stateOf(options), options);
    } catch (error) {
      text = `${messageOf(error)}\n`;
    }
    // A terminal is redrawn every time, so that the ages stay current; a file gets the state only after a change.
    const isNew = process.stdout.isTTY || withoutAges(text) !== before;
    before = withoutAges(text);
    if (isNew) process.stdout.write(clear + text);
    await sleep(watchMs);
  }
}

const withoutAges = (text: string): string => text.replace(/\d+ (?:s|min|h|d) ago|"(?:now|seen)": \d+/g, "");
