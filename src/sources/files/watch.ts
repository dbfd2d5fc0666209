import { watch } from "chokidar";

/** Changes that follow each other closer than this are one, for at most so long. */
const quietMs = 10;
const atMostMs = 250;

/** Calls back soon after anything under the paths changes, and never before the last of several changes at once. */
export async function watchPaths(
  paths: readonly string[],
  changed: () => void,
): Promise<{ close(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  let since: number | undefined;
  const call = (): void => {
    since = undefined;
    changed();
  };
  const soon = (): void => {
    since ??= performance.now();
    clearTimeout(timer);
    timer = setTimeout(call, Math.max(0, Math.min(quietMs, since + atMostMs - performance.now())));
  };
  const watcher = watch(
    paths.filter((path) => path !== "-"),
    { ignoreInitial: true, atomic: 20 },
  );
  await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  watcher.on("all", soon);
  // Of changes of a file within 50 ms `all` has the first alone, whose content may be that of a file half written; this has each.
  watcher.on("raw", soon);
  return {
    close() {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}
