import { appendFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { watchPaths } from "../../src/sources/files/watch.js";

/** A watched folder with a file, and what the file held when it was read last, as a server reads it. */
async function watched() {
  const folder = await mkdtemp(join(tmpdir(), "isoline-watch-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const objects = join(folder, "objects");
  const file = join(objects, "a.yaml");
  await mkdir(objects);
  await writeFile(file, "0");
  let seen = "";
  let calls = 0;
  const watcher = await watchPaths([objects], () => {
    calls++;
    void readFile(file, "utf8").then((text) => (seen = text));
  });
  onTestFinished(() => watcher.close());
  const replace = async (text: string): Promise<void> => {
    await writeFile(join(folder, "new"), text);
    await rename(join(folder, "new"), file);
  };
  const untilSeen = (text: string): Promise<void> =>
    vi.waitFor(() => expect(seen).toBe(text), { timeout: 10_000, interval: 1 });
  return { file, replace, untilSeen, calls: () => calls };
}

describe("files that are watched", () => {
  it("are read again after the last of changes that come one upon the other", async () => {
    const { replace, untilSeen } = await watched();
    for (let i = 1; i <= 40; i++) {
      await replace(String(i));
      // As soon as the change was seen comes the next.
      await untilSeen(String(i));
    }
  });

  it("are read again when a file that is written in pieces is whole", async () => {
    const { file, untilSeen } = await watched();
    for (let i = 1; i <= 12; i++) {
      await appendFile(file, String(i % 10));
      await sleep(15);
    }
    await untilSeen("0123456789012");
  });

  it("are read while changes never stop", async () => {
    const { file, calls } = await watched();
    for (const end = performance.now() + 2000; performance.now() < end && calls() < 2; )
      await appendFile(file, "1");
    expect(calls()).toBeGreaterThanOrEqual(2);
  });
});
