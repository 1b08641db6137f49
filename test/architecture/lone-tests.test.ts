import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { LONE_TESTS } from "../../tools/test/lone-tests.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The machine's clock never goes back: what a test adds to it would stay with the files that come after in its process. */
const CHANGES_CLOCK = /useFakeTimers\(|setSystemTime\(|spyOn\(Date\b/;

it("a test that changes the clock has a process of its own", () => {
  const files = readdirSync(`${root}/test`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => `test/${file}`);
  const changing = files.filter((file) => CHANGES_CLOCK.test(readFileSync(`${root}/${file}`, "utf8")));
  expect(changing).not.toEqual([]);
  expect(changing.filter((file) => !LONE_TESTS.includes(file))).toEqual([]);
  expect(LONE_TESTS.filter((file) => !files.includes(file))).toEqual([]);
});
