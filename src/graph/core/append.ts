/** Appends without spreading into arguments, of which a call can have only so many. */
export function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
}
