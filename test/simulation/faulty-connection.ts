import type {
  Address,
  ConnectOptions,
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  QueueSpec,
  WireDelivery,
  WireMessage,
  WireSettlement,
} from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { FaultyEnd, QueueLane } from "./faulty-driver-options.js";
import { FaultyWire, never } from "./faulty-wire.js";
import type { Line } from "./line.js";

/** Something on a connection that can be lost alone. */
export interface Breakable {
  readonly kind: "consumer" | "subscription" | "inbox";
  /** At the broker at once; the application is told so many milliseconds later. */
  lose(noticedAfterMs: number): void;
}

/** What came through one consumer. */
interface Deliveries {
  readonly from: QueueLane;
  /** Out, as the broker sees it. */
  readonly unsettled: Set<WireDelivery>;
  /** As the process counts itself: what it has settled it holds no longer, though the broker does not know yet. */
  readonly held: Set<WireDelivery>;
}

/**
 * One connection over a wire: each way of each channel is a line of its own. What is on the lines is lost with the
 * connection; what reached the broker is not.
 */
export class FaultyConnection implements DriverConnection {
  readonly #driver: FaultyEnd;
  readonly #real: DriverConnection;
  readonly #callbacks: ConnectOptions;
  readonly #onEnd: () => void;
  readonly #wire: FaultyWire;
  readonly #queueLine: Line;
  readonly #frameLine: Line;
  readonly #askLine: Line;
  readonly #breakables = new Set<Breakable>();
  /** Their addresses. */
  readonly #inboxes = new Set<string>();
  /** Of each consumer. */
  readonly #deliveries = new Set<Deliveries>();
  /** Publishers that wait for room in the socket. */
  readonly #waitingForRoom: (() => void)[] = [];
  #isClosedByUs = false;
  /** What frames are refused with from the loss on until it is told. Undefined: they seem to be sent. */
  #refusal: MessagingError | undefined;

  constructor(driver: FaultyEnd, real: DriverConnection, callbacks: ConnectOptions, onEnd: () => void) {
    this.#driver = driver;
    this.#real = real;
    this.#callbacks = callbacks;
    this.#onEnd = onEnd;
    this.#wire = new FaultyWire(driver);
    this.#queueLine = this.#wire.line();
    this.#frameLine = this.#wire.line();
    this.#askLine = this.#wire.line();
  }

