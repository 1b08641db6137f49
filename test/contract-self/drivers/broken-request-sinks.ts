import {
  type Address,
  type DriverConnection,
  FRAME,
  FRAME_HEADER,
  type WireDelivery,
  type WireMessage,
} from "../../../src/driver/index.js";
import { type BrokenDriver, changed, type Sabotage } from "../broken-driver.js";

type Publish = (publish: DriverConnection["publish"], to: Address, message: WireMessage) => Promise<void>;

function publishing(change: Publish): Sabotage {
  return {
    connection: (real) => ({
      publish: (to, message) => change((address, frame) => real.publish(address, frame), to, message),
    }),
  };
}

function delivering(change: (delivery: WireDelivery) => WireDelivery): Sabotage {
  return {
    connection: (real) => ({
      consume: (queue, options, onDelivery, onLost) =>
        real.consume(queue, options, (delivery) => onDelivery(change(delivery)), onLost),
    }),
  };
}

/** Frames that reach an inbox, in place of each that comes. */
function receiving(createChange: () => (message: WireMessage) => readonly WireMessage[]): Sabotage {
  return {
    connection: (real) => ({
      openInbox: (onMessage, onLost) => {
        const change = createChange();
        const changed = (message: WireMessage): void => {
          for (const frame of change(message)) onMessage(frame);
        };
        return real.openInbox(changed, onLost);
      },
    }),
  };
}

/** Drops every frame of this type, or every one after so many. */
function dropping(type: string, after = 0): Sabotage {
  return {
    connection: (real) => {
      let count = 0;
      return {
        async publish(to, message) {
          if (message.type === type) {
            count += 1;
            if (count > after) return;
          }
          await real.publish(to, message);
        },
      };
    },
  };
}

/** By turns of seven, so that no lane is spared. */
function spreadingLanes(): Sabotage {
  const lanes = ["expedite", "standard", "bulk"] as const;
  let count = 0;
  return publishing((publish, to, message) => {
    if (to.kind !== "queue") return publish(to, message);
    count += 1;
    return publish({ ...to, lane: lanes[Math.floor(count / 7) % 3] ?? "standard" }, message);
  });
}

