import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { type Dice, diceOf } from "./fuzzed-frame.js";
import { fuzzedEnvelope, fuzzedMessage, randomBytes } from "./fuzzed-message.js";

export interface GrpcFuzzerOptions {
  /** `host:port` */
  readonly address: string;
  readonly random: () => number;
}

/** What became of the nonsense. */
export interface FuzzResult {
  readonly calls: number;
  /** How often which gRPC status, or `cut` where a stream was reset. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Calls that nobody answered within their time. */
  readonly stuck: readonly string[];
  /** Refusals without a text. */
  readonly unclear: readonly string[];
}

interface Rpc {
  readonly path: string;
  /** It may stay open as long as both sides like: it is left after a while. */
  readonly isOpen: boolean;
}

const rpc = (path: string, isOpen = false): Rpc => ({ path, isOpen });

/** Without those that do what an operator may do to queues: nonsense that happens to make sense would be obeyed. */
const RPCS: readonly Rpc[] = [
  rpc("/queue.QueueApi/PostEvent"),
  rpc("/queue.QueueApi/SubscribeEvents", true),
  rpc("/queue.QueueApi/Ack"),
  rpc("/queue.QueueApi/Close"),
  rpc("/fairlead.v1.Events/Post"),
  rpc("/fairlead.v1.Events/PostEvents"),
  rpc("/fairlead.v1.Events/Subscribe", true),
  rpc("/fairlead.v1.Events/Ack"),
  rpc("/fairlead.v1.Events/Close"),
  rpc("/fairlead.v1.Inspection/Counts"),
  rpc("/fairlead.v1.Inspection/Browse", true),
  rpc("/fairlead.v1.RequestSink/Call", true),
  rpc("/fairlead.v1.RequestSink/Signal", true),
  rpc("/grpc.health.v1.Health/Check"),
  rpc("/grpc.health.v1.Health/Watch", true),
  rpc("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true),
  rpc("/fairlead.v1.Nobody/Nothing"),
  rpc("/"),
  rpc("/queue.QueueApi"),
];
const HEADERS: readonly (readonly [string, string])[] = [
  ["grpc-timeout", "-1S"],
  ["grpc-timeout", "99999999H"],
  ["grpc-timeout", "soon"],
  ["grpc-timeout", "1n"],
  ["grpc-encoding", "gzip"],
  ["grpc-encoding", "nothing"],
  ["grpc-accept-encoding", "nothing"],
  ["content-type", "text/html"],
  ["content-type", "application/grpc+json"],
  ["authorization", "Bearer \u0001"],
  ["x-something-bin", "%%%"],
  ["x-long", "x".repeat(6_000)],
  ["x-very-long", "x".repeat(20_000)],
  ["fairlead-code", "UNAVAILABLE"],
];
const AT_ONCE = 50;
/** An open stream is left after this. */
const LEFT_MS = 40;
/** Every other call has its answer by then, also on a machine that is busy with something else. */
const STUCK_MS = 45_000;
const SOCKET_MS = 30;

/** Calls every rpc with nonsense, and speaks nonsense to the port itself. */
export class GrpcFuzzer {
  readonly #options: GrpcFuzzerOptions;
  readonly #dice: Dice;
  readonly #statuses = new Map<string, number>();
  readonly #stuck: string[] = [];
  readonly #unclear: string[] = [];
  #calls = 0;

  constructor(options: GrpcFuzzerOptions) {
    this.#options = options;
    this.#dice = diceOf(options.random);
  }

  get result(): FuzzResult {
    return {
      calls: this.#calls,
      statuses: Object.fromEntries(this.#statuses),
      stuck: this.#stuck,
      unclear: this.#unclear,
    };
  }

  async run(count: number): Promise<void> {
    let left = count;
    // Each has a connection of its own, for some of what they say costs it.
    const worker = async (_: unknown, index: number): Promise<void> => {
      let link: ClientHttp2Session | undefined;
      while (left > 0) {
        left -= 1;
        this.#calls += 1;
        if (link === undefined || link.closed || link.destroyed) link = await this.#connect(index);
        await (this.#dice(50) === 0 ? this.#speakNonsense() : this.#call(link));
      }
      link?.destroy();
    };
    await Promise.all(Array.from({ length: AT_ONCE }).map(worker));
  }

  /** Where the system lets us, from an address of its own: the server counts what one address does, and cuts it off. */
  #connect(index: number): Promise<ClientHttp2Session> {
    const [host = "", port = "0"] = this.#options.address.split(":");
    const localAddress = process.platform === "linux" ? `127.0.0.${2 + index}` : undefined;
    return new Promise((resolve) => {
      const createConnection = () => connectSocket({ host, port: Number(port), localAddress });
      const session = connect(`http://${this.#options.address}`, { createConnection }, () => resolve(session));
      session.on("error", () => {});
      session.on("close", () => resolve(session));
    });
  }

  async #call(link: ClientHttp2Session): Promise<void> {
    const dice = this.#dice;
    const { path, isOpen } = RPCS[dice(RPCS.length)] ?? RPCS[0] ?? rpc("/");
    const headers: Record<string, string> = { "content-type": "application/grpc", te: "trailers" };
    for (let more = dice(3) === 0 ? 1 + dice(3) : 0; more > 0; more -= 1) {
      const [name, value] = HEADERS[dice(HEADERS.length)] ?? ["x", ""];
      headers[name] = value;
    }
    const method = dice(60) === 0 ? "GET" : "POST";
    let stream: ClientHttp2Stream;
    try {
      stream = link.request({ ":method": method, ":path": path, ...headers });
    } catch {
      // Not even our own side would send it.
      this.#count("not sent");
      return;
    }
    const over = new AbortController();
    const ended = new Promise<string>((resolve) => {
      const take = (given: Readonly<Record<string, unknown>>): void => {
        const status = given["grpc-status"];
        if (typeof status !== "string") {
          const http = given[":status"];
          if (http !== undefined && http !== 200) resolve(`http ${String(http)}`);
          return;
        }
        if (status !== "0" && (given["grpc-message"] ?? "") === "") this.#noteUnclear(`${path}: status ${status}`);
        resolve(status);
      };
      stream.on("response", take);
      stream.on("trailers", take);
      stream.on("error", () => resolve("cut"));
      stream.on("close", () => resolve("cut"));
    });
    stream.resume();
    let sent = 0;
    for (let messages = 1 + (dice(4) === 0 ? dice(4) : 0); messages > 0; messages -= 1) {
      const envelope = fuzzedEnvelope(dice, fuzzedMessage(dice));
      sent += envelope.length;
      stream.write(envelope);
    }
    const leaves = isOpen || dice(10) === 0;
    // A stream that is not half-closed stays open by right.
    if (!leaves || dice(2) === 0) stream.end();
    const limit = leaves ? LEFT_MS : STUCK_MS;
    const late = delay(limit, "late", { signal: over.signal }).catch(() => "late");
    const status = await Promise.race([ended, late]);
    over.abort();
    if (status === "late" && !leaves && !link.destroyed) {
      const what = `${method} ${path} with ${Object.keys(headers).join(", ")} and ${sent} bytes`;
      this.#stuck.push(`${what} was not answered within ${STUCK_MS} ms`);
    }
    this.#count(status === "late" ? "left" : status);
    // A stream that is reset before it was written down ends this process, by a fault of Node.js.
    await immediate();
    if (!stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Bytes that are no HTTP/2, or whose frames are none. */
  #speakNonsense(): Promise<void> {
    const dice = this.#dice;
    const [host = "", port = "0"] = this.#options.address.split(":");
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const texts = [
      "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
      "\u0016\u0003\u0001",
      preface,
      `${preface}${"\u0000".repeat(9)}`,
    ];
    return new Promise((resolve) => {
      const socket = connectSocket(Number(port), host, () => {
        socket.write(texts[dice(texts.length)] ?? "");
        socket.write(randomBytes(dice, dice(400)));
      });
      socket.on("error", () => {});
      socket.resume();
      const timer = setTimeout(() => socket.destroy(), SOCKET_MS);
      socket.on("close", () => {
        clearTimeout(timer);
        this.#count("socket");
        resolve();
      });
    });
  }

  #count(status: string): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  #noteUnclear(text: string): void {
    if (this.#unclear.length < 10) this.#unclear.push(text);
  }
}
