import { request as httpRequest, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { messageOf } from "../schema/words.js";
import { UsageError } from "./usage.js";

const silenceMs = 30_000;

/** Asks the admin interface of an Envoy, at `http://ADDRESS:PORT` or `unix:PATH`, for JSON. @throws Error when it can't be reached or answers otherwise. */
export async function askAdmin(admin: string, path: string): Promise<unknown> {
  const [, socketPath] = /^unix:(.+)$/.exec(admin) ?? [];
  if (!socketPath && !(URL.canParse(admin) && admin.startsWith("http://")))
    throw new UsageError(
      `${admin}: expected the admin interface of an Envoy, as http://127.0.0.1:9001 or unix:/run/envoy/admin.sock`,
    );
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { timeout: silenceMs, headers: { host: "localhost" } };
      const sent = socketPath
        ? httpRequest({ ...options, socketPath, path })
        : httpRequest(new URL(path, admin), options);
      sent.on("timeout", () => sent.destroy(new Error(`no answer in ${silenceMs / 1000} s`)));
      sent.on("error", reject).on("response", resolve).end();
    });
    if (response.statusCode !== 200) throw new Error(`it answers ${response.statusCode ?? 0} to ${path}`);
    return await json(response);
  } catch (error) {
    throw new Error(`can't read the Envoy at ${admin}: ${messageOf(error)}`);
  }
}
