// The dependency rules, as errors. Each has a planted violation in test/architecture/dependency-rules.test.ts; a rule
// without one fails that test.

const NPM = ["npm", "npm-dev", "npm-optional", "npm-peer", "npm-bundled", "npm-no-pkg", "npm-unknown"];
const PACKAGE = (...names) => `(?:^|/)node_modules/(?:${names.join("|")})/`;

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "ports-are-pure",
      comment:
        "Ports are what applications see. They depend on nothing but each other, and on the type of their errors.",
      severity: "error",
      from: { path: "^src/ports/" },
      to: { pathNot: "^src/(?:ports|errors)/" },
    },
    {
      name: "ports-are-types",
      comment: "Ports hold types only, so that importing one costs nothing: import them with `import type`.",
      severity: "error",
      from: { path: "^src/ports/" },
      to: { path: "^src/ports/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "errors-are-pure",
      comment: "Everybody may import the errors, so they import nothing.",
      severity: "error",
      from: { path: "^src/errors/" },
      to: { pathNot: "^src/errors/" },
    },
    {
      name: "util-knows-no-messaging",
      comment: "util holds words without messaging in them. What needs more belongs to the part that needs it.",
      severity: "error",
      from: { path: "^src/util/" },
      to: { path: "^(?:src|adapters|tools|test)/", pathNot: "^src/util/" },
    },
    {
      name: "driver-sees-ports",
      comment:
        "The driver interface is types over ports and errors; whatever it imported, every adapter would depend on.",
      severity: "error",
      from: { path: "^src/driver/" },
      to: { pathNot: "^src/(?:driver|ports|errors)/" },
    },
    {
      name: "src-needs-no-package",
      comment: "Only container, observability and cli may need npm packages. A broker's client belongs to its adapter.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(?:container|observability|cli|ports|errors|driver)/" },
      to: { dependencyTypes: NPM, pathNot: PACKAGE("inversify", "@inversifyjs") },
    },
    {
      name: "src-needs-no-adapter",
      comment: "Only container, observability and cli may know adapters; everything else speaks to a Driver.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(?:container|observability|cli|ports|errors|driver|util|contract)/" },
      to: { path: "^adapters/" },
    },
    {
      name: "core-knows-no-rim",
      comment: "The rim (container, cli, observability, contract) is built on core and events, never the other way.",
      severity: "error",
      from: { path: "^src/(?:core|events)/" },
      to: { path: "^src/(?:container|cli|observability|contract)/" },
    },
    {
      name: "core-knows-no-events",
      comment: "The event service is one application of the ports, and core serves every application.",
      severity: "error",
      from: { path: "^src/core/" },
      to: { path: "^src/events/" },
    },
    {
      name: "inversify-at-the-rim",
      comment: "Everything also works without a container: inversify only in src/container and adapters/*/module.ts.",
      severity: "error",
      from: {
        path: "^(?:src|adapters|tools)/",
        pathNot: ["^src/container/", "^adapters/[^/]+/module\\.ts$", "^src/(?:ports|errors|driver)/"],
      },
      to: { path: PACKAGE("inversify", "@inversifyjs") },
    },
    {
      name: "adapter-sees-the-driver-side",
      comment: "An adapter sees ports, driver, errors, util, the container's tokens and itself.",
      severity: "error",
      from: { path: "^adapters/([^/]+)/", pathNot: "^adapters/grpc/" },
      to: {
        path: "^(?:src|adapters|tools)/",
        pathNot: ["^src/(?:ports|driver|errors|util)/", "^src/container/tokens\\.ts$", "^adapters/$1/"],
      },
    },
    {
      name: "grpc-sees-events-too",
      comment: "The gRPC adapter drives: it sees what other adapters see, the event service, and the rule of respond.",
      severity: "error",
      from: { path: "^adapters/grpc/" },
      to: {
        path: "^(?:src|adapters|tools)/",
        pathNot: [
          "^src/(?:ports|driver|errors|util|events)/",
          "^src/core/request/(?:response-gate|deadline|shared-timers|accepted|as-messaging-error|call-name|signal-sink)\\.ts$",
          "^src/container/tokens\\.ts$",
          "^adapters/grpc/",
        ],
      },
    },
    {
      name: "client-in-its-adapter",
      comment: "A broker's client is imported under its adapter only, so that it can be exchanged there.",
      severity: "error",
      from: { path: "^(?:adapters|tools|src/(?:container|observability|cli))/", pathNot: "^adapters/rabbitmq/" },
      to: { path: PACKAGE("amqplib") },
    },
    {
      name: "binding-in-its-adapter",
      comment: "The SQLite binding is imported in one file, so that it can be exchanged there.",
      severity: "error",
      from: {
        path: "^(?:adapters|tools|src/(?:container|observability|cli))/",
        pathNot: "^adapters/sqlite/binding\\.ts$",
      },
      to: { path: PACKAGE("better-sqlite3", "@types/better-sqlite3") },
    },
    {
      name: "adapter-by-its-index",
      comment: "An adapter's files are its own; from outside import its index.ts.",
      severity: "error",
      from: { path: "^(?:src|tools|test/(?!adapters/|security/))" },
      to: { path: "^adapters/[^/]+/(?!index\\.ts$|gen/)" },
    },
    {
      name: "security-test-looks-into-the-gateway",
      comment:
        "Who may do what is decided inside adapters/grpc, and nowhere else; other adapters are known by their index.ts.",
      severity: "error",
      from: { path: "^test/security/" },
      to: { path: "^adapters/(?!grpc/)[^/]+/(?!index\\.ts$|gen/)" },
    },
    {
      name: "adapter-test-by-its-index",
      comment: "An adapter's own tests may look inside; those of another import its index.ts.",
      severity: "error",
      from: { path: "^test/adapters/([^/]+)/" },
      to: { path: "^adapters/[^/]+/(?!index\\.ts$|gen/)", pathNot: "^adapters/$1/" },
    },
    {
      name: "generated-code-stays",
      comment: "Generated code is a detail of its adapter, which exports what others may use of it.",
      severity: "error",
      from: { pathNot: "^adapters/" },
      to: { path: "^adapters/[^/]+/gen/" },
    },
    {
      name: "contract-sees-the-surface",
      comment: "The contract suite is public, for adapters written elsewhere: it uses what they can use.",
      severity: "error",
      from: { path: "^src/contract/" },
      to: {
        path: "^(?:src|adapters|tools)/",
        pathNot: ["^src/contract/", "^src/index\\.ts$", "^src/(?:driver|events)/index\\.ts$"],
      },
    },
    {
      name: "tools-see-the-surface",
      comment:
        "Tools import what is public: an index.ts of src or of an adapter; and what is left in the tables of calls.",
      severity: "error",
      from: { path: "^tools/" },
      to: {
        path: "^src/",
        pathNot: ["^src/index\\.ts$", "^src/[^/]+/index\\.ts$", "^src/core/request/tables\\.ts$"],
      },
    },
    {
      name: "product-needs-no-tool",
      comment: "Tools are for people who work on Fairlead; the product works without them.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^tools/" },
    },
    {
      name: "product-needs-no-dev-package",
      comment: "What is shipped may only need what is installed with it: move the package to dependencies.",
      severity: "error",
      from: { path: "^(?:src/(?:container|observability|cli)|adapters)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm"] },
    },
    {
      name: "nothing-imports-test",
      comment: "Tests import the product, never the other way.",
      severity: "error",
      from: { pathNot: "^test/" },
      to: { path: "^test/" },
    },
    {
      name: "no-cycles",
      comment: "A cycle, types included, means that two parts are one, or that a third is missing.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "everything-resolves",
      comment: "An import that leads nowhere escapes every other rule.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "(?:^|/)node_modules/" },
    exclude: { path: "^(?:dist|coverage|\\.cache)/" },
    // Without it, imports of types are not seen at all.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
