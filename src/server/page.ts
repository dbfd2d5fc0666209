/** The page of `src/page` and its Content-Security-Policy. Set by the build. */
declare const ISOLINE_PAGE: { readonly html: string; readonly policy: string; readonly etag: string };

const page = ISOLINE_PAGE;

/**
 * `GET /`: the page. It contains no data, so it requires no token. The page requests its data with a token of the role
 * `read`, which it keeps for the browser tab.
 */
export function pageResponse(request: Request): Response {
  const headers = {
    "cache-control": "no-cache",
    etag: page.etag,
    "content-security-policy": page.policy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
  };
  if (request.headers.get("if-none-match") === page.etag) return new Response(null, { status: 304, headers });
  return new Response(page.html, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } });
}
