/** A pattern of refs: `KIND/NAMESPACE/NAME`, where `*` is any text but `/`; undefined when it is none. */
export const refPattern = (text: string): RegExp | undefined =>
  /^[A-Za-z*]+\/[a-z0-9.*-]+\/[a-z0-9.*-]+$/.test(text)
    ? new RegExp(`^${text.replace(/[.]/g, "\\.").replace(/\*+/g, "[^/]*")}$`)
    : undefined;
