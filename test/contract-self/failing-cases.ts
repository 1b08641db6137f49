import { type AdapterHarness, runCase, verifiedCases } from "../../src/contract/index.js";

/** Enough that the waits of the cases overlap, few enough that none is starved. */
const AT_ONCE = 8;

/** The families that speak of drivers, and of what core makes of them directly. */
export const DRIVER_FAMILIES = "QBCD";

/** Runs every case of these families that applies, each with a harness of its own, and returns what failed, by id. */
export async function failingCases(
  createHarness: () => AdapterHarness,
  families: string,
): Promise<Map<string, unknown>> {
  const waiting = verifiedCases(createHarness()).filter(({ id }) => families.includes(id.charAt(0)));
  const failed = new Map<string, unknown>();
  const runSome = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
      try {
        await runCase(subject, createHarness());
      } catch (error) {
        failed.set(subject.id, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  return failed;
}
