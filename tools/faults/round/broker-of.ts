import { join } from "node:path";
import type { FaultRound } from "./scenario.js";

/** The broker of a round's servers, by its URL: memory, a file of the round's own, or the node that rounds share. */
export async function brokerOf(round: FaultRound): Promise<string> {
  if (round.adapter === "memory") return "memory:";
  if (round.adapter === "sqlite") return `sqlite:${join(round.directory, "events.db")}`;
  return (await round.node()).url;
}
