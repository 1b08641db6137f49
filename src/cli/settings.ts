import type { z } from "zod";
import { BadInput } from "./failure.js";

/** One source of values, by key. Earlier layers win. */
export interface Layer {
  /** How the value of this key was given, for faults: `--listen`, `FAIRLEAD_LISTEN`, `listen in server.json`. */
  origin(key: string): string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Each key from the first layer that has it, checked by the schema. Throws one `BadInput` that names all faults, unknown
 * keys among them, and where each came from. Values are not quoted: one may hold a password.
 */
export function resolveSettings<Schema extends z.ZodObject>(
  schema: Schema,
  layers: readonly Layer[],
): Readonly<z.infer<Schema>> {
  // Without a prototype, "__proto__" from a file is a key like any other.
  const values: Record<string, unknown> = Object.create(null);
  const origins = new Map<string, string>();
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.values)) {
      if (value === undefined || origins.has(key)) continue;
      origins.set(key, layer.origin(key));
      Object.defineProperty(values, key, { value, enumerable: true, configurable: true });
    }
  }
  const result = schema.safeParse(values);
  if (result.success) return Object.freeze(result.data);
  const faults = result.error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => `${origins.get(key) ?? key}: unknown key`);
    const key = String(issue.path[0]);
    return [`${origins.get(key) ?? key}: ${issue.message}`];
  });
  const anyUnknown = result.error.issues.some((issue) => issue.code === "unrecognized_keys");
  const known = anyUnknown ? `; known keys are ${Object.keys(schema.shape).sort().join(", ")}` : "";
  throw new BadInput([...new Set(faults)].join("; ") + known);
}
