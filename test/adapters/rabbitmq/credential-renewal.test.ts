import { expect, it, onTestFinished } from "vitest";
import { CredentialRenewal } from "../../../adapters/rabbitmq/credential-renewal.js";
import type { RabbitmqCredentials, RabbitmqCredentialsSource } from "../../../adapters/rabbitmq/credentials.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { onAbort } from "../../../src/util/abort.js";
import { machineClock } from "../../../src/util/machine-clock.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { collectGarbage } from "../../support/collect-garbage.js";

const FRESH: RabbitmqCredentials = { username: "who", password: "fresh", expiresInMs: 60_000 };

interface Renewing {
  readonly outcomes: string[];
  readonly dead: string[];
  blocked: boolean;
}

function renewing(
  source: RabbitmqCredentialsSource,
  options: {
    readonly isSilent?: boolean;
    readonly blocked?: boolean;
    readonly ageMs?: number;
    readonly lifeMs?: number;
  },
): Renewing {
  const { isSilent = false, blocked = false, ageMs = 0, lifeMs = 300 } = options;
  const rig: Renewing = { outcomes: [], dead: [], blocked };
  const link = {
    get blocked() {
      return rig.blocked;
    },
    updateSecret: (_: string, signal: AbortSignal) =>
      isSilent ? new Promise<void>((__, reject) => onAbort(signal, () => reject(signal.reason))) : Promise.resolve(),
  };
  const renewal = new CredentialRenewal({
    source,
    current: { username: "who", expiresInMs: lifeMs, answeredAt: machineClock.now() - ageMs },
    links: [link],
    timeoutMs: 200,
    onRenewed: (error, warning) => rig.outcomes.push(MessagingError.is(error) ? error.message : (warning ?? "renewed")),
    onDead: (error) => rig.dead.push(error.message),
  });
  onTestFinished(() => renewal.stop());
  return rig;
}

const until = (condition: () => boolean, what: string): Promise<void> =>
  waitUntil(condition, { what, timeoutMs: 10_000 });

it("goes on after a callback that hangs, however often garbage is collected", async () => {
  let asked = 0;
  const { outcomes } = renewing(() => {
    asked += 1;
    return asked < 3 ? new Promise(() => {}) : FRESH;
  }, {});
  const collecting = setInterval(collectGarbage, 20);
  onTestFinished(() => clearInterval(collecting));
  await until(() => outcomes.length >= 3, "three outcomes");
  const late = "the credentials were not renewed within 200 ms";
  expect(outcomes).toEqual([late, late, "renewed"]);
});

it("has a link that does not answer made anew: a late answer would be taken for that to another try", async () => {
  const { outcomes, dead } = renewing(() => FRESH, { isSilent: true });
  await until(() => dead.length > 0, "the end of the link");
  expect(dead).toEqual(["the broker did not take the new credentials in time: connecting anew"]);
  expect(outcomes).toEqual([]);
});

it("tells once that it is put off by an alarm, and renews when that is over", async () => {
  let asked = 0;
  const rig = renewing(
    () => {
      asked += 1;
      return FRESH;
    },
    { blocked: true },
  );
  await until(() => rig.outcomes.length > 0, "a warning");
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(asked).toBe(0);
  rig.blocked = false;
  await until(() => rig.outcomes.length > 1, "a renewal");
  expect(rig.outcomes).toEqual(["not renewed while the broker takes no publishes (an alarm)", "renewed"]);
});

it("counts their life from when they were given, not from when the links were up", async () => {
  const watch = new Stopwatch();
  const { outcomes } = renewing(() => FRESH, { lifeMs: 60_000, ageMs: 59_000 });
  await until(() => outcomes.length > 0, "a renewal");
  expect(watch.undisturbedMs).toBeLessThan(10_000);
});
