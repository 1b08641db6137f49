import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** The addresses of a host. Rejects with the system's error for a name that nobody knows. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
