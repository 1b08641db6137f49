import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

const NAME = "authorization";

/**
 * Of two headers `authorization` Node.js keeps the first and says nothing of the second: who stands between might have
 * looked at the other one. With this both are in the metadata, where a call with more than one is refused.
 */
export function keepDoubledCredentials(server: Http2Server): void {
  const keep = (
    _stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    let count = 0;
    // Names and values take turns.
    for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index] === NAME) count += 1;
    if (count < 2) return;
    const values = rawHeaders.filter((_value, index) => index % 2 === 1 && rawHeaders[index - 1] === NAME);
    Reflect.set(headers, NAME, values);
  };
  // Before the library, which makes the metadata of the headers.
  server.prependListener("stream", keep);
}
