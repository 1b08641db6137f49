import type { Fact } from "./journal.js";
import {
  ARRIVED,
  alive,
  arrived,
  CALL,
  failed,
  GONE,
  heard,
  LIVE,
  REQUESTED,
  RUN,
  resumed,
  SETTLED,
  taken,
} from "./made-facts.js";

/** What must be seen by the times at which things happen, in milliseconds. */
export const UNTIMELY: readonly (readonly [
  id: string,
  what: string,
  facts: readonly (readonly [atMs: number, fact: Fact])[],
])[] = [
  [
    "S-11",
    "a call goes on beyond its deadline",
    [
      [0, CALL],
      [125_000, SETTLED],
    ],
  ],
  [
    "S-11",
    "a call never ends",
    [
      [0, CALL],
      [125_000, { type: "died", process: "server" }],
    ],
  ],
  [
    "S-11",
    "a call times out too early",
    [
      [0, CALL],
      [5, failed("TIMEOUT", "call: not ended within its time")],
    ],
  ],
  [
    "S-11",
    "a response moves no deadline",
    [
      [0, CALL],
      [119_990, arrived(1)],
      [119_995, taken(0)],
      [120_000, failed("TIMEOUT", "call: not ended within its time")],
    ],
  ],
  [
    "S-12",
    "silence is not noticed",
    [
      [0, CALL],
      [100, alive(0)],
      [1_000, alive(0)],
      [5_000, SETTLED],
    ],
  ],
  [
    "S-12",
    "silence is seen too early",
    [
      [0, CALL],
      [100, alive(0)],
      [1_000, failed("UNAVAILABLE", "it has fallen silent")],
    ],
  ],
  [
    "S-13",
    "an end is not told",
    [
      [0, CALL],
      [100, { ...ARRIVED, frame: "End", total: 0 }],
      [200, SETTLED],
    ],
  ],
  [
    "S-13",
    "an error is not told",
    [
      [0, CALL],
      [100, { ...ARRIVED, frame: "Error" }],
      [200, SETTLED],
    ],
  ],
  [
    "S-13",
    "a gap that lasts is not seen",
    [
      [0, CALL],
      [100, arrived(2)],
      [100, resumed(1, 0)],
      [200, { ...ARRIVED, sequence: 2, counter: 1 }],
      [300, SETTLED],
    ],
  ],
  [
    "S-13",
    "an abort waits",
    [
      [0, CALL],
      [100, { type: "aborted", call: 0 }],
      [200, SETTLED],
    ],
  ],
  [
    "S-13",
    "the loss of an inbox is not told, though nobody has answered",
    [
      [0, CALL],
      [1, REQUESTED],
      [100, GONE],
      [200, SETTLED],
    ],
  ],
  [
    "S-15",
    "a gap is not seen",
    [
      [0, CALL],
      [100, arrived(2)],
      [200, SETTLED],
    ],
  ],
  [
    "S-15",
    "a gap in an Alive is not seen",
    [
      [0, CALL],
      [100, alive(1)],
      [200, SETTLED],
    ],
  ],
  [
    "S-15",
    "an end that an Alive shows to be lost is not asked for",
    [
      [0, CALL],
      [100, { ...alive(0), isOver: true } as Fact],
      [200, SETTLED],
    ],
  ],
  [
    "S-15",
    "a new inbox is not told to the server",
    [
      [0, CALL],
      [1, REQUESTED],
      [50, arrived(1)],
      [100, GONE],
      [200, LIVE],
      [300, SETTLED],
    ],
  ],
  [
    "S-15",
    "a Resume that is not answered is not repeated",
    [
      [0, CALL],
      [1, REQUESTED],
      [40, alive(0)],
      [50, arrived(1)],
      [100, GONE],
      [200, LIVE],
      [200, resumed(1, 1, "another")],
      [900, SETTLED],
    ],
  ],
  [
    "S-15",
    "a Resume is sent without need",
    [
      [0, CALL],
      [50, arrived(1)],
      [200, resumed(1)],
    ],
  ],
  [
    "S-15",
    "a Resume asks for what has come",
    [
      [0, CALL],
      [50, arrived(1)],
      [100, arrived(3)],
      [100, resumed(1, 0)],
    ],
  ],
  [
    "S-16",
    "a Resume is not answered",
    [
      [0, CALL],
      [50, heard(1)],
      [160, arrived(1)],
      [170, SETTLED],
    ],
  ],
  [
    "S-16",
    "a Resume is answered that came after a later one",
    [
      [0, CALL],
      [50, heard(2)],
      [50, { type: "answered", call: 0, process: "server", counter: 2, isError: false }],
      [60, { type: "answered", call: 0, process: "server", counter: 1, isError: false }],
    ],
  ],
  [
    "S-14",
    "a handler hangs on",
    [
      [0, CALL],
      [10, RUN],
      [125_000, { type: "run-over", run: 1 }],
    ],
  ],
];
