// Generates the types of proto/ into adapters/grpc/gen/, or into the folder that is given.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const outDir = resolve(root, process.argv[2] ?? "adapters/grpc/gen");
const loader = createRequire(import.meta.url).resolve("@grpc/proto-loader/package.json");
const generator = resolve(dirname(loader), "build/bin/proto-loader-gen-types.js");

rmSync(outDir, { recursive: true, force: true });
const result = spawnSync(
  process.execPath,
  [
    generator,
    "--grpcLib=@grpc/grpc-js",
    "--longs=String",
    "--enums=String",
    "--defaults",
    "--oneofs",
    "--importFileExtension=.js",
    "--targetFileExtension=.ts",
    `--outDir=${outDir}`,
    "proto/queue.proto",
    "proto/fairlead/v1/request_sink.proto",
    "proto/fairlead/v1/events.proto",
    "proto/fairlead/v1/inspection.proto",
  ],
  { cwd: root, stdio: ["ignore", "ignore", "inherit"] },
);
process.exit(result.status ?? 1);
