import type { SourcePatch } from "../compiled-copy.js";

/** A bug that was made on purpose, so that it can be seen that the simulation finds such. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong then. */
  readonly what: string;
  readonly patches: readonly SourcePatch[];
  /** Invariants that it breaks; at least one of them must be what is found. */
  readonly breaks: readonly string[];
  /** A seed with which it is found. */
  readonly seed: number;
}
