import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { credentials, type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync } from "@grpc/proto-loader";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GrpcRig } from "./rig.js";
import { SinkRig } from "./sink-rig.js";

const packageFolder = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly errorResponse?: { readonly errorCode: number };
}

/** Asks as grpcurl does. */
function ask(address: string, version: "v1" | "v1alpha", question: object): Promise<ReflectionAnswer> {
  const file = join(packageFolder, "build", "proto", "grpc", "reflection", version, "reflection.proto");
  const { grpc } = loadPackageDefinition(loadSync(file, { defaults: false })) as unknown as {
    readonly grpc: { readonly reflection: Readonly<Record<string, GrpcObject>> };
  };
  const Client = grpc.reflection[version]?.["ServerReflection"] as ServiceClientConstructor;
  const client = new Client(address, credentials.createInsecure());
  return new Promise<ReflectionAnswer>((resolve, reject) => {
    const call = client["ServerReflectionInfo"]?.call(client);
    call.on("data", resolve);
    call.on("error", reject);
    call.write(question);
    call.end();
  }).finally(() => client.close());
}

const namesOf = ({ listServicesResponse }: ReflectionAnswer): string[] =>
  (listServicesResponse?.service ?? []).map(({ name }) => name).sort();

describe("reflection", () => {
  let rig: GrpcRig;
  beforeEach(async () => {
    rig = await GrpcRig.start();
  });
  afterEach(() => rig.close());

  it.each(["v1", "v1alpha"] as const)("lists what is served, %s", async (version) => {
    expect(namesOf(await ask(rig.address, version, { listServices: "" }))).toEqual([
      "fairlead.v1.Events",
      "fairlead.v1.Inspection",
      "grpc.health.v1.Health",
      "queue.QueueApi",
    ]);
  });

  it("lists sinks where there are any", async () => {
    const sinks = await SinkRig.start({});
    try {
      expect(namesOf(await ask(sinks.address, "v1", { listServices: "" }))).toContain("fairlead.v1.RequestSink");
    } finally {
      await sinks.close();
    }
  });

  it.each([
    ["queue.QueueApi", "PostEvent"],
    ["fairlead.v1.Events", "PostEvents"],
    ["grpc.health.v1.Health", "Check"],
  ])("gives the files from which a client of %s can be made", async (symbol, method) => {
    const { fileDescriptorResponse } = await ask(rig.address, "v1", { fileContainingSymbol: symbol });
    const files = fileDescriptorResponse?.fileDescriptorProto ?? [];
    // A FileDescriptorSet: the files as field 1.
    const set = Buffer.concat(
      files.map((file) => {
        const length: number[] = [];
        let rest = file.length;
        for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
        return Buffer.concat([Buffer.from([10, ...length, rest]), file]);
      }),
    );
    expect(loadFileDescriptorSetFromBuffer(set)[symbol]).toHaveProperty(method);
  });

  it("says NOT_FOUND for what is not there", async () => {
    const { errorResponse } = await ask(rig.address, "v1", { fileContainingSymbol: "nothing.Here" });
    expect(errorResponse?.errorCode).toBe(5);
  });
});
