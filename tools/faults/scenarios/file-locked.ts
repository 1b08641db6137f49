import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MessagingError } from "../../../src/index.js";
import { type ChildProgram, startProgram } from "../../process/child-program.js";
import { combineOutcomes } from "../ledger/ledger.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { LinkWatch } from "../round/link-watch.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import { openMessaging } from "../round/open-messaging.js";
import { type Remarks, range, withRemarks } from "../round/remarks.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { SinglePosts } from "../stage/single-posts.js";
import { startOnce, unclearStart } from "../stage/start-refused.js";

const HOLDER = fileURLToPath(new URL("../programs/lock-holder.js", import.meta.url));
const LOCK_TIMEOUT_MS = 1_000;
const PUBLISH_MS = 2_500;
const LATE_MS = 2_000;
const BACK_MS = 30_000;
const HOLDS_MS = 30_000;
/** For a server to start on a busy machine, to wait for what may heal, and to say that it has not. */
const SAID_MS = 30_000;
const HELD = /another process holds the file|in use by/;

/** Another program holds the write lock of a file that is in use: for a moment, for too long, and until it is killed. */
async function runUnderLoad(round: FaultRound): Promise<FaultOutcome> {
  const file = join(round.directory, "events.db");
  const links = new LinkWatch();
  const choices = { sqlite: { lockTimeoutMs: LOCK_TIMEOUT_MS }, observers: [links.observer] };
  const client = openMessaging(round, `sqlite:${file}`, choices);
  const server = openMessaging(round, `sqlite:${file}`, choices);
  const publish = { timeoutMs: PUBLISH_MS };
  const loads = await startThreeLoads({ stopped: round.stopped, client, server, name: "locked", queue: { publish } });
  await loads.comeThrough(BACK_MS);
  const remarks: Remarks = { notes: [], violations: [] };

  const shortly = await holdLock(round, file);
  await delay(LOCK_TIMEOUT_MS / 4, undefined, { signal: round.stopped });
  await shortly.end();
  await loads.comeThrough(BACK_MS);
  // A machine that is busy may take longer over it than the lock may be held.
  remarks.notes.push(links.losses === 0 ? "a moment costs nothing" : "a moment cost a link");

  const { losses } = links;
  const long = await holdLock(round, file);
  const heldAt = performance.now();
  remarks.violations.push(...(await links.lostSince(losses, "a lock held for too long")));
  remarks.notes.push(...range("told after", [performance.now() - heldAt]));
  remarks.violations.push(...(await toldWhileLocked(client)));
  await (round.isShort ? long.kill() : long.end());
  const backMs = await loads.comeThrough(BACK_MS);
  if (backMs !== undefined) remarks.notes.push(...range("all ports back after", [backMs]));
  if (!round.isShort) {
    const killed = await holdLock(round, file);
    await delay(2 * LOCK_TIMEOUT_MS, undefined, { signal: round.stopped });
    await killed.kill();
    await loads.comeThrough(BACK_MS);
  }
  return withRemarks(await loads.finish(BACK_MS), remarks);
}

async function toldWhileLocked(client: ReturnType<typeof openMessaging>): Promise<readonly string[]> {
  const [startedAt, lostBefore] = [performance.now(), lostMs()];
  const told = await client
    .queue("locked aside")
    .publish({ body: new Uint8Array(1) }, { timeoutMs: PUBLISH_MS })
    .then(
      () => "success",
      (error: unknown) => (MessagingError.is(error) ? error.code : String(error)),
    );
  const ms = Math.round(performance.now() - startedAt - excusedMs(lostBefore));
  const faults = told === "UNAVAILABLE" ? [] : [`a publish to a locked file was told ${told}`];
  return ms > PUBLISH_MS + LATE_MS ? [...faults, `a publish to a locked file took ${ms} ms`] : faults;
}

/** A server starts on a file whose write lock another program has. */
async function runAtStart(round: FaultRound): Promise<FaultOutcome> {
  const file = join(round.directory, "started.db");
  const stage = await EventStage.open(round, { broker: `sqlite:${file}`, flags: ["--connect-timeout-ms", "2000"] });
  const [server] = stage.servers;
  if (server === undefined) throw new Error("there is no server");
  const posts = new SinglePosts(round, stage);
  await posts.some(50);
  await server.kill();
  const holder = await holdLock(round, file);
  const start = await startOnce(server);
  const violations = unclearStart("on a locked file", start, HELD, SAID_MS);
  await holder.kill();
  server.forgiveDeaths();
  server.launch();
  await server.ready();
  await posts.untilTaken();
  await stage.startSubscriber();
  return stage.finish({ violations, notes: [`told after ${start.ms} ms: ${(start.said ?? "").slice(-160)}`] });
}

async function holdLock({ guardDirectory, atEnd }: FaultRound, file: string): Promise<ChildProgram> {
  const holder = startProgram(HOLDER, [file], { guardDirectory });
  atEnd(async () => void (await holder.kill()));
  await holder.line(/^holds$/, HOLDS_MS);
  return holder;
}

/** What waits is bounded and told, and all goes on when the lock is free. */
export const fileLocked: FaultScenario = {
  id: "K11",
  title: "the file is locked by another program",
  adapters: ["sqlite"],
  limitMs: 120_000,
  async run(round) {
    const load = await runUnderLoad(round);
    return round.isShort ? load : combineOutcomes({ "under load": load, "at the start": await runAtStart(round) });
  },
};
