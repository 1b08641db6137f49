/** A body that says whose it is: so many bytes of its name, over and over. */
export function bodyOf(name: string, bytes: number): Uint8Array {
  return Buffer.alloc(bytes, `${name};`);
}

/** Whether these are the bytes that were made under this name. */
export function isBodyOf(name: string, body: Uint8Array, bytes = body.byteLength): boolean {
  return body.byteLength === bytes && Buffer.compare(body, bodyOf(name, bytes)) === 0;
}
