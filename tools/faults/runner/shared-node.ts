import { type RabbitmqNode, startRabbitmq } from "../../rabbitmq/index.js";

/** Undoes whatever a round may have left: alarms, connections and queues. */
const HEAL = `
catch vm_memory_monitor:set_vm_memory_high_watermark(0.4),
catch rabbit_disk_monitor:set_disk_free_limit(50000000),
[catch rabbit_networking:close_connection(Pid, "the round is over") || Pid <- rabbit_networking:connections()],
[catch rabbit_amqqueue:delete(Queue, false, false, <<"faults">>) || Queue <- rabbit_amqqueue:list()],
length(rabbit_amqqueue:list()).`;
const HEAL_TRIES = 3;

/** One RabbitMQ node for all rounds, started when the first one asks. */
export class SharedNode {
  #node: RabbitmqNode | undefined;
  #isUsed = false;
  #isDoubtful = false;
  #turn: Promise<unknown> = Promise.resolve();
  readonly #isHealedAlways: boolean;

  /**
   * Where each scenario runs once, their queues never meet, and what was left need not be cleared away: that costs seconds.
   */
  constructor({ isHealedAlways }: { readonly isHealedAlways: boolean }) {
    this.#isHealedAlways = isHealedAlways;
  }

  /** Running and unharmed. */
  get(): Promise<RabbitmqNode> {
    // One after another: several may ask at once, and one node is for all.
    const node = this.#turn.then(() => this.#get());
    this.#turn = node.catch(() => {});
    return node;
  }

  /** Undefined where nobody has asked for a node, or it does not answer. */
  async version(): Promise<string | undefined> {
    return this.#node?.control("-q", "version").then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  async #get(): Promise<RabbitmqNode> {
    if (this.#isDoubtful) await this.stop();
    if (this.#node !== undefined && this.#isUsed) {
      // What cannot be made whole is replaced.
      await heal(this.#node, this.#isHealedAlways).catch(() => this.stop());
    }
    this.#isDoubtful = false;
    this.#node ??= await startRabbitmq();
    this.#isUsed = true;
    return this.#node;
  }

  /** The next one gets another: a round was ended in the middle of what it did to this one. */
  doubt(): void {
    this.#isDoubtful = this.#isUsed;
  }

  async stop(): Promise<void> {
    const node = this.#node;
    this.#node = undefined;
    this.#isUsed = false;
    await node?.thaw().catch(() => {});
    await node?.stop();
  }
}

async function heal(node: RabbitmqNode, isThorough: boolean): Promise<void> {
  await node.thaw();
  if (!(await node.running())) await node.restart();
  if (!isThorough) return;
  for (let tries = 1; ; tries += 1) {
    const left = (await node.control("eval", HEAL)).trim();
    if (left === "0") return;
    if (tries === HEAL_TRIES) throw new Error(`${left} queues of an earlier round cannot be deleted`);
  }
}
