import { closeSync, copyFileSync, openSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ServeProcess } from "../../process/serve-process.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { SinglePosts, unclearRefusals } from "../stage/single-posts.js";
import { startOnce, unclearStart } from "../stage/start-refused.js";

const PAGE_BYTES = 4_096;
const EVENTS = 150;
/** For a server to start on a busy machine, and to say that it cannot. */
const SAID_MS = 30_000;
const DAMAGED = /damaged/i;

interface Damage {
  readonly name: string;
  begin(file: string, random: () => number): void;
}

const DAMAGES: readonly Damage[] = [
  { name: "its first page is nonsense", begin: (file, random) => overwrite(file, 0, 1, random) },
  {
    name: "all pages but the first are nonsense",
    begin: (file, random) => overwrite(file, 1, statSync(file).size / PAGE_BYTES - 1, random),
  },
  { name: "its second half is gone", begin: (file) => truncateSync(file, Math.floor(statSync(file).size / 2)) },
];

/** The file is damaged while nobody has it, and while it is used; then the copy that an operator has is put back. */
async function run(round: FaultRound): Promise<FaultOutcome> {
  const file = join(round.directory, "events.db");
  const stage = await EventStage.open(round, { broker: `sqlite:${file}`, flags: ["--connect-timeout-ms", "2000"] });
  const [server] = stage.servers;
  if (server === undefined) throw new Error("there is no server");
  const posts = new SinglePosts(round, stage);
  const violations: string[] = [];
  const notes: string[] = [];
  // The one that a look at the first page does not show.
  for (const { name, begin } of round.isShort ? DAMAGES.slice(1, 2) : DAMAGES) {
    await posts.some(EVENTS / DAMAGES.length);
    const copy = await copyOf(server, file);
    begin(file, round.random);
    const start = await startOnce(server);
    if (start.said !== undefined) violations.push(...unclearStart(name, start, DAMAGED, SAID_MS));
    else violations.push(...unclearRefusals(name, await posts.untilRefused(), DAMAGED, ["DATA_LOSS"]));
    notes.push(`${name}: ${start.said === undefined ? "posts are refused" : "it does not start"}`);
    await putBack(server, file, copy);
    await posts.untilTaken();
  }
  if (!round.isShort) notes.push(await underLoad({ round, server, file, posts, violations }));
  await stage.startSubscriber();
  return stage.finish({ violations, notes });
}

interface Damaged {
  readonly round: FaultRound;
  readonly server: ServeProcess;
  readonly file: string;
  readonly posts: SinglePosts;
  readonly violations: string[];
}

/** Damage while posts come, of which the server may know nothing until it starts anew. */
async function underLoad({ round, server, file, posts, violations }: Damaged): Promise<string> {
  const copy = await copyOf(server, file);
  server.launch();
  await server.ready();
  overwrite(file, 1, statSync(file).size / PAGE_BYTES - 1, round.random);
  // Pages that it has in its memory are not read again: it may not notice before it starts anew.
  const refusals = await posts.someDoomed(EVENTS);
  violations.push(...unclearRefusals("damage under load", refusals, DAMAGED, ["DATA_LOSS"]));
  await server.kill();
  const start = await startOnce(server);
  if (start.said !== undefined) violations.push(...unclearStart("after damage under load", start, DAMAGED, SAID_MS));
  else violations.push(...unclearRefusals("after damage", await posts.untilRefused(), DAMAGED, ["DATA_LOSS"]));
  await putBack(server, file, copy);
  await posts.untilTaken();
  return `under load: ${refusals.length} posts refused, ${start.said === undefined ? "all" : "no start"} afterwards`;
}

/** Has the server end in order, after which all is in the one file, and copies that. */
async function copyOf(server: ServeProcess, file: string): Promise<string> {
  server.signal("SIGTERM");
  const end = await server.ended();
  if (end?.exitCode !== 0) throw new Error(`the server ended with ${end?.exitCode ?? end?.signal}`);
  copyFileSync(file, `${file}.copy`);
  return `${file}.copy`;
}

/** As an operator does it: end the server, take the damaged file away with what belongs to it, copy, start. */
async function putBack(server: ServeProcess, file: string, copy: string): Promise<void> {
  await server.kill();
  for (const end of ["", "-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
  copyFileSync(copy, file);
  server.forgiveDeaths();
  server.launch();
  await server.ready();
}

function overwrite(file: string, firstPage: number, pages: number, random: () => number): void {
  const nonsense = Buffer.from(Array.from({ length: PAGE_BYTES }, () => Math.floor(random() * 256)));
  const to = openSync(file, "r+");
  try {
    for (let page = firstPage; page < firstPage + pages; page += 1)
      writeSync(to, nonsense, 0, PAGE_BYTES, page * PAGE_BYTES);
  } finally {
    closeSync(to);
  }
}

/** A clear error at once, and with the copy put back nothing is lost that was in it. */
export const fileDamaged: FaultScenario = {
  id: "K11",
  title: "the file is damaged",
  adapters: ["sqlite"],
  limitMs: 120_000,
  run,
};
