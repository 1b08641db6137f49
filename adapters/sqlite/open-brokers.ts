import { readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { loadBinding, type OpenDatabase } from "./binding.js";
import { Broker } from "./broker.js";
import { MachineClock } from "./machine-clock.js";
import type { ResolvedSqliteOptions } from "./options.js";
import { TransientLanes } from "./transient-lanes.js";
import { Turns } from "./turns.js";

interface OpenBroker {
  readonly broker: Broker;
  readonly asked: string;
}

const open = new Map<string, OpenBroker>();
const lanesByPath = new Map<string, TransientLanes>();
const clock = new MachineClock();
const turns = new Turns();

/** The broker of a file that is open in this process. */
export function findBroker(file: string): Broker | undefined {
  return open.get(truePath(file))?.broker;
}

/**
 * Calls `enter` with the broker of a file, opened if need be. Rejects with what is wrong with it, and with
 * `INVALID_ARGUMENT` when it is open in this process with other options.
 */
export async function enterBroker<T>(options: ResolvedSqliteOptions, enter: (open: () => Broker) => T): Promise<T> {
  const binding = await loadBinding();
  return enter(() => brokerOf(binding, options));
}

function brokerOf(binding: OpenDatabase, options: ResolvedSqliteOptions): Broker {
  const path = truePath(options.file);
  // The largest body is each node's own.
  const { file: _, maxMessageBytes: __, ...shared } = options;
  const asked = JSON.stringify(shared);
  const present = open.get(path);
  if (present === undefined) {
    const lanes = lanesByPath.get(path) ?? new TransientLanes(clock, turns);
    const onClosed = (): void => {
      open.delete(path);
      if (lanes.sweep()) lanesByPath.delete(path);
    };
    const broker = new Broker({ open: binding, file: path, options, clock, lanes, onClosed });
    lanesByPath.set(path, lanes);
    open.set(path, { broker, asked });
    return broker;
  }
  if (present.asked === asked) return present.broker;
  const text = `sqlite: ${path} is open in this process with other options (${present.asked}): use the same everywhere`;
  throw new MessagingError("INVALID_ARGUMENT", text);
}

/** More links than the operating system follows. */
const MOST_LINKS = 40;

/** One name for each file, whatever links lead to it, also of one that is still to be made. */
function truePath(file: string, linksLeft = MOST_LINKS): string {
  const path = resolve(file);
  try {
    return realpathSync(path);
  } catch {
    if (path === dirname(path)) return path;
    const directory = truePath(dirname(path), linksLeft);
    const target = linksLeft > 0 ? linkTarget(path) : undefined;
    return target === undefined ? join(directory, basename(path)) : truePath(resolve(directory, target), linksLeft - 1);
  }
}

/** Of a link that leads to nothing that is there. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
