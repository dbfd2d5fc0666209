/** Whether a resourceVersion is older than another; false if they can't be compared. */
export const isOlderVersion = (a: string, b: string): boolean =>
  /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);
