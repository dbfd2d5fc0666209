/** See `page.mjs`. */
export function buildPage(): Promise<{ html: string; policy: string; etag: string }>;
