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
import type { FaultyEnd } from "./faulty-driver-options.js";
import { Line } from "./line.js";

/** Something on a connection that can be lost alone. */
export interface Breakable {
  readonly kind: "consumer" | "subscription" | "inbox";
  /** At the broker at once; the application is told so many milliseconds later. */
  lose(noticedAfterMs: number): void;
}

/** What came through one consumer. */
interface Deliveries {
  /** Out, as the broker sees it. */
  readonly unsettled: Set<WireDelivery>;
  /** As the process counts itself: what it has settled it holds no longer, though the broker does not know yet. */
  readonly held: Set<WireDelivery>;
}

/** What waits for an answer of the broker. */
interface Question {
  /** On which the answer comes. */
  readonly back: Line | undefined;
  fail(error: MessagingError): void;
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
  readonly #lines = new Set<Line>();
  readonly #queueLine: Line;
  readonly #frameLine: Line;
  readonly #askLine: Line;
  readonly #newsLine: Line;
  readonly #questions = new Set<Question>();
  readonly #breakables = new Set<Breakable>();
  /** Of each consumer. */
  readonly #deliveries = new Set<Deliveries>();
  /** Publishers that wait for room in the socket. */
  readonly #waitingForRoom: (() => void)[] = [];
  #frozenUntil = 0;
  #lost: MessagingError | undefined;
  #isClosedByUs = false;

  constructor(driver: FaultyEnd, real: DriverConnection, callbacks: ConnectOptions, onEnd: () => void) {
    this.#driver = driver;
    this.#real = real;
    this.#callbacks = callbacks;
    this.#onEnd = onEnd;
    this.#queueLine = this.#line();
    this.#frameLine = this.#line();
    this.#askLine = this.#line();
    this.#newsLine = this.#line();
  }

