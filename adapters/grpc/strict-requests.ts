import type { ServiceDefinition } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { errorText } from "../../src/util/error-text.js";
import { checkWire, type WireFaults } from "./wire-check.js";
import { type WireSchema, wireSchemaOf } from "./wire-schema.js";

const NOTHING = Buffer.alloc(0);

type Deserialize = (bytes: Buffer) => object;

/**
 * Reads requests more strictly than the library, which answers bytes that it cannot read with INTERNAL, replaces what is
 * no UTF-8, reads one type of field as another, and takes any number of entries. The fault is found with the request, so
 * that the handler decides how to answer.
 */
export class StrictRequests {
  readonly #definitions: PackageDefinition;
  readonly #faults = new WeakMap<object, MessagingError>();

  /** `definitions` has all messages of the services. */
  constructor(definitions: PackageDefinition) {
    this.#definitions = definitions;
  }

  /** The same service, with its requests checked. Its requests are of its own package. */
  of<Definition extends ServiceDefinition>(definition: Definition): Definition {
    const checked = Object.entries(definition).map(([name, method]) => {
      const packageName = method.path.slice(1, method.path.lastIndexOf("/")).replace(/\.[^.]*$/, "");
      const typeName = (method as { requestType?: { type: { name: string } } }).requestType?.type.name;
      const schema = wireSchemaOf(this.#definitions, `${packageName}.${typeName}`);
      const deserialize: Deserialize = method.requestDeserialize;
      return [name, { ...method, requestDeserialize: (bytes: Buffer) => this.#read(bytes, schema, deserialize) }];
    });
    return Object.fromEntries(checked) as Definition;
  }

  /**
   * Throws `MALFORMED` for a request that could not be read whole, `TOO_LARGE` for one of too many entries. The entries of
   * a repeated field are checked each for itself, by the same call.
   */
  check(request: object): void {
    const fault = this.#faults.get(request);
    if (fault !== undefined) throw fault;
  }

  /** From now on `check` throws the fault for this request or entry, unless it has one already. */
  refuse(request: object, fault: MessagingError): void {
    if (!this.#faults.has(request)) this.#faults.set(request, fault);
  }

  #read(bytes: Buffer, schema: WireSchema, deserialize: Deserialize): object {
    const faults = checkWire(bytes, schema);
    if (faults?.isTooLong === true) {
      return this.#unread(
        deserialize,
        new MessagingError("TOO_LARGE", "a request has at most 10000 entries; send several requests"),
      );
    }
    if (faults?.unreadable !== undefined) return this.#unread(deserialize, unreadable(faults.unreadable));
    try {
      const request = deserialize(bytes);
      if (faults !== undefined) this.#noteTexts(request, faults);
      return request;
    } catch (error) {
      return this.#unread(deserialize, unreadable(errorText(error)));
    }
  }

  #unread(deserialize: Deserialize, fault: MessagingError): object {
    const request = deserialize(NOTHING);
    this.#faults.set(request, fault);
    return request;
  }

  #noteTexts(request: object, { text, entries }: WireFaults): void {
    if (text !== undefined) this.#faults.set(request, noText(text));
    for (const { field, index, text: entryText } of entries) {
      const list = (request as Readonly<Record<string, unknown>>)[field];
      const entry: unknown = Array.isArray(list) ? list[index] : undefined;
      // A map has no entries of its own.
      this.#faults.set(typeof entry === "object" && entry !== null ? entry : request, noText(entryText));
    }
  }
}

function noText(field: string): MessagingError {
  return new MessagingError("MALFORMED", `${field} is no UTF-8, as protobuf demands of a string`);
}

function unreadable(why: string): MessagingError {
  return new MessagingError("MALFORMED", `the request is not readable: ${why}`);
}
