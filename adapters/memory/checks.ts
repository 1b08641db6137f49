import { MessagingError } from "../../src/errors/messaging-error.js";

/** Reads options that may be anything, and gathers what is wrong with them. */
export class Checks {
  readonly #subject: string;
  readonly #faults: string[] = [];

  constructor(subject: string) {
    this.#subject = subject;
  }

  fault(text: string): void {
    this.#faults.push(text);
  }

  throwIfFaulty(): void {
    if (this.#faults.length === 0) return;
    throw new MessagingError("INVALID_ARGUMENT", `${this.#subject}: ${this.#faults.join("; ")}`);
  }

  /** An object with no other keys than these; absent: empty. */
  object(name: string, value: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.fault(`${name} must be an object`);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (!keys.includes(key)) this.fault(`${name} has no key ${JSON.stringify(key)}, known are ${keys.join(", ")}`);
    }
    return value as Record<string, unknown>;
  }

  /** A whole number from 1. */
  count(name: string, value: unknown, byDefault: number, most = Number.MAX_SAFE_INTEGER): number {
    if (value === undefined) return byDefault;
    if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return value as number;
    this.fault(`${name} must be a whole number from 1${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""}`);
    return byDefault;
  }

  /** A time that may be 0. */
  milliseconds(name: string, value: unknown): number {
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    this.fault(`${name} must be a number of milliseconds, 0 or more`);
    return 0;
  }

  flag(name: string, value: unknown, byDefault: boolean): boolean {
    if (value === undefined || typeof value === "boolean") return value ?? byDefault;
    this.fault(`${name} must be true or false`);
    return byDefault;
  }

  /** Something with these methods. */
  made<T>(name: string, value: unknown, methods: readonly string[], byDefault: T): T {
    if (value === undefined) return byDefault;
    const has = (method: string): boolean =>
      typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
    if (methods.every(has)) return value as T;
    this.fault(`${name} must have the methods ${methods.join(" and ")}`);
    return byDefault;
  }

  /** A function; absent: undefined. */
  action<T>(name: string, value: unknown): T | undefined {
    if (value !== undefined && typeof value !== "function") this.fault(`${name} must be a function`);
    return typeof value === "function" ? (value as T) : undefined;
  }
}
