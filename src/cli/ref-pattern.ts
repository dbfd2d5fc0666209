/**
 * The expression of a pattern of refs: `KIND/NAMESPACE/NAME`, where `*` matches any text without `/`; undefined for an
 * invalid pattern.
 */
export const refPattern = (text: string): RegExp | undefined =>
  /^[A-Za-z*]+\/[a-z0-9.*-]+\/[a-z0-9.*-]+$/.test(text)
    ? new RegExp(`^${text.replace(/[.]/g, "\\.").replace(/\*+/g, "[^/]*")}$`)
    : undefined;