  get breakables(): readonly Breakable[] {
    return [...this.#breakables];
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    const { trace, process, watch, weather } = this.#driver.options;
    if (this.#driver.isDead) return never();
    if (this.#wire.lost !== undefined) return Promise.reject(this.#wire.lost);
    trace.frame("sent", process, to, message);
    watch.onSent(process, message);
    if (to.kind === "queue") {
      return this.#wire.ask(this.#queueLine, () => this.#real.publish(to, message), this.#wire.news);
    }
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    this.#frameLine.push(() => {
      this.#waitingForRoom.shift()?.();
      this.#real.publish(to, message).catch(() => undefined);
    });
    if (this.#frameLine.size <= weather.socketFrames) return Promise.resolve();
    return this.#wire.wait((resolve) => this.#waitingForRoom.push(resolve));
  }

  async consume(
    queue: QueueSpec,
    options: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    const { trace, process, watch } = this.#driver.options;
    const back = this.#wire.line();
    const from: QueueLane = { queue: queue.name, lane: options.lane };
    const deliveries: Deliveries = { from, unsettled: new Set(), held: new Set() };
    this.#deliveries.add(deliveries);
    let isStopped = false;
    const onReal = (delivery: WireDelivery): void => {
      deliveries.unsettled.add(delivery);
      deliveries.held.add(delivery);
      watch.onDelivery(process, from, delivery.message.correlationId);
      back.push(() => {
        if (isStopped || this.#wire.isSilent) return;
        trace.frame(delivery.redelivered ? "redelivered" : "arrived", "queue", process, delivery.message);
        onDelivery({
          message: delivery.message,
          deliveries: delivery.deliveries,
          redelivered: delivery.redelivered,
          settle: (settlement) => this.#settle(delivery, settlement, deliveries),
        });
      });
    };
    const { breakable, loseAlone } = this.#breakable("consumer", back, {
      isStopped: () => isStopped,
      onLost,
      drop: () => {
        void real.stop();
        for (const delivery of deliveries.unsettled) void delivery.settle("release");
        this.#returned(deliveries);
      },
    });
    const real: DriverConsumer = await this.#wire.ask(
      this.#askLine,
      () => this.#real.consume(queue, options, onReal, (error) => loseAlone(error, 0)),
      back,
    );
    this.#breakables.add(breakable);
    return {
      stop: () =>
        this.#stop(back, () => {
          this.#breakables.delete(breakable);
          return real.stop();
        }).finally(() => {
          isStopped = true;
        }),
      setPrefetch: (prefetch) => {
        trace.note(`${process} asks for a prefetch of ${prefetch}, lane ${options.lane ?? "none"}`);
        return this.#wire.ask(this.#askLine, () => real.setPrefetch(prefetch), back);
      },
    };
  }

  async subscribe(
    broadcast: string,
    node: NodeId,
    onMessage: (message: WireMessage) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverResource> {
    const { trace, process, watch, weather, random, world } = this.#driver.options;
    const back = this.#wire.line();
    let isStopped = false;
    const arrive = (message: WireMessage, fate: "arrived" | "twice"): void => {
      if (isStopped || back.isCut || this.#wire.isSilent) return;
      trace.frame(fate, "broadcast", process, message);
      watch.onHeard(process, message);
      onMessage(message);
    };
    const onReal = (message: WireMessage): void => {
      if (random.chance(weather.loseBroadcast)) {
        trace.frame("lost", "broadcast", process, message);
        return;
      }
      if (random.chance(weather.repeatBroadcast)) {
        world.after(random.int(0, weather.maxDelayMs), () => arrive(message, "twice"));
      }
      const isLate = random.chance(weather.delayBroadcast);
      if (isLate) world.after(random.int(0, weather.maxDelayMs), () => arrive(message, "arrived"));
      else back.push(() => arrive(message, "arrived"));
    };
    return this.#listen("subscription", back, onLost, () => isStopped, {
      open: (lost) => this.#real.subscribe(broadcast, node, onReal, lost),
      onStopped: () => {
        isStopped = true;
      },
    });
  }

  async openInbox(onMessage: (message: WireMessage) => void, onLost: (error: unknown) => void): Promise<DriverInbox> {
    const { trace, process, watch } = this.#driver.options;
    const back = this.#wire.line();
    let isStopped = false;
    const onReal = (message: WireMessage): void => {
      if (this.#driver.losesFrame(message)) {
        trace.frame("lost", "inbox", process, message);
        watch.onFrameLost(process, message);
        return;
      }
      back.push(() => {
        if (isStopped || this.#wire.isSilent) return;
        trace.frame("arrived", "inbox", process, message);
        if (this.#inboxes.has(address)) watch.onArrived(process, message);
        onMessage(message);
      });
    };
    let address = "";
    const gone = (): void => {
      if (this.#inboxes.delete(address)) watch.onInboxGone(process, address);
    };
    const loseInbox = (error: unknown): void => {
      gone();
      onLost(error);
    };
    const { stop } = await this.#listen("inbox", back, loseInbox, () => isStopped, {
      open: async (lost) => {
        const inbox = await this.#real.openInbox(onReal, lost);
        address = inbox.address;
        trace.nameInbox(address, `inbox of ${process}`);
        return inbox;
      },
      onStopped: () => {
        isStopped = true;
      },
    });
    this.#inboxes.add(address);
    watch.onInboxLive(process, address);
    return {
      address,
      stop: () => {
        // Given up by its owner, who hears nothing of what is still on its way there.
        gone();
        return stop();
      },
    };
  }

  async close(): Promise<void> {
    this.#isClosedByUs = true;
    if (this.#wire.lost !== undefined) return;
    // What was handed over is flushed: the lines run empty first.
    const flushed = [this.#queueLine, this.#frameLine, this.#askLine].map(
      (line) => new Promise<void>((resolve) => line.push(resolve)),
    );
    const { world } = this.#driver.options;
    await Promise.race([Promise.all(flushed), new Promise<void>((resolve) => world.after(4_000, resolve))]);
    for (const deliveries of this.#deliveries) this.#returned(deliveries);
    this.#end(new MessagingError("UNAVAILABLE", "the connection is closed"));
    await this.#real.close();
  }

  /** The broker forgets it at once; the application is told so many milliseconds later. */
  lose(noticedAfterMs: number): void {
    if (this.#wire.lost !== undefined) return;
    const failure = new MessagingError("UNAVAILABLE", "the connection was lost");
    this.#wire.cutAll();
    for (const deliveries of this.#deliveries) this.#returned(deliveries);
    void this.#real.close();
    const { world, random } = this.#driver.options;
    // Whoever is refused for longer than a moment is told so.
    if (random.chance(0.5) && noticedAfterMs <= 50) this.#refusal = failure;
    world.after(noticedAfterMs, () => {
      if (this.#wire.lost !== undefined) return;
      this.#end(failure);
      if (this.#isClosedByUs || this.#driver.isDead) return;
      const { watch, process } = this.#driver.options;
      for (const inbox of this.#inboxes) watch.onInboxGone(process, inbox);
      this.#inboxes.clear();
      this.#callbacks.onLost(failure);
    });
  }

  /** Nothing passes, in any direction, for so long; then everything does. */
  freeze(ms: number): void {
    this.#wire.freeze(ms);
  }

  tell(news: () => void): void {
    this.#wire.tell(news);
  }

  onReturned(frame: WireMessage): void {
    const { trace, process } = this.#driver.options;
    this.tell(() => {
      trace.frame("returned", process, process, frame);
      this.#callbacks.onReturned(frame);
    });
  }

  /** The broker has them again. */
  #returned({ from, unsettled, held }: Deliveries): void {
    const { watch, process } = this.#driver.options;
    watch.onReturned(process, from, held.size);
    unsettled.clear();
    held.clear();
  }

  #settle(delivery: WireDelivery, settlement: WireSettlement, { from, unsettled, held }: Deliveries): Promise<boolean> {
    if (this.#driver.isDead) return never();
    const { trace, process, watch } = this.#driver.options;
    trace.settlement(process, delivery.message, typeof settlement === "string" ? settlement : "stored anew");
    if (settlement === "ack") watch.onAck(process, delivery.message.correlationId);
    if (held.delete(delivery)) watch.onReturned(process, from, 1);
    const settled = this.#wire.ask(
      this.#askLine,
      () => {
        if (!unsettled.delete(delivery)) return Promise.resolve(false);
        return delivery.settle(settlement);
      },
      this.#wire.news,
    );
    return settled.catch(() => false);
  }

  async #listen(
    kind: Breakable["kind"],
    back: Line,
    onLost: (error: unknown) => void,
    isStopped: () => boolean,
    { open, onStopped }: { open(lost: (error: unknown) => void): Promise<DriverResource>; onStopped(): void },
  ): Promise<DriverResource> {
    const drop = (): void => void real.stop();
    const { breakable, loseAlone } = this.#breakable(kind, back, { isStopped, onLost, drop });
    const real: DriverResource = await this.#wire.ask(this.#askLine, () => open((error) => loseAlone(error, 0)), back);
    this.#breakables.add(breakable);
    return {
      stop: () =>
        this.#stop(back, () => {
          this.#breakables.delete(breakable);
          return real.stop();
        }).finally(onStopped),
    };
  }

  /** What can be lost alone, from when it is among the others. */
  #breakable(
    kind: Breakable["kind"],
    back: Line,
    { isStopped, onLost, drop }: { isStopped(): boolean; onLost(error: unknown): void; drop(): void },
  ): { readonly breakable: Breakable; loseAlone(error: unknown, noticedAfterMs: number): void } {
    const loseAlone = (error: unknown, noticedAfterMs: number): void => {
      if (!this.#breakables.delete(breakable)) return;
      this.#wire.cut(back);
      this.#wire.afterwards(noticedAfterMs, () => {
        if (!isStopped()) onLost(error);
      });
    };
    const lose = (noticedAfterMs: number): void => {
      drop();
      loseAlone(new MessagingError("UNAVAILABLE", `the ${kind} was lost`), noticedAfterMs);
    };
    const breakable: Breakable = { kind, lose };
    return { breakable, loseAlone };
  }

  /** Never rejects; what is on the way still arrives before it resolves. */
  #stop(back: Line, stop: () => Promise<void>): Promise<void> {
    const stopped = this.#wire.ask(this.#askLine, stop, back);
    return stopped.then(() => this.#wire.forget(back)).catch(() => undefined);
  }

  #end(error: MessagingError): void {
    this.#breakables.clear();
    this.#waitingForRoom.length = 0;
    this.#wire.end(error);
    this.#onEnd();
  }
}
