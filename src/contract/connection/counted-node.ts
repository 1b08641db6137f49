import type { Driver, DriverConnection, DriverResource } from "../../driver/index.js";
import { type Clock, systemClock } from "../../index.js";
import type { ContractContext, ContractNode } from "../context.js";

/** What a node has of its driver and its clock just now. */
export interface Held {
  readonly connections: number;
  readonly consumers: number;
  readonly subscriptions: number;
  readonly inboxes: number;
  readonly timers: number;
}

/** A node that is seen to take and to give back. */
export interface CountedNode extends ContractNode {
  held(): Held;
}

/** Waits that are shorter are pauses: before the next try, between two looks. They may be shortened; the others bound something. */
const PAUSE_MS = 5_000;
const SHORTENED = 0.005;

type Kind = "consumers" | "subscriptions" | "inboxes";

/** What ends with its connection counts no longer. A link that is lost again and again is made anew without long pauses. */
export function countedNode(context: ContractContext): CountedNode {
  const timers = new Set<object>();
  const clock: Clock = {
    now: () => systemClock.now(),
    setTimer(ms, action) {
      const timer = {};
      timers.add(timer);
      const cancel = systemClock.setTimer(ms < PAUSE_MS ? ms * SHORTENED : ms, () => {
        timers.delete(timer);
        action();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
  };
  const links = new Set<Readonly<Record<Kind, Set<object>>>>();
  const real = context.driver();
  const driver: Driver = {
    name: real.name,
    capabilities: real.capabilities,
    toMessagingError: (error) => real.toMessagingError(error),
    async connect(options) {
      const link = { consumers: new Set<object>(), subscriptions: new Set<object>(), inboxes: new Set<object>() };
      const connection = await real.connect({
        ...options,
        onLost(error) {
          links.delete(link);
          options.onLost(error);
        },
      });
      links.add(link);
      return counted(connection, link, () => links.delete(link));
    },
  };
  const sum = (kind: Kind): number => [...links].reduce((total, link) => total + link[kind].size, 0);
  return {
    ...context.nodeOver(driver, clock),
    held: () => ({
      connections: links.size,
      consumers: sum("consumers"),
      subscriptions: sum("subscriptions"),
      inboxes: sum("inboxes"),
      timers: timers.size,
    }),
  };
}

function counted(
  real: DriverConnection,
  link: Readonly<Record<Kind, Set<object>>>,
  onClosed: () => void,
): DriverConnection {
  const keep = <T extends DriverResource>(kind: Kind, resource: T): T => {
    const token = {};
    link[kind].add(token);
    const stop = async (): Promise<void> => {
      link[kind].delete(token);
      await resource.stop();
    };
    return new Proxy(resource, {
      get: (target, key) => {
        if (key === "stop") return stop;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return {
    publish: (to, message) => real.publish(to, message),
    consume: async (queue, options, onDelivery, onLost) =>
      keep("consumers", await real.consume(queue, options, onDelivery, onLost)),
    subscribe: async (broadcast, node, onMessage, onLost) =>
      keep("subscriptions", await real.subscribe(broadcast, node, onMessage, onLost)),
    openInbox: async (onMessage, onLost) => keep("inboxes", await real.openInbox(onMessage, onLost)),
    async close() {
      onClosed();
      await real.close();
    },
  };
}
