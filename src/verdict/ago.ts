const units = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
] as const;

/** The age of a time, such as `3 s ago`. A time in the future counts as now. */
export function ago(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  const [size, unit] = units.find(([length]) => ms >= length) ?? [1000, "s"];
  return `${Math.floor(ms / size)} ${unit} ago`;
}
