import { EventRig, event, type Node, stateOf, subscribe, type TestClient } from "./rig.js";

/** Two servers of one queue. Close their rig, whatever happened. */
export class TwoServers {
  readonly rig = new EventRig();
  readonly first: Node = this.rig.node();
  readonly second: Node = this.rig.node();

  /** A subscriber of the first server that holds so many events. */
  async holding(count: number): Promise<TestClient> {
    const { client } = subscribe(this.first, "reader");
    for (let index = 0; index < count; index += 1) await this.second.events.post(event(`e${index}`));
    await this.rig.until(() => client.received.length === count);
    return client;
  }

  /** What a promise came to, with time passing meanwhile. */
  async within<T>(ms: number, promise: Promise<T>): Promise<T> {
    const state = stateOf(promise);
    for (let passed = 0; passed < ms && !state.settled; passed += 50) await this.rig.clock.pass(50);
    await this.rig.until(() => state.settled, `settled within ${ms} ms`);
    return promise;
  }
}
