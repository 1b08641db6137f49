import assert from "node:assert";
import type { ContractCase } from "../case.js";
import { ack, closeService, event, eventNode, join, postEvent, postEvents, queueHolds } from "./steps.js";

/** Posts that name themselves, so that they can be repeated. */
export const postIdCases: readonly ContractCase[] = [
  {
    id: "E-15",
    sentence: "posts with the same post id store one event, at once or one after the other, and all resolve",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("post-id") });
      const post = () => node.service.post(event("one"), { postId: "id-1" });
      await context.soon(Promise.all([post(), post(), post()]), "three posts at once");
      await context.soon(post(), "a post later");
      const { seen } = await join(context, node, "reader");
      await ack(context, node, await seen.at(0));
      await context.soon(post(), "a post after the ack");
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-16",
    sentence:
      "posts without a post id are never merged, however alike they are, and different post ids are different events",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("alike") });
      const alike = event("alike", { clientId: "poster", userToken: "token" });
      await postEvent(context, node, alike);
      await postEvent(context, node, alike);
      await postEvent(context, node, alike, { postId: "id-1" });
      await postEvent(context, node, alike, { postId: "id-2" });
      await queueHolds(context, [node], ["alike", "alike", "alike", "alike"]);
    },
  },
  {
    id: "E-17",
    sentence: "a post that repeats one that is under way waits for its outcome, and shares it",
    needs: ["blockPublishes", "unblockPublishes"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("awaits") });
      await postEvents(context, node, ["before"]);
      context.atEnd(context.fault("unblockPublishes"));
      await context.soon(context.fault("blockPublishes")(), "blockPublishes", context.faultMs);
      const settled: string[] = [];
      const post = (name: string) =>
        node.service.post(event("one"), { postId: "id-1" }).finally(() => void settled.push(name));
      const both = Promise.all([post("first"), post("second")]);
      both.catch(() => undefined);
      await context.window(100, "a second post that does not wait has been answered many times over");
      assert.deepEqual(settled, [], "answered, although the broker has taken nothing");
      await context.soon(context.fault("unblockPublishes")(), "unblockPublishes", context.faultMs);
      await context.soon(both, "both posts", context.recoveryMs);
      await queueHolds(context, [node], ["before", "one"]);
    },
  },
  {
    id: "E-18",
    sentence: "a post that was refused leaves its post id free",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("refused-id"), maxEventBytes: 100 });
      const refused = () => node.service.post(event("x".repeat(101)), { postId: "id-1" });
      await context.refused(refused, "TOO_LARGE", "post of 101 bytes");
      await postEvent(context, node, event("good"), { postId: "id-1" });
      await queueHolds(context, [node], ["good"]);
    },
  },
  {
    id: "E-19",
    sentence:
      "a post id that is empty or of more than 256 bytes is refused with INVALID_ARGUMENT, and nothing is stored",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("bad-id") });
      for (const postId of ["", "é".repeat(129)]) {
        await context.refused(() => node.service.post(event("bad"), { postId }), "INVALID_ARGUMENT", "a bad post id");
      }
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-20",
    sentence: "a post id is known for postIdMemoryMs and no longer: posted again after that, it is an event of its own",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("forgotten-id"), postIdMemoryMs: 400 });
      await postEvent(context, node, event("one"), { postId: "id-1" });
      await context.window(450, "longer than the post id is known");
      await postEvent(context, node, event("one"), { postId: "id-1" });
      await queueHolds(context, [node], ["one", "one"]);
    },
  },
  {
    id: "E-21",
    sentence: "a post id is known to every server, and after a restart, also when its event is done",
    where: { "queue.deduplication": true },
    async run(context) {
      const options = { queue: context.name("known-id") };
      const first = await eventNode(context, options);
      await postEvent(context, first, event("one"), { postId: "id-1" });
      const second = await eventNode(context, options);
      await postEvent(context, second, event("one"), { postId: "id-1" });
      const { seen } = await join(context, first, "reader");
      await ack(context, first, await seen.at(0));
      await closeService(context, first);
      await closeService(context, second);
      const third = await eventNode(context, options);
      await postEvent(context, third, event("one"), { postId: "id-1" });
      await queueHolds(context, [third]);
    },
  },
  {
    id: "E-22",
    sentence:
      "where the broker cannot tell, a post id is known to the server that took it, and posts at two servers are two events",
    where: { "queue.deduplication": false },
    async run(context) {
      const options = { queue: context.name("own-id") };
      const [first, second] = [await eventNode(context, options), await eventNode(context, options)];
      for (const node of [first, second, first, second]) {
        await postEvent(context, node, event("one"), { postId: "id-1" });
      }
      await queueHolds(context, [first, second], ["one", "one"]);
    },
  },
];
