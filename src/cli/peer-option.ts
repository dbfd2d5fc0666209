import { UsageError } from "./usage.js";

/** @throws UsageError unless the text is the URL of a server. */
export function parsePeer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isServer = url && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "";
  if (!isServer || url.username || url.hash)
    throw new UsageError(`--peer ${text}: expected the URL of a replica, such as https://10.0.0.2:18000`);
  return url;
}
