import Database from "better-sqlite3";
import { measured } from "../cells/measure.mjs";

const GROUP = 256;
const BODY_BYTES = 1_024;
const LIMIT_MS = 8_000;
/** Groups between two turns of the loop, so that the cell hears when its parent has ended. */
const GROUPS_A_TURN = 100;

/**
 * What the binding can do at most, without promises, callers or handlers: append a group, take the oldest, delete them, with
 * two durable commits for each group.
 * @param {{ operations: number, warmUp?: number, directory: string, limitMs?: number }} settings
 */
export async function runCycles({ operations, warmUp = operations, directory, limitMs = LIMIT_MS }) {
  const database = new Database(`${directory}/${process.pid}-raw.db`);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE message (id INTEGER PRIMARY KEY, body BLOB NOT NULL)");
  const append = database.prepare("INSERT INTO message (body) VALUES (?)");
  const take = database.prepare("SELECT id, body FROM message ORDER BY id LIMIT ?");
  const remove = database.prepare("DELETE FROM message WHERE id = ?");
  const body = Buffer.alloc(BODY_BYTES, 120);
  const appendAll = database.transaction(() => {
    for (let count = 0; count < GROUP; count += 1) append.run(body);
  });
  const removeAll = database.transaction((taken) => {
    for (const { id } of taken) remove.run(id);
  });
  const cycles = async (/** @type {number} */ count) => {
    const endsAt = performance.now() + limitMs;
    let done = 0;
    for (; done < count && performance.now() < endsAt; done += GROUP) {
      appendAll();
      removeAll(take.all(GROUP));
      if ((done / GROUP) % GROUPS_A_TURN === GROUPS_A_TURN - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    return done;
  };
  await cycles(warmUp);
  const outcome = await measured(() => cycles(operations));
  database.close();
  return outcome;
}
