import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the range from which systems take ports for outgoing connections: there a client that tries again and again
 * while the broker is down may be given the broker's own port, talks to itself, and the broker cannot come back.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;

const taken = new Set<number>();

/** Ports that are free on 127.0.0.1 now, and were not given to anybody in this process before. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries += 1) {
    if (tries > 500) throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on 127.0.0.1 in ${tries} tries`);
    const port = randomInt(LOWEST, HIGHEST);
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