export const brokenRequestSinks: readonly BrokenDriver[] = [
  {
    name: "hands every frame to an inbox twice",
    sabotage: receiving(() => (message) => [message, message]),
    caughtBy: ["R-141", "R-144"],
  },
  {
    name: "loses a response now and then, and again when it is sent again",
    sabotage: receiving(() => (message) => {
      const sequence = Number(message.headers[FRAME_HEADER.sequence]);
      return message.type === FRAME.response && sequence % 40 === 0 ? [] : [message];
    }),
    caughtBy: ["R-02", "R-14", "R-53", "R-58"],
  },
  {
    name: "swaps frames in an inbox",
    sabotage: receiving(() => {
      let held: WireMessage | undefined;
      return (message) => {
        if (held === undefined && message.type === FRAME.response) {
          held = message;
          return [];
        }
        const frames = held === undefined ? [message] : [message, held];
        held = undefined;
        return frames;
      };
    }),
    caughtBy: ["R-02", "R-04", "R-15", "R-53"],
  },
  {
    name: "loses credit",
    sabotage: dropping(FRAME.credit),
    caughtBy: ["R-23", "R-50", "R-51", "R-54", "R-58", "R-59", "R-62"],
  },
  {
    name: "loses the second credit of a link, and all after it",
    sabotage: dropping(FRAME.credit, 1),
    caughtBy: ["R-53", "R-54"],
  },
  {
    name: "loses aborts",
    sabotage: dropping(FRAME.abort),
    caughtBy: ["R-30", "R-31", "R-32", "R-36", "R-38", "R-40", "R-41", "R-42"],
  },
  {
    name: "loses the ends of calls",
    sabotage: dropping(FRAME.end),
    caughtBy: ["R-03", "R-56", "R-115", "R-213"],
  },
  {
    name: "loses the pulse of servers",
    sabotage: dropping(FRAME.alive),
    caughtBy: ["R-62", "R-79", "R-85", "R-114"],
  },
  {
    name: "sends to all what a broadcast addresses to a node",
    sabotage: publishing((publish, to, message) =>
      publish(to.kind === "broadcast" ? { kind: "broadcast", name: to.name } : to, message),
    ),
    caughtBy: ["R-41", "R-63"],
  },
  {
    name: "loses what a client asks for again",
    sabotage: dropping(FRAME.resume),
    caughtBy: ["R-112", "R-113", "R-200", "R-202", "R-208", "R-211", "R-212", "R-214", "R-216", "R-231"],
  },
  {
    name: "forgets which Resume a frame answers",
    sabotage: publishing((publish, to, message) => {
      if (to.kind !== "inbox") return publish(to, message);
      const { [FRAME_HEADER.resume]: _, ...headers } = message.headers;
      return publish(to, { ...message, headers });
    }),
    caughtBy: ["R-112", "R-200", "R-205", "R-207", "R-215", "R-220", "R-221"],
  },
  {
    name: "asks for the answers in the inbox of the request",
    sabotage: {
      connection: (real) => {
        let first: string | undefined;
        return {
          async publish(to, message) {
            first ??= message.type === FRAME.signal ? message.replyTo : undefined;
            const isChanged = message.type === FRAME.resume && first !== undefined;
            const headers = isChanged ? { ...message.headers, [FRAME_HEADER.inbox]: first ?? "" } : message.headers;
            await real.publish(to, { ...message, headers });
          },
        };
      },
    },
    caughtBy: ["R-200", "R-201", "R-208", "R-215"],
  },
  {
    name: "loses what tells a server that its ends have come",
    sabotage: publishing((publish, to, message) =>
      message.headers[FRAME_HEADER.closing] === undefined ? publish(to, message) : Promise.resolve(),
    ),
    caughtBy: ["R-227", "R-236"],
  },
  {
    name: "forgets which calls are over",
    sabotage: publishing((publish, to, message) => {
      if (message.type !== FRAME.alive) return publish(to, message);
      const body = Buffer.from(Buffer.from(message.body).toString().replaceAll(",true]", "]"));
      return publish(to, { ...message, body });
    }),
    caughtBy: ["R-213", "R-227", "R-235"],
  },
  {
    name: "puts every request into one lane",
    sabotage: publishing((publish, to, message) =>
      publish(to.kind === "queue" ? { ...to, lane: "standard" } : to, message),
    ),
    caughtBy: ["R-90", "R-91"],
  },
  {
    name: "spreads the requests of each lane over all three",
    sabotage: spreadingLanes(),
    caughtBy: ["R-97"],
  },
  {
    name: "ignores the prefetch",
    sabotage: {
      connection: (real) => ({
        consume: (queue, options, onDelivery, onLost) =>
          real.consume(queue, { ...options, prefetch: 1_000 }, onDelivery, onLost),
      }),
    },
    caughtBy: ["R-93"],
  },
  {
    name: "never says that a request comes again",
    sabotage: delivering((delivery) => ({ ...changed(delivery, {}), redelivered: false })),
    caughtBy: ["R-99", "R-101"],
  },
  {
    name: "says of every request that it comes again",
    sabotage: delivering((delivery) => ({ ...changed(delivery, {}), redelivered: true })),
    caughtBy: ["R-02", "R-18", "R-24"],
  },
  {
    name: "lets no request expire",
    sabotage: publishing((publish, to, message) => publish(to, { ...message, expiresInMs: undefined })),
    caughtBy: ["R-78"],
  },
  {
    name: "drops frames that come back",
    sabotage: { connectOptions: (options) => ({ ...options, onReturned: () => {} }) },
    caughtBy: ["R-45", "R-224", "R-229"],
  },
  {
    name: "tells of frames that come back when it is almost too late",
    sabotage: {
      connectOptions: (options) => ({
        ...options,
        onReturned: (frame) => void setTimeout(() => options.onReturned(frame), 1_500).unref(),
      }),
    },
    caughtBy: ["R-45"],
  },
  {
    name: "never tells that the connection is lost",
    sabotage: { connectOptions: (options) => ({ ...options, onLost: () => {} }) },
    caughtBy: ["R-118", "R-122", "R-123"],
  },
  {
    name: "cuts large bodies short",
    sabotage: publishing((publish, to, message) => publish(to, { ...message, body: message.body.subarray(0, 50_000) })),
    caughtBy: ["R-152"],
  },
  {
    name: "forgets the content type",
    sabotage: publishing((publish, to, message) =>
      publish(to, { ...message, contentType: "application/octet-stream" }),
    ),
    caughtBy: ["R-166", "R-167", "R-168"],
  },
];
