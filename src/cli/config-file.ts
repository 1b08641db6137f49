import { readFileSync } from "node:fs";
import { BadInput } from "./failure.js";

/** The object that a JSON file holds. Throws `BadInput`, which quotes nothing of the file: it may hold a password. */
export function readConfigFile(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new BadInput(`--config ${path} cannot be read: ${reasonOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadInput(`--config ${path} is not JSON${placeOf(error, text)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new BadInput(`--config ${path} must hold a JSON object, for example {"broker": "memory:"}`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a directory";
  if (code === "EACCES") return "permission denied";
  return String(code ?? error);
}

function placeOf(error: unknown, text: string): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return `: look at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
