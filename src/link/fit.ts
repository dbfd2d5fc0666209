/** A part of an answer that can be left out when the answer is too large. */
export interface Item {
  readonly name: string;
  /** The namespace to whose share it counts. */
  readonly owner: string;
  readonly bytes: number;
}

interface Share {
  bytes: number;
  /** Sorted by size, the largest last. */
  readonly items: Item[];
}

/**
 * Selects the items to leave out so that the rest fits the budget: repeatedly the largest item of the namespace with the
 * largest share. So a namespace that grows without bounds loses only its own items. The result does not depend on the
 * order of the items.
 */
export function itemsToLeaveOut(items: readonly Item[], budget: number): readonly Item[] {
  let total = items.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= budget) return [];
  const shares = new Map<string, Share>();
  for (const item of items) {
    const share = shares.get(item.owner) ?? { bytes: 0, items: [] };
    shares.set(item.owner, share);
    share.bytes += item.bytes;
    share.items.push(item);
  }
  for (const share of shares.values())
    share.items.sort((a, b) => a.bytes - b.bytes || (a.name < b.name ? 1 : -1));
  const owners = [...shares].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, share]) => share);
  const out: Item[] = [];
  while (total > budget) {
    const [largest, second] = largestTwo(owners);
    if (!largest) break;
    do {
      const item = largest.items.pop();
      if (!item) break;
      largest.bytes -= item.bytes;
      total -= item.bytes;
      out.push(item);
    } while (total > budget && largest.bytes >= (second?.bytes ?? 0));
  }
  return out;
}

function largestTwo(shares: Iterable<Share>): readonly [Share?, Share?] {
  let largest: Share | undefined;
  let second: Share | undefined;
  for (const share of shares) {
    if (share.items.length === 0) continue;
    if (!largest || share.bytes > largest.bytes) [largest, second] = [share, largest];
    else if (!second || share.bytes > second.bytes) second = share;
  }
  return [largest, second];
}

const encoder = new TextEncoder();
const ascii = /^[\0-\x7f]*$/;

/** The length of a text in UTF-8 bytes. */
export const bytesOf = (text: string): number =>
  ascii.test(text) ? text.length : encoder.encode(text).length;
