/** The page of `src/page` and its policy. Put in by the build. */
declare const ISOLINE_PAGE: { readonly html: string; readonly policy: string; readonly etag: string };

const page = ISOLINE_PAGE;

/**
 * `GET /`: the page. It holds no data and so is for everyone; what it shows it asks for with a token of the role `read`, which it keeps for the
 * browser's tab.
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
