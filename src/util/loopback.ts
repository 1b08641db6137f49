import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Only this machine reaches it. `0.0.0.0` and `::` are all addresses, others among them. */
export function isLoopback(ip: string): boolean {
  const family = isIP(ip);
  return family !== 0 && loopback.check(ip, family === 6 ? "ipv6" : "ipv4");
}

/** Whether a client may take it that what it sends to this host stays on this machine. A name but localhost could be anybody's. */
export function isLoopbackHost(host: string): boolean {
  return /^localhost$/i.test(host) || isLoopback(host.replace(/^\[(.*)\]$/, "$1"));
}
