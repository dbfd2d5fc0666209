import { watch } from "chokidar";

/** Changes less than `quietMs` apart count as one, for at most `atMostMs`. */
const quietMs = 10;
const atMostMs = 250;

/** Calls back shortly after a change under the paths, and only after the last of several changes at once. */
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
  // `all` reports only the first of several changes of a file within 50 ms, and the file may be half written then;
  // `raw` reports each.
  watcher.on("raw", soon);
  return {
    close() {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}
