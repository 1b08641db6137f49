import { describe, expect, it } from "vitest";
import { addressFault } from "../../../src/cli/address.js";
import { parseDuration } from "../../../src/cli/duration.js";
import { parseInt64 } from "../../../src/cli/int64.js";
import { parseIsoDate } from "../../../src/cli/iso-date.js";

describe("parseIsoDate", () => {
  it.each([
    ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z", 0],
    ["2026-01-31T12:00Z", "2026-01-31T12:00:00.000Z", 0],
    ["2026-01-31T12:00:00.5+02:00", "2026-01-31T10:00:00.000Z", 500_000_000],
    ["2026-01-31T12:00:00,123456789-0130", "2026-01-31T13:30:00.000Z", 123_456_789],
    ["2026-01-31T12:00:00", "2026-01-31T12:00:00.000Z", 0],
    ["2024-02-29", "2024-02-29T00:00:00.000Z", 0],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", 0],
    ["1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.000Z", 250_000_000],
  ])("reads %s", (text, seconds, nanos) => {
    expect(parseIsoDate(text)).toEqual({ seconds: Date.parse(seconds) / 1_000, nanos });
  });

  it.each([
    "",
    "now",
    "tomorrow",
    "2026-13-01",
    "2026-00-10",
    "2026-02-30T00:00:00Z",
    "2025-02-29",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60Z",
    "2026-01-31T12:00:60Z",
    "2026-01-31T12:00:00.0000000001Z",
    "2026-01-31T12:00:00+25:00",
    "2026-01-31 12:00:00Z",
    "0000-01-01",
    "1767225600",
    "31.01.2026",
    "2026-01-31T12:00:00Z\n",
  ])("refuses %j", (text) => {
    expect(parseIsoDate(text)).toBeUndefined();
  });
});

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["6h", 21_600_000],
    ["2d", 172_800_000],
    ["0s", 0],
    [" 1m ", 60_000],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "30", "s", "-1s", "1w", "1 s", "1e3s", "1s2", "9999999999999s"])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe("parseInt64", () => {
  it.each([
    ["0", 0n],
    ["-5", -5n],
    ["+5", 5n],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["-9223372036854775808", -(2n ** 63n)],
  ])("reads %s", (text, value) => {
    expect(parseInt64(text)).toBe(value);
  });

  it.each(["", "-", "1.5", "0x10", "1e3", "abc", "9223372036854775808", "-9223372036854775809", "1n", " 1"])(
    "refuses %j",
    (text) => {
      expect(parseInt64(text)).toBeUndefined();
    },
  );
});

describe("addressFault", () => {
  it.each(["127.0.0.1:10001", "localhost:1", "[::1]:65535", "0.0.0.0:80"])("takes %s", (text) => {
    expect(addressFault(text, { portZero: false })).toBeUndefined();
  });

  it.each([
    "",
    "localhost",
    ":80",
    "127.0.0.1:",
    "127.0.0.1:x",
    "::1:80",
    "http://host:80",
    "host:80/x",
    "user@host:80",
  ])("refuses %j", (text) => {
    expect(addressFault(text, { portZero: true })).toContain("host:port");
  });

  it("takes port 0 only where something listens, and none above 65535", () => {
    expect(addressFault("127.0.0.1:0", { portZero: true })).toBeUndefined();
    expect(addressFault("127.0.0.1:0", { portZero: false })).toBe("must have a port from 1 to 65535");
    expect(addressFault("127.0.0.1:65536", { portZero: true })).toBe("must have a port from 0 to 65535");
  });
});
