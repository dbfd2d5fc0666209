import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname } from "node:path";
import { formatEnvoyVersion } from "../../../src/xds/envoy-version.js";
import { testedEnvoy } from "../../support/envoy.js";
import type { Outcome } from "./experiment.js";

/** Environment of outcomes. */
interface Circumstances {
  readonly date: string;
  /** Of the server under test. */
  readonly commit: string;
  readonly node: string;
  readonly envoy: string;
  readonly machine: string;
  readonly seed: number;
}

export type Row = Outcome & Circumstances;

export async function circumstances(seed: number): Promise<Circumstances> {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: process.env.ISOLINE_COMMIT ?? commit(),
    node: process.version,
    envoy: formatEnvoyVersion(await testedEnvoy()),
    machine: `${cpus().length} cores (${first?.model.trim() ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB`,
    seed,
  };
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

export const readRows = (file: string): readonly Row[] =>
  existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as readonly Row[]) : [];

/** Replaces the rows with the same names. */
export function writeRows(file: string, rows: readonly Row[]): void {
  const others = readRows(file).filter(({ name }) => !rows.some((row) => row.name === name));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify([...others, ...rows], undefined, 2)}\n`);
}
