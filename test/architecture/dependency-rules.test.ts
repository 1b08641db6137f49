import { describe, expect, it } from "vitest";
import { ruleNames, violationsIn } from "./planted-tree.js";

const nothing = "export {};\n";
const imports = (...specifiers: readonly string[]): string =>
  specifiers
    .map((specifier, index) => `import * as part${index} from "${specifier}";\nexport { part${index} };\n`)
    .join("");
const importsTypes = (specifier: string): string =>
  `import type { Part } from "${specifier}";\nexport type { Part };\n`;

const PACKAGES = { dependencies: ["inversify", "amqplib", "better-sqlite3", "winston"], devDependencies: ["vitest"] };

function packages(): Record<string, string> {
  const versions = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, "1.0.0"]));
  const { dependencies, devDependencies } = PACKAGES;
  const files: Record<string, string> = {
    "package.json": JSON.stringify({
      type: "module",
      dependencies: versions(dependencies),
      devDependencies: versions(devDependencies),
    }),
  };
  for (const name of [...dependencies, ...devDependencies]) {
    files[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: "1.0.0", main: "index.js" });
    files[`node_modules/${name}/index.js`] = "module.exports = {};\n";
  }
  return files;
}

/** A small project in the shape of this one, with every kind of dependency that is allowed. */
const CLEAN: Readonly<Record<string, string>> = {
  ...packages(),
  "src/ports/queue.ts": importsTypes("./message.js"),
  "src/ports/message.ts": nothing,
  "src/errors/messaging-error.ts": nothing,
  "src/util/ring.ts": imports("node:crypto"),
  "src/driver/driver.ts": `${importsTypes("../ports/queue.js")}${imports("../errors/messaging-error.js")}`,
  "src/driver/index.ts": imports("./driver.js"),
  "src/core/messaging.ts": imports("../driver/driver.js", "../util/ring.js", "../errors/messaging-error.js"),
  "src/events/index.ts": imports("../core/messaging.js", "./dispatcher.js"),
  "src/events/dispatcher.ts": nothing,
  "src/index.ts": imports("./core/messaging.js"),
  "src/contract/index.ts": imports("../index.js", "../driver/index.js", "../events/index.js", "node:assert"),
  "src/observability/index.ts": imports("winston"),
  "src/container/tokens.ts": importsTypes("inversify"),
  "src/container/index.ts": imports("inversify", "./tokens.js", "../events/index.js", "../../adapters/memory/index.js"),
  "src/cli/main.ts": imports("../container/index.js", "../../adapters/grpc/index.js"),
  "adapters/memory/ring-store.ts": imports("../../src/util/ring.js", "../../src/driver/driver.js"),
  "adapters/memory/module.ts": imports("inversify", "../../src/container/tokens.js"),
  "adapters/memory/index.ts": imports("./module.js", "./ring-store.js"),
  "adapters/rabbitmq/index.ts": imports("amqplib"),
  "adapters/sqlite/binding.ts": imports("better-sqlite3"),
  "adapters/grpc/gen/queue.ts": nothing,
  "adapters/grpc/index.ts": imports("./gen/queue.js", "../../src/events/index.js"),
  "tools/demo.ts": imports("../src/index.js", "../src/container/index.js", "../adapters/memory/index.js"),
  "test/unit/core.test.ts": imports("vitest", "../../src/core/messaging.js", "../support/clock.js"),
  "test/adapters/memory/own.test.ts": imports("../../../adapters/memory/ring-store.js", "inversify"),
  "test/support/clock.ts": nothing,
};

