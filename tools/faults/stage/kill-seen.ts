import { identifyProcess, isAlive } from "../../process/process-identity.js";

interface Victim {
  readonly pid: number | undefined;
  kill(): Promise<void>;
}

/** SIGKILL. Resolves with what is wrong when there was nobody to kill, or it lives on. */
export async function killSeen(name: string, victim: Victim): Promise<readonly string[]> {
  const { pid } = victim;
  const identity = pid === undefined ? undefined : identifyProcess(pid);
  await victim.kill();
  if (identity === undefined) return [`${name} was gone before it was killed`];
  return isAlive(identity) ? [`${name} lives on after SIGKILL`] : [];
}
