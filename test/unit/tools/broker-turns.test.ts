import { describe, expect, it, onTestFinished } from "vitest";
import { waitUntil } from "../../../tools/process/wait-until.js";
import {
  type BrokerTurn,
  type SharedNode,
  startBrokerTurns,
  takeBrokerTurn,
} from "../../../tools/test/broker-turns.js";

const NODE = { url: "amqp://127.0.0.1:1", stateFile: "/nowhere" };

/** Asks for turns one after the other, and says who has one. */
async function takers(starting: Promise<SharedNode>) {
  const turns = await startBrokerTurns(2, starting);
  onTestFinished(() => turns.stop());
  const having = new Map<string, BrokerTurn>();
  return {
    having,
    ask(name: string, isAlone = false): void {
      void takeBrokerTurn(turns.port, isAlone).then((turn) => having.set(name, turn));
    },
    end(name: string): void {
      having.get(name)?.end();
      having.delete(name);
    },
    async has(...names: readonly string[]): Promise<void> {
      await waitUntil(() => having.size >= names.length, { what: `turns of ${names.join(", ")}`, timeoutMs: 20_000 });
      expect([...having.keys()].sort()).toEqual([...names].sort());
    },
  };
}

describe("turns with a broker", () => {
  it("begin when it is there, for so many at once", async () => {
    let resolve: (node: SharedNode) => void = () => {};
    const promise = new Promise<SharedNode>((given) => {
      resolve = given;
    });
    const { ask, has, end, having } = await takers(promise);
    for (const name of ["one", "two"]) ask(name);
    await has();
    resolve(NODE);
    await has("one", "two");
    expect(having.get("one")?.node).toEqual(NODE);
    ask("three");
    end("one");
    await has("three", "two");
  });

  it("are for one alone that asks for that, who waits for those before and holds up those behind", async () => {
    const { ask, has, end } = await takers(Promise.resolve(NODE));
    ask("one");
    await has("one");
    ask("alone", true);
    ask("behind");
    await has("one");
    end("one");
    await has("alone");
    end("alone");
    await has("behind");
  });

  it("say why there is none", async () => {
    const turns = await startBrokerTurns(2, Promise.reject(new Error("no room")));
    onTestFinished(() => turns.stop());
    await expect(takeBrokerTurn(turns.port, false)).rejects.toThrow("no RabbitMQ node: Error: no room");
  });
});
