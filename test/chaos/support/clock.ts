import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An experiment can't run on this machine; the message names what is missing and how to get it. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** Path of libfaketime: `$LIBFAKETIME`, or Debian's path. */
function findLibrary(): string {
  const named = process.env.LIBFAKETIME;
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib") : [];
  const places = folders.map((folder) => join("/usr/lib", folder, "faketime/libfaketime.so.1"));
  const found = [...(named ? [named] : []), ...places].find((path) => existsSync(path));
  if (found) return found;
  throw new Unavailable(
    "libfaketime is not on this machine: apt-get install faketime, or set LIBFAKETIME to the path of libfaketime.so.1",
  );
}

/** A wall clock for one process, with an offset in seconds from that of the machine. */
export interface FakeClock {
  readonly env: Readonly<Record<string, string>>;
  /** Also works for a running process. */
  set(offsetSeconds: number): void;
}

/** @throws Unavailable without libfaketime. */
export function fakeClock(folder: string, offsetSeconds: number): FakeClock {
  const file = join(folder, "clock");
  const set = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}s\n`);
  set(offsetSeconds);
  return {
    env: {
      LD_PRELOAD: findLibrary(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: "1",
      // Timers of the process are not affected, only its wall clock.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
    set,
  };
}
