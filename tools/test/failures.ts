import { relative } from "node:path";
import type { SerializedError, TestModule } from "vitest/node";
import { contractTitle } from "./tally.js";

/** A test that failed, or what broke outside the tests. */
export interface Failure {
  /** The contract run to which it belongs, or the file. */
  readonly where: string;
  /** Of a promise: its id. Of anything else its name, shortened. */
  readonly id: string;
  /** Without the id. Empty where that says it all. */
  readonly name: string;
  /** The first line of the first error. */
  readonly text: string;
  /** "src/some-file.ts:12"; undefined where no frame of the error is ours. */
  readonly place: string | undefined;
  readonly errors: readonly SerializedError[];
}

const CONTRACT_ID = /^(?<id>[A-Z]+-\d+) (?<name>.*)$/s;
const MOST_ID = 60;
/** Many wait by way of these: whoever called them says more. */
const HELPERS = ["src/contract/probe.ts", "src/contract/context.ts", "tools/process/wait-until.ts"];
const SKIPPED = "skipped, which counts as failed";

/** Those of a file, in their order. What was skipped has failed, unless tests were selected by name. */
export function failuresOf(module: TestModule, selectedByName: boolean): readonly Failure[] {
  const file = module.relativeModuleId;
  const failures: Failure[] = [];
  const broken = (name: string, errors: readonly SerializedError[]): void => {
    if (errors.length > 0) failures.push({ where: file, id: shortened(name), name: "", ...described(errors) });
  };
  broken("outside its tests", module.errors());
  for (const suite of module.children.allSuites()) broken(withoutOpenIds(suite.fullName), suite.errors());
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === "passed" || (result.state === "skipped" && selectedByName)) continue;
    const run = contractTitle(test.fullName.split(" > ")[0] ?? "")?.name;
    const promise = run === undefined ? undefined : CONTRACT_ID.exec(test.name)?.groups;
    const errors = result.errors ?? [];
    failures.push({
      where: run ?? file,
      id: promise?.["id"] ?? shortened(test.fullName),
      name: promise?.["name"] ?? "",
      ...(result.state === "failed" ? described(errors) : { text: SKIPPED, place: undefined, errors }),
    });
  }
  return failures;
}

/** What broke outside all files. */
export function unhandledFailure(error: SerializedError): Failure {
  return { where: "outside the tests", id: "unhandled error", name: "", ...described([error]) };
}

function described(errors: readonly SerializedError[]): Pick<Failure, "text" | "place" | "errors"> {
  const [first] = errors;
  const [line = ""] = (first?.message ?? "it says nothing").split("\n").filter((each) => each.trim() !== "");
  return { text: line.trim(), place: placeOf(first), errors };
}

function placeOf(error: SerializedError | undefined): string | undefined {
  const frames = (error?.stacks ?? [])
    .map(({ file, line }) => ({ file: relative(process.cwd(), file), line }))
    .filter(({ file }) => !file.startsWith("..") && !file.includes("node_modules") && !file.startsWith("node:"));
  const frame = frames.find(({ file }) => !HELPERS.includes(file)) ?? frames[0];
  return frame === undefined ? undefined : `${frame.file}:${frame.line}`;
}

/** The title of a contract run without what it does not verify. */
function withoutOpenIds(name: string): string {
  return name.replace(/ \(not verified: [^)]*\)/, "");
}

function shortened(name: string): string {
  const whole = withoutOpenIds(name);
  return whole.length <= MOST_ID ? whole : `${whole.slice(0, MOST_ID - 1)}…`;
}
