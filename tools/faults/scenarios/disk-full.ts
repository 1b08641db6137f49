import { setTimeout as delay } from "node:timers/promises";
import type { ServeProcess } from "../../process/serve-process.js";
import { Ledger } from "../ledger/ledger.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { SinglePosts, unclearRefusals } from "../stage/single-posts.js";
import { createSmallDisk, type SmallDisk } from "../stage/small-disk.js";
import { startOnce, unclearStart } from "../stage/start-refused.js";

const FULL_MB = 8;
const READ_ONLY_MB = 64;
/** What may heal is waited for so long at the start. */
const CONNECT_MS = 2_000;
/** For a server to start on a busy machine, to wait for what may heal, and to say that it has not. */
const SAID_MS = 30_000;
const NO_ROOM = /room|full/i;

const NOT_PERMITTED: FaultOutcome = {
  ...new Ledger().outcome(),
  notes: ["NOT VERIFIED: this machine does not permit a mount namespace with a tmpfs of its own (unshare -m, as root)"],
};

interface OnDisk {
  readonly disk: SmallDisk;
  readonly stage: EventStage;
  readonly server: ServeProcess;
  readonly posts: SinglePosts;
}

/** One server whose file is on a disk of its own. Undefined where this machine does not permit that. */
async function openOnDisk(round: FaultRound, megabytes: number): Promise<OnDisk | undefined> {
  const disk = await createSmallDisk(round, megabytes);
  if (disk === undefined) return undefined;
  const broker = `sqlite:${disk.directory}/events.db`;
  const flags = ["--connect-timeout-ms", String(CONNECT_MS)];
  const stage = await EventStage.open(round, { broker, startedBy: disk.startedBy, flags });
  const [server] = stage.servers;
  if (server === undefined) throw new Error("there is no server");
  return { disk, stage, server, posts: new SinglePosts(round, stage) };
}

/** The disk fills up under load, is freed again, fills up again, and the server is killed and started on the full disk. */
async function runFull(round: FaultRound): Promise<FaultOutcome> {
  const opened = await openOnDisk(round, FULL_MB);
  if (opened === undefined) return NOT_PERMITTED;
  const { disk, stage, server, posts } = opened;
  const violations: string[] = [];
  const notes: string[] = [];
  await posts.some(50);
  for (const cycle of round.isShort ? [1] : [1, 2, 3]) {
    disk.fill();
    const refusals = await posts.untilRefused();
    violations.push(...unclearRefusals("a full disk", refusals, NO_ROOM, ["RESOURCE_EXHAUSTED"]));
    if (cycle === 1) notes.push(`refused: ${refusals[0]?.code} ${refusals[0]?.text}`);
    // What is acknowledged now may have no room; it comes again later.
    const subscriber = cycle === 2 ? await stage.startSubscriber() : undefined;
    await delay(200);
    await subscriber?.kill();
    if (cycle === 3 || round.isShort) notes.push(await startOnFull(opened, violations));
    disk.free();
    const freedAt = performance.now();
    await posts.untilTaken();
    notes.push(`goes on ${Math.round(performance.now() - freedAt)} ms after there is room`);
    await posts.some(20);
  }
  await server.kill();
  server.launch();
  await server.ready();
  await stage.startSubscriber();
  return stage.finish({ violations, notes });
}

/** A server that has room in its file yet starts; one that has none says so. */
async function startOnFull({ disk, server }: OnDisk, violations: string[]): Promise<string> {
  await server.kill();
  const start = await startOnce(server);
  if (start.said === undefined) return "it starts on the full disk";
  violations.push(...unclearStart("on the full disk", start, NO_ROOM, SAID_MS));
  disk.free();
  server.forgiveDeaths();
  server.launch();
  await server.ready();
  return `on the full disk after ${start.ms} ms: ${start.said.slice(0, 300)}`;
}

/** The file cannot be written to any more; then it can again. */
async function runReadOnly(round: FaultRound): Promise<FaultOutcome> {
  const opened = await openOnDisk(round, READ_ONLY_MB);
  if (opened === undefined) return NOT_PERMITTED;
  const { disk, stage, server, posts } = opened;
  await posts.some(100);
  // A file system on which something is open for writing stays as it is.
  await server.kill();
  await disk.setReadOnly(true);
  const start = await startOnce(server);
  const violations = unclearStart("on a read-only disk", start, /read-only|cannot be written/i, SAID_MS);
  await disk.setReadOnly(false);
  server.forgiveDeaths();
  server.launch();
  await server.ready();
  await posts.untilTaken();
  await stage.startSubscriber();
  return stage.finish({ violations, notes: [`read-only: ${(start.said ?? "").slice(0, 200)}`] });
}

/** A clear error at once; nothing that returned OK is lost; it goes on when there is room, without a restart or with one. */
export const diskFull: readonly FaultScenario[] = [
  { id: "K11", title: "the disk is full", adapters: ["sqlite"], limitMs: 120_000, run: runFull },
  { id: "K11", title: "the disk is read-only", adapters: ["sqlite"], limitMs: 60_000, isSlow: true, run: runReadOnly },
];
