import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ServedSink } from "../container/index.js";
import { jsonCodec } from "../core/codec.js";
import type { RequestSink, ServeOptions } from "../ports/request-sink.js";
import { errorText } from "../util/error-text.js";
import { BadInput } from "./failure.js";

const CONTRACT = "export const sinks = { name: sinkOf(async function* (request, context) { … }) }";

/**
 * The sinks of modules that export `sinks`, a record of them by name, and perhaps `options`, a record of the options with
 * which to serve them: `codec`, `concurrency` and so on. Bodies are JSON unless a codec says otherwise. Throws one
 * `BadInput` that names all faults.
 */
export async function loadSinkModules(paths: readonly string[]): Promise<readonly ServedSink[]> {
  const faults: string[] = [];
  const found = new Map<string, ServedSink>();
  const origins = new Map<string, string>();
  for (const path of paths) {
    const fault = (text: string): void => void faults.push(`--sink ${path} ${text}`);
    const module = await importModule(path, fault);
    if (module === undefined) continue;
    for (const served of sinksOf(module, fault)) {
      const other = origins.get(served.name);
      if (other !== undefined) fault(`has a sink ${JSON.stringify(served.name)}, which ${other} has, too`);
      origins.set(served.name, path);
      found.set(served.name, served);
    }
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return [...found.values()];
}

type Fault = (text: string) => void;
type Exports = Readonly<Record<string, unknown>>;

async function importModule(path: string, fault: Fault): Promise<Exports | undefined> {
  const file = resolve(path);
  if (!existsSync(file)) fault("cannot be read: there is no such file");
  else if (statSync(file).isDirectory()) fault("is a directory: name the module's file");
  else {
    try {
      return (await import(pathToFileURL(file).href)) as Exports;
    } catch (error) {
      fault(`cannot be loaded: ${error instanceof Error ? `${error.name}: ` : ""}${errorText(error)}`);
    }
  }
  return undefined;
}

function sinksOf({ sinks, options = {} }: Exports, fault: Fault): readonly ServedSink[] {
  if (!isRecord(sinks)) {
    fault(`must export sinks, a record of sinks by name: ${CONTRACT}`);
    return [];
  }
  if (!isRecord(options)) {
    fault("must export options, if at all, as a record of serve options by the name of their sink");
    return [];
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(sinks, name)) fault(`exports options for ${JSON.stringify(name)}, but no such sink`);
  }
  const names = Object.keys(sinks);
  if (names.length === 0) fault("exports no sink: sinks is empty");
  return names.flatMap((name) => {
    const sink = sinks[name];
    const own = options[name] ?? {};
    if (!isSink(sink)) {
      fault(`exports a sinks.${name} that is no sink: it needs the methods signal and abort; sinkOf makes one`);
    } else if (!isRecord(own)) {
      fault(`exports an options.${name} that is no object`);
    } else {
      const served: ServeOptions<unknown, unknown> = { codec: jsonCodec(), ...own };
      return [{ name, sink, options: served }];
    }
    return [];
  });
}

function isRecord(value: unknown): value is Exports {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSink(value: unknown): value is RequestSink<unknown, unknown> {
  return isRecord(value) && typeof value.signal === "function" && typeof value.abort === "function";
}
