import { describe, expect, it } from "vitest";
import { toMessagingError } from "../../../adapters/sqlite/errors.js";

describe("errors of sqlite", () => {
  it.each([
    ["SQLITE_FULL", "REJECTED", true],
    ["SQLITE_BUSY", "UNAVAILABLE", true],
    ["SQLITE_BUSY_SNAPSHOT", "UNAVAILABLE", true],
    ["SQLITE_CORRUPT_VTAB", "DATA_LOSS", false],
    ["SQLITE_NOTADB", "DATA_LOSS", false],
    ["SQLITE_READONLY_DIRECTORY", "PERMISSION_DENIED", false],
    ["SQLITE_CANTOPEN_ISDIR", "PERMISSION_DENIED", false],
    ["SQLITE_IOERR_FSYNC", "UNAVAILABLE", true],
    ["SQLITE_TOOBIG", "TOO_LARGE", false],
    ["EROFS", "PERMISSION_DENIED", false],
    ["SQLITE_CONSTRAINT_UNIQUE", "UNKNOWN", false],
    [42, "UNKNOWN", false],
  ])("%s is %s", (code, expected, retryable) => {
    const cause = Object.assign(new Error("its words"), { code });
    const error = toMessagingError(cause);
    expect(error).toMatchObject({ code: expected, retryable, cause });
    expect(error.message).toContain("its words");
  });
});
