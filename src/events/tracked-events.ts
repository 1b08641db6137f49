import { markOfIdentity } from "./event-mark.js";
import type { TrackedEvent } from "./tracked-event.js";

/** The events that are here, to be found by identity. What has none is not found. */
export class TrackedEvents {
  /** By mark, which is at hand where an identity would have to be made. A broker may hand out the same event twice. */
  readonly #byMark = new Map<string, TrackedEvent | Set<TrackedEvent>>();

  /** Of marks. */
  get size(): number {
    return this.#byMark.size;
  }

  add(tracked: TrackedEvent): void {
    const { mark } = tracked;
    if (mark === "") return;
    const same = this.#byMark.get(mark);
    if (same === undefined) this.#byMark.set(mark, tracked);
    else if (same instanceof Set) same.add(tracked);
    else this.#byMark.set(mark, new Set([same, tracked]));
  }

  delete(tracked: TrackedEvent): void {
    const { mark } = tracked;
    const same = this.#byMark.get(mark);
    if (same instanceof Set) same.delete(tracked);
    if (same === tracked || (same instanceof Set && same.size === 0)) this.#byMark.delete(mark);
  }

  of(identity: string): readonly TrackedEvent[] {
    const same = this.#byMark.get(markOfIdentity(identity));
    const all = same instanceof Set ? [...same] : same === undefined ? [] : [same];
    return all.filter((tracked) => tracked.identity === identity);
  }
}
