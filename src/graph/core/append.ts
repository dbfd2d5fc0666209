/** Appends without spreading into arguments: the number of arguments of a call is limited. */
export function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
}
