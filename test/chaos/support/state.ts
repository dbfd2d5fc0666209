import { freePort } from "../../support/http.js";
import { ServerProcess } from "./server.js";

/** The hash of what is served, by type. */
export type FinalState = Readonly<Record<string, string>>;

/** A version is `<sequence>-<hash>`, and the hash is of the content alone. */
export async function servedState(server: ServerProcess): Promise<FinalState> {
  const { types, phase } = await server.status();
  if (phase !== "settled") throw new Error("a publication is under way");
  return Object.fromEntries(
    Object.entries(types).map(([type, { version }]) => [type, version.slice(version.lastIndexOf("-") + 1)]),
  );
}

/** What a server makes of the objects when it starts from nothing. */
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
