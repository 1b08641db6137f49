const ID = /^(?<family>.*?)(?<number>\d+)$/;
/** Two that follow each other stay two. */
const LEAST = 3;

/** The ids without those that a range says: "R-40–45" for six that follow each other. Families stay in their order. */
export function idRanges(ids: readonly string[]): readonly string[] {
  const families = new Map<string, string[]>();
  for (const id of ids) {
    const family = ID.exec(id)?.groups?.["family"] ?? id;
    const members = families.get(family) ?? [];
    members.push(id);
    families.set(family, members);
  }
  return [...families.values()].flatMap((members) => runsOf(members).flatMap(textsOf));
}

function runsOf(ids: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [];
  let last: number | undefined;
  for (const id of [...ids].sort((one, other) => numberOf(one) - numberOf(other))) {
    const number = numberOf(id);
    if (last !== undefined && number === last + 1) runs.at(-1)?.push(id);
    else runs.push([id]);
    last = number;
  }
  return runs;
}

function textsOf(run: readonly string[]): readonly string[] {
  const [first = "", last = ""] = [run[0], run.at(-1)];
  return run.length < LEAST ? run : [`${first}–${ID.exec(last)?.groups?.["number"] ?? last}`];
}

function numberOf(id: string): number {
  return Number(ID.exec(id)?.groups?.["number"] ?? Number.NaN);
}
