import { contentHash } from "../xds/hash.js";
import { openApi } from "./openapi.js";

/** The version of Isoline. Set by the build. */
declare const ISOLINE_VERSION: string;

let made: { readonly text: string; readonly etag: string } | undefined;

/** Made at the first request, because most servers get no such request. */
function document(): { readonly text: string; readonly etag: string } {
  if (!made) {
    const text = `${JSON.stringify(openApi(ISOLINE_VERSION))}\n`;
    made = { text, etag: `"${contentHash(text)}"` };
  }
  return made;
}

/**
 * `GET /openapi.json`: the description of the HTTP API of this version. It contains no data of the server, so it
 * requires no token.
 */
export function openApiResponse(request: Request): Response {
  const { text, etag } = document();
  const headers = { "cache-control": "no-cache", etag };
  if (request.headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers });
  return new Response(text, { headers: { ...headers, "content-type": "application/json" } });
}
