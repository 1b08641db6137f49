/** More than are ever in it, and a power of two. */
const SLOTS = 1_024;

/** The least that a queue in a process could be: a ring, a promise for each message's confirm, one for its handler. */
export async function open({ onMessage }) {
  const slots = Array.from({ length: SLOTS }, () => undefined);
  let head = 0;
  let tail = 0;
  let isTurning = false;
  const body = new Uint8Array(100);
  const handler = async () => onMessage();
  const onAck = () => {};
  const turn = () => {
    isTurning = false;
    while (head !== tail) {
      const entry = slots[head & (SLOTS - 1)];
      slots[head & (SLOTS - 1)] = undefined;
      head += 1;
      entry.confirm();
      void handler(entry.body).then(onAck);
    }
  };
  return {
    publish: () =>
      new Promise((resolve) => {
        slots[tail & (SLOTS - 1)] = { body, confirm: resolve };
        tail += 1;
        if (isTurning) return;
        isTurning = true;
        queueMicrotask(turn);
      }),
    close: async () => {},
  };
}
