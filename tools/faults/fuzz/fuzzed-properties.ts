import { FRAME, FRAME_HEADER } from "../../../src/driver/index.js";
import { type Dice, HEADER_VALUES, OTHER_HEADERS } from "./fuzzed-frame.js";
import { longText, shortText } from "./raw-amqp.js";

/** Names that mean something to the adapter, besides those that mean something to everybody. */
const NAMES = [
  ...Object.values(FRAME_HEADER),
  ...OTHER_HEADERS,
  "fairlead-amqp-publish-id",
  "fairlead-amqp-expires-at",
  "fairlead-amqp-due-at",
  "fairlead-amqp-named-x-death",
  "x-first-death-queue",
  "x-delivery-count",
  "ServerNodeID",
  "Scope",
  "__proto__",
  "\u2603",
];
/** Each tag of a field, with as many random bytes as it has. */
const FIXED: readonly (readonly [string, number])[] = [
  ["t", 1],
  ["b", 1],
  ["B", 1],
  ["s", 2],
  ["u", 2],
  ["I", 4],
  ["i", 4],
  ["l", 8],
  ["D", 5],
  ["T", 8],
  ["V", 0],
];
const DEEPEST = 3;
const MOST_FIELDS = 8;

/** What the flags stand for, the highest bit first. */
const FLAG = {
  contentType: 15,
  headers: 13,
  deliveryMode: 12,
  priority: 11,
  correlationId: 10,
  replyTo: 9,
  messageId: 7,
};
const LOW_FLAG = { timestamp: 6, type: 5, appId: 3 };

export interface PropertyIds {
  /** Of calls that it may be about. */
  readonly ids: readonly string[];
  readonly replyTo: readonly string[];
}

/** Properties of a message as no client of ours would write them: headers of every type, nested, and numbers at their ends. */
export function fuzzedProperties(dice: Dice, { ids, replyTo }: PropertyIds, contentType?: string): Buffer {
  const pick = <T>(items: readonly T[]): T => items[dice(items.length)] as T;
  let flags = 0;
  const values: Buffer[] = [];
  const add = (bit: number, value: () => Buffer, chance = 2): void => {
    if (chance > 1 && dice(chance) === 0) return;
    flags |= 1 << bit;
    values.push(value());
  };
  if (contentType !== undefined) add(FLAG.contentType, () => shortText(contentType), 1);
  add(FLAG.headers, () => longText(fields(dice, 0)), 20);
  add(FLAG.deliveryMode, () => Buffer.from([1 + dice(2)]));
  add(FLAG.priority, () => Buffer.from([dice(256)]));
  add(FLAG.correlationId, () => shortText(pick([...ids, "", "nobody"])));
  add(FLAG.replyTo, () => shortText(pick([...replyTo, "", "amq.gen-nobody"])));
  add(FLAG.messageId, () => shortText(pick([...ids, "", "m"])));
  add(LOW_FLAG.timestamp, () => bytes(dice, 8));
  add(LOW_FLAG.type, () => shortText(pick([...Object.values(FRAME), "", "Nonsense"])));
  add(LOW_FLAG.appId, () => shortText("x".repeat(dice(255))));
  const head = Buffer.alloc(2);
  head.writeUInt16BE(flags);
  return Buffer.concat([head, ...values]);
}

function fields(dice: Dice, depth: number): Buffer {
  const names = new Set(Array.from({ length: 1 + dice(MOST_FIELDS) }, () => NAMES[dice(NAMES.length)] ?? ""));
  // The broker takes no field without a name.
  names.delete("");
  return Buffer.concat([...names].flatMap((name) => [shortText(name), value(dice, depth)]));
}

function value(dice: Dice, depth: number): Buffer {
  switch (dice(depth < DEEPEST ? 8 : 6)) {
    case 0:
      return tagged("S", longText(HEADER_VALUES[dice(HEADER_VALUES.length)] ?? ""));
    case 1:
      return tagged("S", longText(bytes(dice, dice(50))));
    case 2:
      return dice(2) === 0 ? tagged("d", double(dice)) : tagged("x", longText(bytes(dice, dice(50))));
    case 6:
      return tagged("F", longText(fields(dice, depth + 1)));
    case 7:
      return tagged("A", longText(Buffer.concat(Array.from({ length: dice(5) }, () => value(dice, depth + 1)))));
    default: {
      const [tag, length] = FIXED[dice(FIXED.length)] ?? ["V", 0];
      return tagged(tag, bytes(dice, length));
    }
  }
}

/** Of a broker that is written in Erlang, anything else than a number costs the connection. */
function double(dice: Dice): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleBE([0, -0.5, 1e300, 2 ** 53][dice(4)] ?? 0);
  return number;
}

function tagged(tag: string, of: Buffer): Buffer {
  return Buffer.concat([Buffer.from(tag), of]);
}

/** Now and then all ones or all noughts: the ends of what a number can be. */
function bytes(dice: Dice, length: number): Buffer {
  const kind = dice(4);
  return Buffer.from(Array.from({ length }, () => (kind === 0 ? 0xff : kind === 1 ? 0 : dice(256))));
}
