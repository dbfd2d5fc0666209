import { freePort } from "../../support/http.js";
import { ServerProcess } from "./server.js";

/** The hash of the served configuration, by type. */
export type FinalState = Readonly<Record<string, string>>;

/**
 * The last part of a version is a hash of the content only, without resources that are served only until no Envoy
 * needs them.
 */
export async function servedState(server: ServerProcess): Promise<FinalState> {
  const { types } = await server.status();
  return Object.fromEntries(
    Object.entries(types).map(([type, { version }]) => [type, version.slice(version.lastIndexOf("-") + 1)]),
  );
}

/** The result of a new server for the current objects. */
export async function freshState(args: readonly string[]): Promise<FinalState> {
  const server = new ServerProcess(await freePort(), args);
  try {
    if ((await server.startReady(60_000)) === null)
      throw new Error(`the fresh server does not get ready:\n${server.log.slice(-2000)}`);
    return await servedState(server);
  } finally {
    await server.end("SIGKILL");
  }
}
