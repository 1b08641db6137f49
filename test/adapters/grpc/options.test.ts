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
      keepaliveTimeMs: 10_000,
      keepaliveTimeoutMs: 3_000,
      maxReceiveBytes: undefined,
      maxStreamsPerConnection: 2_000,
      maxConnections: 10_000,
      refusalDelayMs: 1_000,
      maxRequestBytes: 67_108_864,
      maxUploadBytes: 268_435_456,
      maxCallsPerClient: 1_000,
      shutdownGraceMs: 1_000,
    });
    expect(Object.isFrozen(options)).toBe(true);
  });

  it.each([
    ["localhost:0", { host: "localhost", port: 0 }],
    ["[::1]:65535", { host: "::1", port: 65_535 }],
    ["0.0.0.0:10001", { host: "0.0.0.0", port: 10_001 }],
  ])("listens on %s", (listen, address) => {
    expect(resolveGrpcOptions({ listen }).listen).toEqual(address);
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
