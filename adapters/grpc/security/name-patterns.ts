const MAX_PATTERN_LENGTH = 256;
/** No name that means anything here is longer. */
const MAX_NAME_LENGTH = 1_024;

/** Why the text is no pattern; undefined if it is one. */
export function patternFault(pattern: unknown): string | undefined {
  if (typeof pattern !== "string") return "must be a text";
  if (pattern.length > MAX_PATTERN_LENGTH) return `must have at most ${MAX_PATTERN_LENGTH} characters`;
  return undefined;
}

/** Names, each exact but for `*`, which stands for any characters, also for none. */
export class NamePatterns {
  readonly #exact = new Set<string>();
  readonly #wild: (readonly string[])[] = [];
  #matchesAll = false;

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) {
      if (/^\*+$/.test(pattern)) this.#matchesAll = true;
      else if (pattern.includes("*")) this.#wild.push(pattern.split(/\*+/));
      else this.#exact.add(pattern);
    }
    this.isEmpty = patterns.length === 0;
  }

  readonly isEmpty: boolean;

  /** In a time that grows with the length of the name times that of the patterns, at most. */
  matches(name: string): boolean {
    if (this.#matchesAll) return true;
    if (name.length > MAX_NAME_LENGTH) return false;
    return this.#exact.has(name) || this.#wild.some((parts) => matchesParts(name, parts));
  }
}

/** The parts in their order, the first at the beginning and the last at the end: taking each as early as possible is enough. */
function matchesParts(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
