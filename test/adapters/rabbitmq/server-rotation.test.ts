import { describe, expect, it } from "vitest";
import { ServerRotation } from "../../../adapters/rabbitmq/server-rotation.js";
import type { ServerUrl } from "../../../adapters/rabbitmq/server-url.js";
import { type ErrorCode, MessagingError } from "../../../src/errors/messaging-error.js";

function server(hostname: string): ServerUrl {
  return { protocol: "amqp", hostname, port: 5672, username: "who", password: "", vhost: "/" };
}

/** Whether what each attempt failed with was told as what may heal. */
function outcomes(hosts: number, codes: readonly ErrorCode[]): boolean[] {
  const rotation = new ServerRotation(Array.from({ length: hosts }, (_, index) => server(`host ${index}`)));
  return codes.map((code) => {
    const host = rotation.next();
    return rotation.failed(host, new MessagingError(code, `${host.hostname} is ${code}`)).retryable;
  });
}

describe("the rotation of rabbitmq hosts", () => {
  it("gives up when each host has refused for good, and begins anew then", () => {
    expect(outcomes(1, ["UNAUTHENTICATED", "UNAUTHENTICATED"])).toEqual([false, false]);
    expect(outcomes(2, ["UNAUTHENTICATED", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"])).toEqual([true, false, true, false]);
  });

  it.each<readonly [ErrorCode, boolean]>([
    ["UNAVAILABLE", true],
    ["ABORTED", new MessagingError("ABORTED", "").retryable],
  ])("does not where one host refuses again and again and another is %s", (other, retryable) => {
    const turns: readonly ErrorCode[] = ["UNAUTHENTICATED", other];
    const expected = [true, retryable, true, retryable, true, retryable];
    expect(outcomes(2, [...turns, ...turns, ...turns])).toEqual(expected);
  });

  it("forgets what a host refused once it fails otherwise", () => {
    const turns: readonly ErrorCode[] = ["UNAUTHENTICATED", "UNAVAILABLE", "UNAVAILABLE", "UNAUTHENTICATED"];
    expect(outcomes(2, turns)).toEqual([true, true, true, true]);
    expect(outcomes(2, [...turns, "UNAUTHENTICATED"])).toEqual([true, true, true, true, false]);
  });
});
