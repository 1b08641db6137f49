import { Client, Metadata, type ServiceError } from "@grpc/grpc-js";
import { service } from "grpc-health-check";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { fromStatus } from "./call-errors.js";
import { type ClientSecurityOptions, resolveClientSecurity, secureClient } from "./security/client-security.js";

export interface CheckHealthOptions extends ClientSecurityOptions {
  /** `host:port` of a server, an IPv6 host in brackets. */
  readonly address: string;
  /** `""` is the whole server. Default `""`. */
  readonly service?: string | undefined;
  /** The longest that it may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** As grpc.health.v1 names them. */
export type HealthStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING";

const { Check: CHECK } = service;

/**
 * Asks grpc.health.v1.Health once, on a connection of its own that is closed afterwards. Rejects with `NOT_FOUND` for a
 * service that the server does not have, and with `UNAVAILABLE` or `TIMEOUT` when it does not answer.
 */
export async function checkHealth({
  address,
  service: name = "",
  ...options
}: CheckHealthOptions): Promise<HealthStatus> {
  const { timeoutMs = 5_000, ...security } = options;
  const faults: string[] = [];
  const resolved = resolveClientSecurity(security, [address], faults);
  if (faults.length > 0 || CHECK === undefined) throw new MessagingError("INVALID_ARGUMENT", faults.join("; "));
  const { credentials, options: channel } = secureClient(resolved, address, "health");
  const client = new Client(address, credentials, { ...channel, "grpc.use_local_subchannel_pool": 1 });
  try {
    return await new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: object): void => {
        if (error !== null) reject(fromStatus(error, `health of ${address}`));
        else resolve((response as { readonly status: HealthStatus }).status);
      };
      const deadline = Date.now() + timeoutMs;
      const { path, requestSerialize, responseDeserialize } = CHECK;
      const request = { service: name };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), { deadline }, done);
    });
  } finally {
    client.close();
  }
}
