// Calls a server with nonsense, and prints what became of it as JSON.
import { seededRandom } from "../../crash/seeded-random.js";
import { GrpcFuzzer } from "../fuzz/grpc-fuzzer.js";

export interface GrpcFuzzerTask {
  readonly address: string;
  readonly calls: number;
  readonly seed: number;
}

const { address, calls, seed } = JSON.parse(process.argv[2] ?? "{}") as GrpcFuzzerTask;
const fuzzer = new GrpcFuzzer({ address, random: seededRandom(seed) });
await fuzzer.run(calls);
console.log(JSON.stringify(fuzzer.result));
process.exit(0);
