import { setTimeout as delay } from "node:timers/promises";
import { memoryBroker } from "../../../adapters/memory/index.js";
import type { Observation, Observer } from "../../../src/index.js";
import type { RabbitmqNode } from "../../rabbitmq/index.js";
import { combineOutcomes } from "../ledger/ledger.js";
import { startBroadcastLoad } from "../loads/broadcast-load.js";
import { startQueueLoad } from "../loads/queue-load.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { becomes } from "../round/becomes.js";
import { openMessaging } from "../round/open-messaging.js";
import { type Remarks, withRemarks } from "../round/remarks.js";
import type { FaultScenario } from "../round/scenario.js";

const BACK_MS = 20_000;
const MOST_LINES = 30;
/** In which what was done to the broker would have been told to those whom it does not concern. */
const AFTERMATH_MS = 500;

/** Something that is done to a part of what one client has at the broker. */
interface PartLoss {
  readonly name: string;
  /** The observations that may say "recovering", by type and name. Everything else must not notice. */
  readonly concerns: readonly string[];
  /** Calls fail with the inbox that their responses go to, and with the channel on which their request waits for its confirm: it may have run. */
  readonly harmsCalls: boolean;
  /** Nothing may be in the queue when it is deleted: a deletion takes the messages with it. */
  readonly isQuiet: boolean;
  /** Resolves with what the broker said of what it closed or deleted; undefined where it has nothing to say. */
  begin(): Promise<string | undefined>;
}

