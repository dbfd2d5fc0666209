import { watch } from "chokidar";

/** Calls back soon after anything under the paths changes; several changes at once are one call. */
export async function watchPaths(
  paths: readonly string[],
  changed: () => void,
): Promise<{ close(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, 10);
  };
  const watcher = watch(
    paths.filter((path) => path !== "-"),
    { ignoreInitial: true, atomic: 20 },
  );
  await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  watcher.on("all", soon);
  return {
    close() {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}
