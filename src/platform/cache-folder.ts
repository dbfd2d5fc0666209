import { homedir } from "node:os";
import { join } from "node:path";

/** The user's folder for files that can be created again. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "isoline");
}
