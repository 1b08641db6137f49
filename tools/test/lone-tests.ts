/** They say how much memory their process has, or how many sockets, or change its clock: each in a process of its own. */
export const LONE_TESTS: readonly string[] = [
  "test/composition.test.ts",
  "test/adapters/grpc/bad-input-streams.test.ts",
  "test/adapters/grpc/sink-flow.test.ts",
  "test/adapters/memory/due.test.ts",
  "test/adapters/sqlite/due.test.ts",
  "test/adapters/sqlite/inspection.test.ts",
  "test/adapters/sqlite/million.test.ts",
  "test/adapters/sqlite/unique.test.ts",
  "test/security/answered-early.test.ts",
  "test/security/credentials.test.ts",
  "test/security/health.test.ts",
  "test/security/http2-abuse.test.ts",
  "test/unit/core/system-clock.test.ts",
];
