import type { PackageDefinition } from "@grpc/proto-loader";
import { MessagingError } from "../../src/errors/messaging-error.js";

export const VARINT = 0;
export const FIXED_64 = 1;
export const BYTES = 2;
export const FIXED_32 = 5;

export interface FieldRule {
  readonly name: string;
  readonly wireType: number;
  readonly isText: boolean;
  /** A varint of at most 32 bits. */
  readonly isShort: boolean;
  readonly isRepeated: boolean;
  /** Of a message. */
  readonly message: WireSchema | undefined;
}

/** How the fields of a message lie on the wire, by number. */
export type WireSchema = ReadonlyMap<number, FieldRule>;

/** What proto-loader knows of a message. */
interface MessageType {
  readonly name: string;
  readonly field: readonly {
    readonly name: string;
    readonly number: number;
    readonly label: string;
    readonly type: string;
    readonly typeName: string;
  }[];
  readonly nestedType: readonly MessageType[];
}

const WIRE_TYPE: Readonly<Record<string, number>> = {
  TYPE_STRING: BYTES,
  TYPE_BYTES: BYTES,
  TYPE_MESSAGE: BYTES,
  TYPE_DOUBLE: FIXED_64,
  TYPE_FIXED64: FIXED_64,
  TYPE_SFIXED64: FIXED_64,
  TYPE_FLOAT: FIXED_32,
  TYPE_FIXED32: FIXED_32,
  TYPE_SFIXED32: FIXED_32,
};

const SHORT_TYPES: ReadonlySet<string> = new Set([
  "TYPE_BOOL",
  "TYPE_ENUM",
  "TYPE_INT32",
  "TYPE_UINT32",
  "TYPE_SINT32",
]);

/** Of the message with this full name. Throws `INTERNAL` for one that is not among the definitions. */
export function wireSchemaOf(definitions: PackageDefinition, fullName: string): WireSchema {
  const type = typeOf(definitions, fullName);
  if (type === undefined) throw new MessagingError("INTERNAL", `no proto file that is served defines ${fullName}`);
  return schemaOf(definitions, type, fullName.slice(0, fullName.lastIndexOf(".")));
}

function schemaOf(definitions: PackageDefinition, type: MessageType, packageName: string): WireSchema {
  const rules = type.field.map(({ name, number, label, type: fieldType, typeName }): [number, FieldRule] => {
    const inner = fieldType === "TYPE_MESSAGE" ? resolve(definitions, type, packageName, typeName) : undefined;
    return [
      number,
      {
        name,
        wireType: WIRE_TYPE[fieldType] ?? VARINT,
        isText: fieldType === "TYPE_STRING",
        isShort: SHORT_TYPES.has(fieldType),
        isRepeated: label === "LABEL_REPEATED",
        message: inner && schemaOf(definitions, inner, packageName),
      },
    ];
  });
  return new Map(rules);
}

function resolve(
  definitions: PackageDefinition,
  { nestedType }: MessageType,
  packageName: string,
  typeName: string,
): MessageType | undefined {
  return (
    nestedType.find(({ name }) => name === typeName) ??
    typeOf(definitions, `${packageName}.${typeName}`) ??
    typeOf(definitions, typeName)
  );
}

function typeOf(definitions: PackageDefinition, fullName: string): MessageType | undefined {
  const definition = definitions[fullName];
  return definition !== undefined && "type" in definition ? (definition.type as MessageType) : undefined;
}
