import { keptMegabytes } from "../growth/kept.mjs";

/**
 * One point of one curve: `kind` says what there is `size` of.
 * @param {{ createDriver(settings: object): Promise<unknown> }} subject
 * @param {{ kind: string, size: number, directory: string, queue: string, url?: string }} settings
 */
export async function run({ createDriver }, { kind, ...settings }) {
  const { run: runKind } = await import(`../growth/kinds/${kind}.mjs`);
  return await runKind({ ...settings, driver: await createDriver(settings), kept: keptMegabytes });
}
