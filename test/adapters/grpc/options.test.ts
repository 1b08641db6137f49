import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { toErrorStatus } from "../../../adapters/grpc/errors.js";
import { type GrpcOptions, grpcModule, resolveGrpcOptions } from "../../../adapters/grpc/index.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";

describe("options of the gRPC adapter", () => {
  it("has the defaults that it documents, frozen", () => {
    const options = resolveGrpcOptions({});
    expect(options).toEqual({
      listen: { host: "127.0.0.1", port: 10_001 },
      security: { tls: undefined, tokens: undefined, insecure: false },
      keepaliveTimeMs: 10_000,
      keepaliveTimeoutMs: 3_000,
      maxReceiveBytes: undefined,
      maxStreamsPerConnection: 2_000,
      maxConnections: 10_000,
      maxConnectionsPerAddress: 10_000,
      handshakeTimeoutMs: 10_000,
      maxHeaderBytes: 16_384,
      messageTimeoutMs: 60_000,
      maxUnfinishedBytesPerAddress: 268_435_456,
      maxOpenCallsPerClient: undefined,
      maxSubscribersPerClient: undefined,
      maxCallsPerSecond: undefined,
      callBurst: undefined,
      maxPostsPerSecond: undefined,
      postBurst: undefined,
      refusalDelayMs: 1_000,
      maxRequestBytes: 67_108_864,
      maxUploadBytes: 268_435_456,
      maxUploadBytesPerClient: 134_217_728,
      maxCallsPerClient: 1_000,
      shutdownGraceMs: 1_000,
      maxConnectionIdleMs: undefined,
      maxConnectionAgeMs: undefined,
      maxConnectionAgeGraceMs: undefined,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it("recycles connections as a whole, but for what is given", () => {
    expect(resolveGrpcOptions({ recycleConnections: true })).toMatchObject({
      maxConnectionIdleMs: 15_000,
      maxConnectionAgeMs: 5_000,
      maxConnectionAgeGraceMs: 3_000,
    });
    expect(resolveGrpcOptions({ recycleConnections: true, maxConnectionAgeMs: 700 })).toMatchObject({
      maxConnectionIdleMs: 15_000,
      maxConnectionAgeMs: 700,
    });
    expect(resolveGrpcOptions({ maxConnectionIdleMs: 700 })).toMatchObject({
      maxConnectionIdleMs: 700,
      maxConnectionAgeMs: undefined,
    });
    const bad = { recycleConnections: "yes", maxConnectionIdleMs: 0, maxConnectionAgeGraceMs: -1 };
    expect(() => resolveGrpcOptions(bad as unknown as GrpcOptions)).toThrow(
      /recycleConnections must be true or false; maxConnectionIdleMs must.*maxConnectionAgeGraceMs must/,
    );
  });

  it("derives the limits that follow from others", () => {
    expect(resolveGrpcOptions({ maxConnections: 50 }).maxConnectionsPerAddress).toBe(50);
    expect(resolveGrpcOptions({ maxCallsPerSecond: 10, maxPostsPerSecond: 20, postBurst: 99 })).toMatchObject({
      callBurst: 10,
      postBurst: 99,
    });
    expect(resolveGrpcOptions({ maxReceiveBytes: 268_435_456 }).maxUnfinishedBytesPerAddress).toBe(536_870_912);
    expect(() => resolveGrpcOptions({ callBurst: 3, postBurst: 0 })).toThrow(
      /callBurst needs maxCallsPerSecond; postBurst needs maxPostsPerSecond; .*postBurst must be a whole number/,
    );
  });

  it("leaves one client half of the room for uploads, or one request of the largest size", () => {
    const shareOf = (options: GrpcOptions): number => resolveGrpcOptions(options).maxUploadBytesPerClient;
    expect(shareOf({ maxUploadBytes: 1_001, maxRequestBytes: 100 })).toBe(501);
    expect(shareOf({ maxUploadBytes: 1_000, maxRequestBytes: 800 })).toBe(800);
    expect(shareOf({ maxUploadBytes: 1_000, maxRequestBytes: 5_000 })).toBe(1_000);
    expect(shareOf({ maxUploadBytes: 1_000, maxUploadBytesPerClient: 10 })).toBe(10);
    expect(() => shareOf({ maxUploadBytes: 1_000, maxUploadBytesPerClient: 1_001 })).toThrow(
      /maxUploadBytesPerClient must be a whole number from 1 to 1000/,
    );
  });

  it.each([
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:65535", { host: "::1", port: 65_535 }],
    ["0.0.0.0:10001", { host: "0.0.0.0", port: 10_001 }],
  ])("listens on %s", (listen, address) => {
    expect(resolveGrpcOptions({ listen, insecure: true }).listen).toEqual(address);
  });

  it.each([
    "",
    "10001",
    "localhost",
    "localhost:",
    ":10001",
    "a:b:1",
    "host:65536",
    "host:-1",
    "http://host:1",
    "h ost:1",
    "::1:5",
  ])("does not listen on %j", (listen) =>
    expect(() => resolveGrpcOptions({ listen })).toThrow(/listen must be host:port/),
  );

  it("names all faults at once, when the module is made", () => {
    const options = { listen: "nowhere", keepaliveTime: 1, maxConnections: 0, refusalDelayMs: "1s" };
    expect(() => grpcModule(options as unknown as GrpcOptions)).toThrow(
      /unknown option keepaliveTime; known are listen,.*listen must be.*maxConnections must be.*refusalDelayMs must be/,
    );
  });
});

describe("errors as gRPC status", () => {
  it("has one line of text, whatever was thrown", () => {
    expect(toErrorStatus(new MessagingError("REJECTED", "two\nlines\t\u0000"))).toEqual({
      code: status.RESOURCE_EXHAUSTED,
      details: "two lines",
    });
    expect(toErrorStatus(new Error(""))).toEqual({ code: status.INTERNAL, details: "failed without a reason" });
    expect(toErrorStatus("text")).toEqual({ code: status.INTERNAL, details: "text" });
  });

  it("can be carried by a header", () => {
    const { details } = toErrorStatus(new MessagingError("UNKNOWN", `\ud800${"x".repeat(998)}💥`));
    expect(details.length).toBe(1_000);
    expect(decodeURI(encodeURI(details))).toBe(details);
  });
});
