import type { Metadata } from "@grpc/grpc-js";
import { addressKey } from "../limits/address-key.js";
import type { Right } from "./rights.js";

/** Who makes a call, as the server knows it. */
export interface Caller {
  /** The entry of its token or certificate; undefined where nobody has to say who he is. */
  readonly name: string | undefined;
  /** `ip:port` of its connection. */
  readonly peer: string;
  /** The address alone. */
  readonly host: string;
  /** What limits for each client count by: the name, or else the address, of IPv6 the network. */
  readonly key: string;
}

type MayUse = (right: Right, name: string) => boolean;

const callers = new WeakMap<Metadata, { readonly caller: Caller; readonly mayUse: MayUse }>();

/** Somebody at the other end of a connection. */
export function callerAt(connection: ConnectionEnd, name: string | undefined): Caller {
  const { remoteAddress: host = "unknown", remotePort } = connection;
  const peer = remotePort === undefined ? host : `${host}:${remotePort}`;
  return { name, peer, host, key: name === undefined ? hostKey(host) : `name:${name}` };
}

/** Of one whose name is not known. */
export function hostKey(host: string): string {
  return `host:${addressKey(host)}`;
}

/**
 * Who asks for the health of the server, as limits see him: everybody at an address together, apart from the other calls
 * from there. Those of a load balancer must not use up what its clients have, nor the other way round.
 */
export function healthCaller(stranger: Caller): Caller {
  const host = `health of ${addressKey(stranger.host)}`;
  return { ...stranger, host, key: `host:${host}` };
}

interface ConnectionEnd {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** To be called once for each call, before its handler runs. `mayUse`: by what is known at the time when it is asked. */
export function rememberCaller(metadata: Metadata, caller: Caller, mayUse: MayUse): void {
  callers.set(metadata, { caller, mayUse });
}

/** Who made the call with this metadata; undefined where nothing guards the server. */
export function callerOf(metadata: Metadata): Caller | undefined {
  return callers.get(metadata)?.caller;
}

/** Whether the caller has the right to the name; where nothing guards the server everybody has. */
export function mayCallerUse(metadata: Metadata, right: Right, name: string): boolean {
  return callers.get(metadata)?.mayUse(right, name) ?? true;
}

/** Of `ip:port`; an IPv6 address has no brackets here. */
export function hostOf(peer: string): string {
  const at = peer.lastIndexOf(":");
  return at < 0 ? peer : peer.slice(0, at);
}