/** For every rule the file that breaks it, and it alone. */
const PLANTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "ports-are-pure": { "src/ports/planted.ts": imports("../util/ring.js") },
  "ports-are-types": { "src/ports/planted.ts": imports("./queue.js") },
  "errors-are-pure": { "src/errors/planted.ts": importsTypes("../ports/queue.js") },
  "util-knows-no-messaging": { "src/util/planted.ts": importsTypes("../ports/queue.js") },
  "driver-sees-ports": { "src/driver/planted.ts": imports("../util/ring.js") },
  "src-needs-no-package": { "src/core/planted.ts": imports("winston") },
  "src-needs-no-adapter": { "src/events/planted.ts": imports("../../adapters/memory/index.js") },
  "core-knows-no-rim": { "src/events/planted.ts": importsTypes("../container/tokens.js") },
  "core-knows-no-events": { "src/core/planted.ts": importsTypes("../events/index.js") },
  "inversify-at-the-rim": { "adapters/memory/planted.ts": importsTypes("inversify") },
  "adapter-sees-the-driver-side": { "adapters/memory/planted.ts": importsTypes("../../src/core/messaging.js") },
  "grpc-sees-events-too": { "adapters/grpc/planted.ts": imports("../memory/index.js") },
  "client-in-its-adapter": { "adapters/memory/planted.ts": importsTypes("amqplib") },
  "binding-in-its-adapter": { "adapters/sqlite/planted.ts": importsTypes("better-sqlite3") },
  "adapter-by-its-index": { "src/cli/planted.ts": imports("../../adapters/memory/ring-store.js") },
  "security-test-looks-into-the-gateway": {
    "test/security/planted.ts": imports("../../adapters/memory/ring-store.js"),
  },
  "adapter-test-by-its-index": { "test/adapters/grpc/planted.ts": imports("../../../adapters/memory/ring-store.js") },
  "generated-code-stays": { "test/adapters/grpc/planted.ts": importsTypes("../../../adapters/grpc/gen/queue.js") },
  "contract-sees-the-surface": { "src/contract/planted.ts": imports("../util/ring.js") },
  "tools-see-the-surface": { "tools/planted.ts": imports("../src/core/messaging.js") },
  "product-needs-no-tool": { "src/cli/planted.ts": imports("../../tools/demo.js") },
  "product-needs-no-dev-package": { "src/cli/planted.ts": imports("vitest") },
  "nothing-imports-test": { "tools/planted.ts": imports("../test/support/clock.js") },
  "no-cycles": {
    "src/core/planted.ts": importsTypes("./planted-too.js"),
    "src/core/planted-too.ts": importsTypes("./planted.js"),
  },
  "everything-resolves": { "src/core/planted.ts": imports("./nowhere.js") },
};

/** Further ways around a rule that must not be open. */
const DETOURS: readonly (readonly [rule: string, files: Readonly<Record<string, string>>])[] = [
  ["ports-are-pure", { "src/ports/planted.ts": imports("node:fs") }],
  ["ports-are-pure", { "src/ports/planted.ts": importsTypes("winston") }],
  ["driver-sees-ports", { "src/driver/planted.ts": importsTypes("../core/messaging.js") }],
  ["src-needs-no-package", { "src/contract/planted.ts": imports("vitest") }],
  ["src-needs-no-package", { "src/util/planted.ts": `export const late = () => import("winston");\n` }],
  ["inversify-at-the-rim", { "src/cli/planted.ts": importsTypes("inversify") }],
  ["inversify-at-the-rim", { "src/core/planted.ts": `export type { Container } from "inversify";\n` }],
  ["adapter-sees-the-driver-side", { "adapters/rabbitmq/planted.ts": imports("../memory/index.js") }],
  ["adapter-sees-the-driver-side", { "adapters/rabbitmq/planted.ts": imports("../../src/container/index.js") }],
  ["adapter-sees-the-driver-side", { "adapters/memory/planted.ts": importsTypes("../../src/events/index.js") }],
  ["grpc-sees-events-too", { "adapters/grpc/planted.ts": importsTypes("../../src/core/messaging.js") }],
  ["adapter-by-its-index", { "test/unit/planted.ts": imports("../../adapters/memory/ring-store.js") }],
  ["contract-sees-the-surface", { "src/contract/planted.ts": importsTypes("../driver/driver.js") }],
  ["contract-sees-the-surface", { "src/contract/planted.ts": importsTypes("../events/dispatcher.js") }],
  ["contract-sees-the-surface", { "src/contract/planted.ts": imports("../../adapters/memory/index.js") }],
];

const PLANTED = [...Object.entries(PLANTS), ...DETOURS].map(([rule, files]) => {
  const [path = "", text = ""] = Object.entries(files)[0] ?? [];
  return { rule, files, path, line: text.split("\n", 1)[0] };
});

describe("the dependency rules", () => {
  it("find nothing in a project that keeps them", async () => {
    expect(await violationsIn(CLEAN)).toEqual([]);
  });

  it("have a planted violation each", async () => {
    expect((await ruleNames()).sort()).toEqual(Object.keys(PLANTS).sort());
  });

  it.each(PLANTED)("$rule catches $line in $path", async ({ rule, files }) => {
    const found = await violationsIn({ ...CLEAN, ...files });
    expect([...new Set(found.map((violation) => violation.rule))]).toEqual([rule]);
    for (const { from } of found) expect(Object.keys(files)).toContain(from);
  });
});
