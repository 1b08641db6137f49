import { expect, test } from "vitest";
import { ResponseGate } from "../../../../src/core/request/response-gate.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";

function createGate(credit: number, maxWaiting = 3) {
  const passed: string[] = [];
  const told: boolean[] = [];
  const overflows: string[] = [];
  const state = { credit };
  const gate = new ResponseGate<string>({
    maxWaiting,
    hasCredit: () => state.credit > 0,
    pass: (item) => {
      state.credit -= 1;
      passed.push(item);
    },
    onOverflow: (error) => overflows.push(error.code),
    onWaiting: (isWaiting) => told.push(isWaiting),
  });
  const outcomes: string[] = [];
  const offer = (item: string) => {
    gate.offer(item).then(
      (goesOn) => outcomes.push(`${item} ${goesOn}`),
      (error: unknown) => outcomes.push(`${item} ${MessagingError.is(error) ? error.code : String(error)}`),
    );
  };
  const grant = (more: number) => {
    state.credit += more;
    gate.pump();
  };
  return { gate, passed, told, overflows, outcomes, offer, grant };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("with credit it passes on at once, and says that there is more", async () => {
  const { offer, passed, outcomes, told } = createGate(5);
  for (const item of ["a", "b"]) offer(item);
  await turn();
  expect(passed).toEqual(["a", "b"]);
  expect(outcomes).toEqual(["a true", "b true"]);
  expect(told).toEqual([]);
});

test("the last credit passes on, and waits for credit for another", async () => {
  const { offer, grant, passed, outcomes, told, gate } = createGate(1);
  offer("a");
  await turn();
  expect(passed).toEqual(["a"]);
  expect(outcomes).toEqual([]);
  expect([gate.held, gate.isWaiting]).toEqual([0, true]);
  grant(1);
  await turn();
  expect(outcomes).toEqual(["a true"]);
  expect(told).toEqual([true, false]);
});

test("what waits is passed on in order, as far as the credit goes", async () => {
  const { offer, grant, passed, outcomes, gate } = createGate(1, 5);
  for (const item of ["a", "b", "c", "d"]) offer(item);
  expect(gate.held).toBe(3);
  grant(2);
  await turn();
  expect(passed).toEqual(["a", "b", "c"]);
  expect(outcomes).toEqual(["a true", "b true"]);
  expect(gate.held).toBe(1);
  grant(5);
  await turn();
  expect(passed).toEqual(["a", "b", "c", "d"]);
  expect(outcomes).toEqual(["a true", "b true", "c true", "d true"]);
});

test("more than may wait is refused with REJECTED, and harms nothing that waits", async () => {
  const { offer, grant, passed, outcomes } = createGate(0, 2);
  for (const item of ["a", "b", "c"]) offer(item);
  await turn();
  expect(outcomes).toEqual(["c REJECTED"]);
  grant(5);
  await turn();
  expect(passed).toEqual(["a", "b"]);
});

test("close ends every wait with false, passes nothing on, and refuses what comes after with false", async () => {
  const { offer, grant, passed, outcomes, gate } = createGate(1, 5);
  for (const item of ["a", "b"]) offer(item);
  gate.close();
  gate.close();
  offer("c");
  grant(5);
  await turn();
  expect(passed).toEqual(["a"]);
  expect(outcomes.sort()).toEqual(["a false", "b false", "c false"]);
});

test("a close in the middle of passing on is heeded", async () => {
  const passed: string[] = [];
  const gate: ResponseGate<string> = new ResponseGate<string>({
    maxWaiting: 5,
    hasCredit: () => true,
    pass: (item) => {
      passed.push(item);
      gate.close();
    },
    onOverflow: () => {},
    onWaiting: () => {},
  });
  await expect(gate.offer("a")).resolves.toBe(false);
  await expect(gate.offer("b")).resolves.toBe(false);
  expect(passed).toEqual(["a"]);
});
