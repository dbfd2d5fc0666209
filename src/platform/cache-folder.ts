import { homedir } from "node:os";
import { join } from "node:path";

/** The user's own folder for what can be made again. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "isoline");
}
