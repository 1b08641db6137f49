import { EventEmitter } from "node:events";
import type { Http2Server, ServerOptions } from "node:http2";
import type { Server as GrpcServer } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";

/**
 * The library makes its HTTP/2 servers itself and has no option for most of what they can be told. What is reached into here
 * is checked, so that another version of the library fails at once, and not by leaving the server without its limits.
 */
export function setHttp2Options(server: GrpcServer, options: ServerOptions): void {
  const common: unknown = Reflect.get(server, "commonServerOptions");
  if (typeof common !== "object" || common === null) throw changed("commonServerOptions");
  const settings: unknown = Reflect.get(common, "settings");
  Object.assign(common, options, { settings: { ...(settings ?? {}), ...options.settings } });
}

/** The one that its only injector hands connections to. To be called when that is made. */
export function http2ServerOf(server: GrpcServer): Http2Server {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map) || servers.size !== 1) throw changed("http2Servers");
  const [http2Server] = servers.keys();
  if (!(http2Server instanceof EventEmitter)) throw changed("http2Servers");
  return http2Server as Http2Server;
}

function changed(name: string): MessagingError {
  return new MessagingError("INTERNAL", `@grpc/grpc-js has another ${name} than is known: its limits cannot be set`);
}
