import { describe, expect, it } from "vitest";
import {
  resolveSqliteOptions,
  type SqliteOptions,
  sqliteDriver,
  sqliteModule,
} from "../../../adapters/sqlite/index.js";

describe("options of sqlite", () => {
  it("have documented defaults, and are frozen", () => {
    const options = resolveSqliteOptions({ file: "data/events.db" });
    expect(options).toEqual({
      file: "data/events.db",
      historyMs: 604_800_000,
      maxHistoryMessages: 100_000,
      maxHistoryBytes: 268_435_456,
      maxUniqueIds: 10_000_000,
      indexedHeaders: ["event-key1", "event-key2"],
      lockTimeoutMs: 5_000,
      maxMessageBytes: 16_777_216,
    });
    expect(Object.isFrozen(options) && Object.isFrozen(options.indexedHeaders)).toBe(true);
    expect(sqliteDriver({ file: "a.db", maxMessageBytes: 1_000 }).capabilities.maxMessageBytes).toBe(1_000);
  });

  it("are refused with all faults at once, unknown keys by name", () => {
    const wrong = { file: "", historyMs: -1, maxUniqueIds: 0, indexedHeaders: ["a b"], durable: true };
    for (const use of [resolveSqliteOptions, sqliteDriver, sqliteModule]) {
      expect(() => use(wrong as SqliteOptions)).toThrow(
        /"durable".*file must be.*historyMs must be.*maxUniqueIds must be.*indexedHeaders must be/s,
      );
    }
  });

  it.each([undefined, null, 7, "events.db", []])("%s is no options object", (raw) => {
    expect(() => resolveSqliteOptions(raw as unknown as SqliteOptions)).toThrow(/options must be an object/);
  });

  it.each([":memory:", "file:events.db?mode=ro", "data/", "a\0b", " "])("%j is no file", (file) => {
    expect(() => resolveSqliteOptions({ file })).toThrow(/file must be/);
  });
});
