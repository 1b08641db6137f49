import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { toMessagingError, withContext } from "../../../adapters/rabbitmq/errors.js";

function coded(code: unknown, message: string): Error & { readonly code: unknown } {
  return Object.assign(new Error(message), { code });
}

describe("rabbitmq errors", () => {
  it.each([
    [coded(311, "Channel closed by server: 311 (CONTENT-TOO-LARGE)"), "TOO_LARGE"],
    [coded(320, 'Connection closed: 320 (CONNECTION-FORCED) with message "CONNECTION_FORCED - bye"'), "UNAVAILABLE"],
    [
      coded(403, 'Operation failed: QueueDeclare; 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - no"'),
      "PERMISSION_DENIED",
    ],
    [
      coded(404, "Operation failed: BasicConsume; 404 (NOT-FOUND) with message \"NOT_FOUND - no queue 'x'\""),
      "NOT_FOUND",
    ],
    [coded(405, "Channel closed by server: 405 (RESOURCE-LOCKED)"), "ALREADY_EXISTS"],
    [coded(406, 'with message "PRECONDITION_FAILED - invalid expiration"'), "INVALID_ARGUMENT"],
    [coded(506, "506 (RESOURCE-ERROR)"), "REJECTED"],
    [coded(530, "530 (NOT-ALLOWED)"), "PERMISSION_DENIED"],
    [coded(540, "540 (NOT-IMPLEMENTED)"), "UNSUPPORTED"],
    [coded(541, "541 (INTERNAL-ERROR)"), "UNAVAILABLE"],
    [coded("ECONNREFUSED", "connect ECONNREFUSED"), "UNAVAILABLE"],
    [coded("ECONNRESET", "read ECONNRESET"), "UNAVAILABLE"],
    [coded("ENOTFOUND", "getaddrinfo ENOTFOUND"), "UNAVAILABLE"],
    [coded("ETIMEDOUT", "connect ETIMEDOUT"), "UNAVAILABLE"],
    [coded("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"), "UNAUTHENTICATED"],
    [coded("ERR_SSL_WRONG_VERSION_NUMBER", "wrong version number"), "INVALID_ARGUMENT"],
    [new Error('Handshake terminated by server: 403 (ACCESS-REFUSED) with message "…"'), "UNAUTHENTICATED"],
    [new Error("Expected ConnectionOpenOk; got <ConnectionClose channel:0>"), "NOT_FOUND"],
    [new Error("Expected ConnectionOpenOk; got <Heartbeat>"), "UNAVAILABLE"],
    [new Error("Heartbeat timeout"), "UNAVAILABLE"],
    [new Error("Socket closed abruptly during opening handshake"), "UNAVAILABLE"],
    [new Error("Channel ended, no reply will be forthcoming"), "UNAVAILABLE"],
    [new Error("Frame size 1345270062 exceeds maxFrameSize 67108864"), "UNAVAILABLE"],
    [new Error("message nacked"), "REJECTED"],
    [new TypeError("Field 'messageId' is the wrong type; must be a string (up to 255 chars)"), "INVALID_ARGUMENT"],
    [new TypeError("Field 'timestamp' is the wrong type; must be a number (but not NaN)"), "INVALID_ARGUMENT"],
    [new RangeError("Encoded field table (headers or arguments) exceeds the 65536 byte encoding buffer"), "TOO_LARGE"],
    [coded(406, "message size 20 is larger than configured max size 10"), "TOO_LARGE"],
    [coded(406, "delivery acknowledgement on channel 1 timed out. Timeout value used: 1800000 ms."), "UNAVAILABLE"],
    [coded(406, "PRECONDITION_FAILED - unknown delivery tag 7"), "INTERNAL"],
    [new Error("something else"), "UNKNOWN"],
  ])("%s is %s", (error, code) => {
    const translated = toMessagingError(error);
    expect(translated.code).toBe(code);
    expect(translated.cause).toBe(error);
    expect(translated.message.split("\n")).toHaveLength(1);
    expect(toMessagingError(translated)).toBe(translated);
  });

  it.each([
    [
      coded(
        403,
        "Operation failed: QueueDeclare; 403 (ACCESS-REFUSED) with message \"ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'planted o'user'\"",
      ),
      "access to queue 'q' in vhost '/' refused",
    ],
    [
      coded(
        530,
        "Connection closed: 530 (NOT-ALLOWED) with message \"NOT_ALLOWED - access refused for user 'planted o",
      ),
      "access refused",
    ],
    [
      coded(320, "Connection closed: 320 with message \"CONNECTION_FORCED - user 'planted o'user' was deleted\""),
      "the user was deleted",
    ],
  ])("names no user, in its causes neither %#", (error, text) => {
    for (const translated of [toMessagingError(error), withContext("declare", error)]) {
      expect(translated.message).toContain(text);
      expect(inspect(translated, { depth: 10, showHidden: true })).not.toMatch(/planted|o'user/);
      expect(translated.cause).toMatchObject({ code: error.code });
    }
  });

  it("tells queue, property and both values of a mismatch, in each of the broker's forms", () => {
    const form = (rest: string): string =>
      toMessagingError(
        coded(
          406,
          `Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - inequivalent arg ${rest}"`,
        ),
      ).message;
    expect(form("'x-queue-type' for queue 'orders' in vhost '/': received 'quorum' but current is 'classic'")).toMatch(
      /^the queue "orders" is there with x-queue-type = classic, wanted is quorum: /,
    );
    expect(
      form("'x-max-length' for queue 'a b' in vhost '/': received the value '5' of type 'byte' but current is none"),
    ).toContain('"a b" is there with x-max-length = none, wanted is 5');
    expect(
      form(
        "'x-dead-letter-exchange' for queue 'q' in vhost '/': received none but current is the value '' of type 'longstr'",
      ),
    ).toContain('x-dead-letter-exchange = "", wanted is none');
    expect(form("'type' for exchange 'news' in vhost '/': received 'headers' but current is 'topic'")).toContain(
      'the exchange "news" is there with type = topic, wanted is headers',
    );
  });
});