  get breakables(): readonly Breakable[] {
    return [...this.#breakables];
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    const { trace, process, watch, weather } = this.#driver.options;
    if (this.#driver.isDead) return never();
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    trace.frame("sent", process, to, message);
    watch.onSent(process, message);
    if (to.kind === "queue") {
      return this.#ask(
        this.#queueLine,
        () => this.#real.publish(to, message),
        () => {},
        this.#newsLine,
      );
    }
    this.#frameLine.push(() => {
      this.#waitingForRoom.shift()?.();
      this.#real.publish(to, message).catch(() => undefined);
    });
    if (this.#frameLine.size <= weather.socketFrames) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const question: Question = { back: undefined, fail: reject };
      this.#questions.add(question);
      this.#waitingForRoom.push(() => {
        this.#questions.delete(question);
        resolve();
      });
    });
  }

  async consume(
    queue: QueueSpec,
    options: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    const { trace, process, watch } = this.#driver.options;
    const back = this.#line();
    const deliveries: Deliveries = { unsettled: new Set(), held: new Set() };
    this.#deliveries.add(deliveries);
    let isStopped = false;
    const onReal = (delivery: WireDelivery): void => {
      deliveries.unsettled.add(delivery);
      deliveries.held.add(delivery);
      watch.onDelivery(process, delivery.message.correlationId);
      back.push(() => {
        if (isStopped || this.#isSilent) return;
        trace.frame(delivery.redelivered ? "redelivered" : "arrived", "queue", process, delivery.message);
        onDelivery({
          message: delivery.message,
          deliveries: delivery.deliveries,
          redelivered: delivery.redelivered,
          settle: (settlement) => this.#settle(delivery, settlement, deliveries),
        });
      });
    };
    const loseAlone = (error: unknown, noticedAfterMs: number): void => {
      if (!this.#breakables.delete(breakable)) return;
      this.#cut(back);
      this.#afterwards(noticedAfterMs, () => {
        if (!isStopped) onLost(error);
      });
    };
    const breakable: Breakable = {
      kind: "consumer",
      lose: (noticedAfterMs) => {
        void real.stop();
        for (const delivery of deliveries.unsettled) void delivery.settle("release");
        this.#returned(deliveries);
        loseAlone(new MessagingError("UNAVAILABLE", "the consumer was lost"), noticedAfterMs);
      },
    };
    const real: DriverConsumer = await this.#ask(
      this.#askLine,
      () => this.#real.consume(queue, options, onReal, (error) => loseAlone(error, 0)),
      () => {},
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
        return this.#ask(
          this.#askLine,
          () => real.setPrefetch(prefetch),
          () => {},
          back,
        );
      },
    };
  }

  async subscribe(
    broadcast: string,
    node: NodeId,
    onMessage: (message: WireMessage) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverResource> {
    const { trace, process, weather, random, world } = this.#driver.options;
    const back = this.#line();
    let isStopped = false;
    const arrive = (message: WireMessage, fate: "arrived" | "twice"): void => {
      if (isStopped || back.isCut || this.#isSilent) return;
      trace.frame(fate, "broadcast", process, message);
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
    const back = this.#line();
    let isStopped = false;
    const onReal = (message: WireMessage): void =>
      back.push(() => {
        if (isStopped || this.#isSilent) return;
        trace.frame("arrived", "inbox", process, message);
        watch.onArrived(process, message);
        onMessage(message);
      });
    let address = "";
    const { stop } = await this.#listen("inbox", back, onLost, () => isStopped, {
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
    return { address, stop };
  }

  async close(): Promise<void> {
    this.#isClosedByUs = true;
    if (this.#lost !== undefined) return;
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
    if (this.#lost !== undefined) return;
    const failure = new MessagingError("UNAVAILABLE", "the connection was lost");
    for (const line of this.#lines) line.cut();
    for (const deliveries of this.#deliveries) this.#returned(deliveries);
    void this.#real.close();
    const { world } = this.#driver.options;
    world.after(noticedAfterMs, () => {
      if (this.#lost !== undefined) return;
      this.#end(failure);
      if (!this.#isClosedByUs && !this.#driver.isDead) this.#callbacks.onLost(failure);
    });
  }

  /** Nothing passes, in any direction, for so long; then everything does. */
  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#driver.options.world.now + ms);
    for (const line of this.#lines) line.freezeUntil(this.#frozenUntil);
  }

  tell(news: () => void): void {
    this.#newsLine.push(() => {
      if (!this.#isSilent) news();
    });
  }

  onReturned(frame: WireMessage): void {
    const { trace, process } = this.#driver.options;
    this.tell(() => {
      trace.frame("returned", process, process, frame);
      this.#callbacks.onReturned(frame);
    });
  }

  /** The broker has them again. */
  #returned({ unsettled, held }: Deliveries): void {
    const { watch, process } = this.#driver.options;
    watch.onReturned(process, held.size);
    unsettled.clear();
    held.clear();
  }

  /** Nothing is told to the application any more. */
  get #isSilent(): boolean {
    return this.#driver.isDead || this.#lost !== undefined;
  }

  #line(): Line {
    const line = new Line(this.#driver.options.world, this.#driver.latencyMs, this.#frozenUntil);
    this.#lines.add(line);
    return line;
  }

  /** What waits for an answer on this line is told that there will be none. */
  #cut(line: Line): void {
    line.cut();
    this.#lines.delete(line);
    for (const question of this.#questions) {
      if (question.back !== line) continue;
      this.#questions.delete(question);
      question.fail(new MessagingError("UNAVAILABLE", "lost meanwhile"));
    }
  }

  #afterwards(ms: number, action: () => void): void {
    this.#driver.options.world.after(ms, () => {
      if (!this.#isSilent) action();
    });
  }

  /** A round trip: there on one line, the answer back on another. Rejects when the connection is lost first. */
  #ask<T>(there: Line, run: () => Promise<T>, onAnswer: (value: T) => void, back: Line): Promise<T> {
    if (this.#driver.isDead) return never();
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      const question: Question = { back, fail: reject };
      this.#questions.add(question);
      const answer = (settle: () => void): void =>
        (back.isCut ? this.#newsLine : back).push(() => {
          if (!this.#questions.delete(question)) return;
          settle();
        });
      there.push(() => {
        run().then(
          (value) =>
            answer(() => {
              onAnswer(value);
              resolve(value);
            }),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  #settle(delivery: WireDelivery, settlement: WireSettlement, { unsettled, held }: Deliveries): Promise<boolean> {
    if (this.#driver.isDead) return never();
    const { trace, process, watch } = this.#driver.options;
    trace.settlement(process, delivery.message, typeof settlement === "string" ? settlement : "stored anew");
    if (held.delete(delivery)) watch.onReturned(process, 1);
    const settled = this.#ask(
      this.#askLine,
      () => {
        if (!unsettled.delete(delivery)) return Promise.resolve(false);
        return delivery.settle(settlement);
      },
      () => {},
      this.#newsLine,
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
    const loseAlone = (error: unknown, noticedAfterMs: number): void => {
      if (!this.#breakables.delete(breakable)) return;
      this.#cut(back);
      this.#afterwards(noticedAfterMs, () => {
        if (!isStopped()) onLost(error);
      });
    };
    const breakable: Breakable = {
      kind,
      lose: (noticedAfterMs) => {
        void real.stop();
        loseAlone(new MessagingError("UNAVAILABLE", `the ${kind} was lost`), noticedAfterMs);
      },
    };
    const real: DriverResource = await this.#ask(
      this.#askLine,
      () => open((error) => loseAlone(error, 0)),
      () => {},
      back,
    );
    this.#breakables.add(breakable);
    return {
      stop: () =>
        this.#stop(back, () => {
          this.#breakables.delete(breakable);
          return real.stop();
        }).finally(onStopped),
    };
  }

  /** Never rejects; what is on the way still arrives before it resolves. */
  #stop(back: Line, stop: () => Promise<void>): Promise<void> {
    return this.#ask(this.#askLine, stop, () => this.#lines.delete(back), back).catch(() => undefined);
  }

  #end(error: MessagingError): void {
    this.#lost = error;
    for (const line of this.#lines) line.cut();
    this.#lines.clear();
    this.#breakables.clear();
    this.#waitingForRoom.length = 0;
    if (!this.#driver.isDead) for (const question of this.#questions) question.fail(error);
    this.#questions.clear();
    this.#onEnd();
  }
}

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
