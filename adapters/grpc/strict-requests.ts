import type { ServiceDefinition } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";

const REPLACEMENT = "\uFFFD";
const NOTHING = Buffer.alloc(0);

/**
 * Reads requests more strictly than the library, which answers bytes that it cannot read with INTERNAL and replaces what
 * is no UTF-8. The fault is found with the request, so that the handler decides how to answer.
 */
export class StrictRequests {
  readonly #faults = new WeakMap<object, string>();

  /** The same service, with its requests checked. */
  of<Definition extends ServiceDefinition>(definition: Definition): Definition {
    const checked = Object.entries(definition).map(([name, method]) => [
      name,
      {
        ...method,
        requestDeserialize: (bytes: Buffer): object => this.#read(bytes, method.requestDeserialize),
      },
    ]);
    return Object.fromEntries(checked) as Definition;
  }

  /** Throws `MALFORMED` for a request that could not be read whole. */
  check(request: object): void {
    const fault = this.#faults.get(request);
    if (fault !== undefined) throw new MessagingError("MALFORMED", fault);
  }

  #read(bytes: Buffer, deserialize: (bytes: Buffer) => object): object {
    try {
      const request = deserialize(bytes);
      const field = replacedField(request, bytes);
      if (field !== undefined) this.#faults.set(request, `${field} is no UTF-8, as protobuf demands of a string`);
      return request;
    } catch (error) {
      const request = deserialize(NOTHING);
      this.#faults.set(request, `the request is not readable: ${errorText(error)}`);
      return request;
    }
  }
}

/** A text with replacement characters was sent with them, or had something else in their place. */
function replacedField(request: object, bytes: Buffer): string | undefined {
  for (const [field, value] of Object.entries(request)) {
    if (typeof value === "string") {
      if (isReplaced(field, bytes)) return "a field's name";
      if (isReplaced(value, bytes)) return field;
    } else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
      const inner = replacedField(value, bytes);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

function isReplaced(text: string, bytes: Buffer): boolean {
  return text.includes(REPLACEMENT) && !bytes.includes(Buffer.from(text, "utf8"));
}
