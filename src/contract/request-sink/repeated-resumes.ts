import assert from "node:assert";
import { FRAME, FRAME_HEADER, type WireMessage } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { framesOf, HALF, isWhole, resumable } from "./resumable.js";
import { keepAliveMs, next, readWell, start } from "./steps.js";

/** What becomes of a Resume that is lost, comes twice, or whose inbox is lost before it is answered. */
export const repeatedResumeCases: readonly ContractCase[] = [
  {
    id: "R-205",
    sentence: "an inbox that is lost while its caller asks its server to go on is asked for anew",
    needs: ["frames"],
    async run(context) {
      let left = 2;
      const loses: (() => Promise<void>)[] = [];
      const opened = await resumable(context, "lost-again", {
        onPublish(message) {
          if (message.type === FRAME.resume && left > 0) {
            left -= 1;
            void loses[0]?.();
          }
          return [message];
        },
      });
      const { client, sink, gate } = opened;
      loses.push(() => client.loseInboxes());
      const stream = start(sink);
      const texts = await next(context, stream, HALF);
      await client.loseInboxes();
      gate.open();
      isWhole(opened, [...texts, ...(await readWell(context, stream, 2 * context.recoveryMs))]);
      assert.equal(left, 0);
      const counters = framesOf(client, FRAME.resume).map(({ headers }) => Number(headers[FRAME_HEADER.resume]));
      assert.deepEqual(
        counters,
        [...counters].sort((one, other) => one - other),
      );
      assert.ok(new Set(counters).size >= 3, `the counters were ${counters.join(", ")}`);
    },
  },
  {
    id: "R-206",
    sentence: "a Resume that is lost is sent again until it is answered",
    needs: ["frames"],
    async run(context) {
      let lost = 0;
      const opened = await resumable(context, "resume-lost", {
        onPublish(message) {
          if (message.type !== FRAME.resume || lost === 2) return [message];
          lost += 1;
          return [];
        },
      });
      const { client, sink, gate } = opened;
      const stream = start(sink);
      await next(context, stream, HALF);
      await context.window(keepAliveMs(context) + 50, "an Alive has told the interval by then");
      await client.loseInboxes();
      gate.open();
      isWhole(opened, [...numbered("r", HALF), ...(await readWell(context, stream, context.recoveryMs))]);
      const counters = framesOf(client, FRAME.resume).map(({ headers }) => headers[FRAME_HEADER.resume]);
      assert.ok(counters.length >= 3, `${counters.length} were sent`);
      assert.equal(new Set(counters).size, 1, "one that is repeated has the same number");
    },
  },
  {
    id: "R-207",
    sentence: "a Resume that comes twice, or after a later one, changes nothing",
    needs: ["frames"],
    async run(context) {
      const seen: WireMessage[] = [];
      const opened = await resumable(context, "resume-twice", {
        onPublish(message) {
          if (message.type !== FRAME.resume) return [message];
          seen.push(message);
          return [message, message, ...seen];
        },
      });
      const { client, sink, gate } = opened;
      const stream = start(sink);
      const texts = await next(context, stream, 2);
      for (let round = 1; round <= 2; round += 1) {
        await client.loseInboxes();
        await context.until(
          () => new Set(seen.map(({ headers }) => headers[FRAME_HEADER.resume])).size === round,
          () => `Resume ${round}`,
          context.recoveryMs,
        );
      }
      gate.open();
      isWhole(opened, [...texts, ...(await readWell(context, stream, context.recoveryMs))]);
    },
  },
];
