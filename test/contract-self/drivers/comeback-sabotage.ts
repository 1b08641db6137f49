import { createServer, type Server } from "node:net";
import type { ConnectOptions, DriverConnection } from "../../../src/driver/index.js";
import { MessagingError } from "../../../src/index.js";
import type { Sabotage } from "../broken-driver.js";

/** Longer than anything in this process takes, shorter than the silences of the cases. */
const IMPATIENT_MS = 100;

const IDLE_MS = 300;

export const silent = (): MessagingError => new MessagingError("UNAVAILABLE", "silent for too long");

/** What the promise says, unless it takes longer: then `late`. */
export async function impatiently<T>(promise: Promise<T>, late: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, IMPATIENT_MS);
  });
  try {
    return await Promise.race([promise, patience]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whatever fails because the connection is gone is never answered. */
export function unanswered<K extends "subscribe" | "openInbox" | "consume">(operation: K): Sabotage {
  const hanging = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => new Promise(() => {}));
  return {
    connection: (real) =>
      ({
        [operation]: (...given: unknown[]) =>
          hanging((real[operation] as (...all: unknown[]) => Promise<unknown>)(...given)),
      }) as Partial<DriverConnection>,
  };
}

/** Tells a loss once nothing has been asked for a while. */
export function lateLosses(): Sabotage {
  const asked = new WeakMap<ConnectOptions, number>();
  return {
    connectOptions(given) {
      const options: ConnectOptions = {
        ...given,
        onLost(error) {
          const tellOnceIdle = (): void => {
            if (performance.now() - (asked.get(options) ?? 0) < IDLE_MS) setTimeout(tellOnceIdle, 5);
            else given.onLost(error);
          };
          tellOnceIdle();
        },
      };
      return options;
    },
    connection: (real, options) => ({
      publish(to, message) {
        asked.set(options, performance.now());
        return real.publish(to, message);
      },
    }),
  };
}

/** Keeps a socket for each connection, also for those that are lost, until the last is closed. */
export function leakingSockets(): Sabotage {
  return {
    driver(real) {
      const sockets: Server[] = [];
      return {
        async connect(options) {
          const connection = await real.connect(options);
          sockets.push(createServer().listen(0, "127.0.0.1"));
          const close = (): Promise<void> => {
            for (const socket of sockets.splice(0)) socket.close();
            return connection.close();
          };
          return new Proxy(connection, {
            get(target, key) {
              if (key === "close") return close;
              const value: unknown = Reflect.get(target, key);
              return typeof value === "function" ? value.bind(target) : value;
            },
          });
        },
      };
    },
  };
}

/** Loses the third connection of each node as soon as it is open. */
export function flapping(): Sabotage {
  return {
    driver(real) {
      let connections = 0;
      return {
        async connect(options) {
          connections += 1;
          const connection = await real.connect(options);
          if (connections === 3) {
            setTimeout(() => {
              void connection.close();
              options.onLost(new MessagingError("UNAVAILABLE", "lost again"));
            }, 5);
          }
          return connection;
        },
      };
    },
  };
}

/** Passes each broadcast on twice to who has subscribed for the third time. */
export function doubling(): Sabotage {
  const times = new Map<string, number>();
  return {
    connection: (real) => ({
      subscribe(broadcast, node, onMessage, onLost) {
        const key = `${node} ${broadcast}`;
        const time = (times.get(key) ?? 0) + 1;
        times.set(key, time);
        const twice: typeof onMessage = (message) => {
          onMessage(message);
          if (time > 2) onMessage(message);
        };
        return real.subscribe(broadcast, node, twice, onLost);
      },
    }),
  };
}
