/** Something that keeps tables of calls. */
export interface TableKeeper {
  readonly tables: Readonly<Record<string, number>>;
}

const keepers = new WeakMap<object, () => readonly object[]>();

export function registerTables(owner: object, keepersOf: () => readonly object[]): void {
  keepers.set(owner, keepersOf);
}

/** How much is in every table that the calls of a Messaging fill, by name: all are 0 soon after the last call is over. */
export function requestTables(owner: object): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const keeper of keepers.get(owner)?.() ?? []) {
    if (!("tables" in keeper)) continue;
    for (const [name, size] of Object.entries((keeper as TableKeeper).tables)) sums[name] = (sums[name] ?? 0) + size;
  }
  return sums;
}