export const partLost: FaultScenario = {
  id: "K4",
  title: "channel closed, queue or exclusive queue deleted, consumer cancelled",
  adapters: ["memory", "rabbitmq"],
  sharesNode: true,
  limitMs: 150_000,
  async run(round) {
    const memory = memoryBroker();
    const node = round.adapter === "rabbitmq" ? await round.node() : undefined;
    const url = node?.url ?? "memory:";
    const remarks: Remarks = { notes: [], violations: [] };
    const losses: string[] = [];
    const rebuilt: string[] = [];
    const watch: Observer = (observation) => {
      const lost = lossOf(observation);
      if (lost !== undefined) losses.push(lost);
    };
    // One client has it all, on the same links.
    const messaging = openMessaging(round, url, { memory, observers: [watch] });
    const others = await startThreeLoads({
      stopped: round.stopped,
      client: messaging,
      server: messaging,
      name: "other",
    });
    const queue = await startQueueLoad({
      stopped: round.stopped,
      publisher: messaging,
      queue: VICTIM_QUEUE,
      perSecond: 100,
    });
    const broadcast = await startBroadcastLoad({
      stopped: round.stopped,
      publisher: messaging,
      broadcast: VICTIM_BROADCAST,
    });
    await others.comeThrough(BACK_MS);

    const all = node === undefined ? memoryLosses(memory) : rabbitmqLosses(node);
    for (const { name, concerns, harmsCalls, isQuiet, begin } of round.isShort ? all.slice(0, 2) : all) {
      await delay(round.random() * 200, undefined, { signal: round.stopped });
      if (isQuiet) {
        queue.stop();
        await queue.ledger.settled(BACK_MS);
        await queue.ledger.arrived(BACK_MS);
      }
      const before = { queue: queue.ledger.sent, broadcast: broadcast.ledger.sent, failed: others.callsFailed };
      losses.length = 0;
      const said = await begin();
      if (said !== undefined && !/false|\{ok,/.test(said))
        remarks.violations.push(`${name}: nothing was harmed: ${said}`);
      queue.goOn();
      const isBack = (): boolean =>
        concerns.every((concern) => losses.includes(concern)) &&
        queue.ledger.latest >= before.queue &&
        broadcast.heard >= before.broadcast;
      if (!(await becomes(isBack, BACK_MS))) {
        remarks.violations.push(`${name}: ${concerns.join(", ")} was not lost and back within ${BACK_MS} ms`);
        if (node !== undefined) remarks.notes.push(...(await stateOf(node)).map((line) => `after ${name}: ${line}`));
      } else rebuilt.push(name);
      await others.comeThrough(BACK_MS);
      await delay(AFTERMATH_MS, undefined, { signal: round.stopped });
      const unconcerned = new Set(losses.filter((lost) => !concerns.includes(lost)));
      for (const lost of unconcerned) remarks.violations.push(`${name}: ${lost} was lost, too`);
      const failed = others.callsFailed - before.failed;
      if (failed > 0 && !harmsCalls) remarks.violations.push(`${name}: ${failed} calls failed`);
    }
    remarks.notes.push(`rebuilt alone: ${rebuilt.join(", ")}`);
    const [ofOthers, ofQueue, ofBroadcast] = await Promise.all([
      others.finish(BACK_MS),
      queue.finish(BACK_MS),
      broadcast.finish(BACK_MS),
    ]);
    const outcome = combineOutcomes({ others: ofOthers, "victim queue": ofQueue, "victim broadcast": ofBroadcast });
    return withRemarks(outcome, remarks);
  },
};

const VICTIM_QUEUE = "victim queue";
const VICTIM_BROADCAST = "victim broadcast";

function lossOf(observation: Observation): string | undefined {
  switch (observation.type) {
    case "connection":
      return observation.state === "reconnecting" ? `the connection (${observation.error?.message})` : undefined;
    case "consumer":
      return observation.state === "recovering" ? `consumer of ${observation.queue}` : undefined;
    case "subscription":
      return observation.state === "recovering" ? `subscription to ${observation.broadcast}` : undefined;
    case "request-server":
      return observation.state === "recovering" ? `server of ${observation.sink}` : undefined;
    case "inbox":
      return observation.state === "recovering" ? "the inbox" : undefined;
    default:
      return undefined;
  }
}

function memoryLosses(memory: ReturnType<typeof memoryBroker>): readonly PartLoss[] {
  const concerns = [`consumer of ${VICTIM_QUEUE}`];
  const common = { concerns, harmsCalls: false };
  return [
    {
      ...common,
      name: "consumer cancelled",
      isQuiet: false,
      begin: async () => void memory.dropConsumers(VICTIM_QUEUE),
    },
    { ...common, name: "queue deleted", isQuiet: true, begin: async () => void memory.deleteQueue(VICTIM_QUEUE) },
  ];
}

function rabbitmqLosses(node: RabbitmqNode): readonly PartLoss[] {
  const evaluate = (expression: string): Promise<string> => node.control("eval", expression);
  const consumer = [`consumer of ${VICTIM_QUEUE}`];
  return [
    {
      name: "consumer's channel closed",
      concerns: consumer,
      harmsCalls: false,
      isQuiet: false,
      begin: () =>
        evaluate(
          `{ok, Q} = rabbit_amqqueue:lookup(${queueName(VICTIM_QUEUE)}),
           ${closeChannels("[element(1, Consumer) || Consumer <- rabbit_amqqueue:consumers(Q)]")}.`,
        ),
    },
    {
      name: "queue deleted",
      concerns: consumer,
      harmsCalls: false,
      isQuiet: true,
      begin: () => evaluate(`{ok, Q} = rabbit_amqqueue:lookup(${queueName(VICTIM_QUEUE)}), ${deleteQueue("Q")}.`),
    },
    {
      name: "broadcast's exclusive queue deleted",
      concerns: [`subscription to ${VICTIM_BROADCAST}`],
      harmsCalls: false,
      isQuiet: false,
      begin: () => evaluate(deleteBoundTo(VICTIM_BROADCAST)),
    },
    {
      name: "channel of publishes closed",
      concerns: [],
      harmsCalls: true,
      isQuiet: false,
      begin: () =>
        evaluate(
          `${closeChannels("[Pid || Pid <- rabbit_channel:list_local(), [{confirm, true}] =:= rabbit_channel:info(Pid, [confirm])]")}.`,
        ),
    },
    {
      name: "inboxes deleted",
      concerns: ["the inbox"],
      harmsCalls: true,
      isQuiet: false,
      begin: () =>
        evaluate(
          `[${deleteQueue("Q")} || Q <- rabbit_amqqueue:list(), amqqueue:get_exclusive_owner(Q) =/= none,
             length(rabbit_binding:list_for_destination(amqqueue:get_name(Q))) =:= 1].`,
        ),
    },
  ];
}

/** What the broker has of queues, consumers and channels, a line for each that is not idle. */
async function stateOf(node: RabbitmqNode): Promise<readonly string[]> {
  const lists = [
    ["list_queues", "name", "messages_ready", "messages_unacknowledged", "consumers", "state", "pid"],
    ["list_consumers", "queue_name", "channel_pid", "consumer_tag", "active", "prefetch_count"],
    ["list_channels", "pid", "consumer_count", "messages_unacknowledged", "prefetch_count", "confirm", "state"],
  ];
  const texts = await Promise.all(
    lists.map(([command = "", ...columns]) =>
      node.control("-q", command, "--no-table-headers", ...columns).then(
        (text) => text.split("\n").map((line) => line.trim().replaceAll("\t", " ")),
        (error: unknown) => [String(error)],
      ),
    ),
  );
  return texts.flatMap((lines, index) => {
    const [what = "", ...columns] = lists[index] ?? [];
    const own = lines.filter(
      (line) => line !== "" && (what !== "list_queues" || line.includes("victim") || line.startsWith("amq.")),
    );
    return [`${what} ${columns.join(" ")}`, ...own.slice(0, MOST_LINES)];
  });
}

/** By what breaks the protocol on them: an acknowledgement that nobody can have sent. Says of each whether it is still there. */
function closeChannels(pids: string): string {
  return `Pids = ${pids}, [rabbit_channel:do(Pid, {'basic.ack', 987654321, false}) || Pid <- Pids],
    Gone = fun Wait(Pid, Looks) ->
      case is_process_alive(Pid) andalso Looks > 0 of true -> timer:sleep(20), Wait(Pid, Looks - 1); false -> is_process_alive(Pid) end
    end,
    [Gone(Pid, 500) || Pid <- Pids]`;
}

function deleteQueue(queue: string): string {
  return `rabbit_amqqueue:delete(${queue}, false, false, <<"faults">>)`;
}

function deleteBoundTo(exchange: string): string {
  return `lists:map(fun({resource, _, queue, _} = Name) ->
    case rabbit_amqqueue:lookup(Name) of {ok, Q} -> ${deleteQueue("Q")}; _ -> gone end
  end, lists:usort([element(4, B) || B <- rabbit_binding:list_for_source(rabbit_misc:r(<<"/">>, exchange, <<"${exchange}">>))])).`;
}

function queueName(queue: string): string {
  return `rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)`;
}
