import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { findBroker } from "../../../adapters/sqlite/open-brokers.js";
import type { AdapterHarness } from "../../../src/contract/index.js";
import { createMessaging, MessagingError } from "../../../src/index.js";

/** Multiplies the deadlines of cases that must pass: a machine that is slow breaks no promise. */
const PATIENT = 4;
/** Long enough that a short silence costs nothing on a slow machine, short enough to wait for. */
const LOCK_TIMEOUT_MS = 1_500;

/**
 * All nodes of one harness share a file. Not provoked, since it cannot happen: consumers end with their connections alone,
 * nobody deletes queues, and a disk without room refuses publishes instead of holding them up.
 */
export function sqliteHarness(): AdapterHarness {
  const directory = join(tmpdir(), `fairlead-contract-${randomUUID()}`);
  const holders: Database.Database[] = [];
  let lock: Database.Database | undefined;
  const file = join(directory, "data", "events.db");
  const createDriver = () => sqliteDriver({ file, lockTimeoutMs: LOCK_TIMEOUT_MS });
  return {
    name: "sqlite",
    capabilities: createDriver().capabilities,
    createDriver,
    createMessaging: async (own) => createMessaging({ ...own, driver: createDriver() }),
    async createUnreachable({ connectTimeoutMs }) {
      mkdirSync(directory, { recursive: true });
      const held = join(directory, `held-${randomUUID()}.db`);
      // As another process would.
      const holder = new Database(`${held}.lock`);
      holder.exec("BEGIN EXCLUSIVE");
      holders.push(holder);
      return createMessaging({ driver: sqliteDriver({ file: held }), connectTimeoutMs });
    },
    uniqueName: (purpose) => `${purpose} ${randomUUID()}`,
    faults: {
      dropConnections: async () => findBroker(file)?.loseClients(new MessagingError("UNAVAILABLE", "cut by the test")),
      restartBroker: async () => crash(file),
      async freezeBroker() {
        if (lock !== undefined) return;
        // As another program would.
        lock = new Database(file);
        lock.exec("BEGIN IMMEDIATE");
      },
      async thawBroker() {
        lock?.close();
        lock = undefined;
      },
      silenceLimitMs: LOCK_TIMEOUT_MS,
    },
    async cleanup() {
      for (const holder of holders.splice(0)) holder.close();
      lock?.close();
      lock = undefined;
      rmSync(directory, { recursive: true, force: true });
    },
    timeScale: PATIENT,
  };
}

/**
 * Closes the file under its connections, and puts it back as it was: what a process that is killed leaves, with a log to be
 * recovered. What was handed over and not committed is gone, and what was handed out counts as lost.
 */
function crash(file: string): void {
  const broker = findBroker(file);
  if (broker === undefined) return;
  const left = [file, `${file}-wal`]
    .filter((path) => existsSync(path))
    .map((path) => ({ path, bytes: readFileSync(path) }));
  // Whoever comes back does so in a later turn.
  broker.failed(new MessagingError("UNAVAILABLE", "stopped by the test"));
  for (const { path, bytes } of left) writeFileSync(path, bytes);
}
