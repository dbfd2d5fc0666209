import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** The user's folder for files that can be created again. */
export function cacheFolder(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  return join(xdg !== undefined && xdg !== "" ? xdg : join(home(), ".cache"), "isoline");
}

/** A user of a container may have no entry in the list of users; newer versions of Node then throw. */
function home(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}
