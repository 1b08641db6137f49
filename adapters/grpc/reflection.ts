import type { Server } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { service as healthService } from "grpc-health-check";
import { loadAllProtos } from "./proto.js";

const HEALTH_NAME = "grpc.health.v1.Health";

/** Lets clients without our proto files ask what there is: the services of these names, and health. */
export function addReflection(server: Server, services: readonly string[]): void {
  // The messages of the health service know the file that they are of.
  const messages = Object.values(healthService).map(({ requestType }) => requestType);
  const definitions = { ...loadAllProtos(), ...messages } as unknown as PackageDefinition;
  new ReflectionService(definitions, { services: [...services, HEALTH_NAME] }).addToServer(server);
}
