import { type FSWatcher, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/**
 * Calls back soon after anything under the paths changes (several changes at once are one call). A file is watched
 * through its folder, so that an editor's rename in place is seen.
 */
export function watchPaths(paths: readonly string[], changed: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, 15);
  };
  const watchers = paths
    .filter((path) => path !== "-")
    .map((path): FSWatcher => {
      if (statSync(path).isDirectory()) return watch(path, { recursive: true }, soon);
      const name = basename(path);
      return watch(dirname(path), (_event, file) => {
        if (file === null || file === name) soon();
      });
    });
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
