import { REST, runContract } from "./run-contract.js";

await runContract("classic", REST);
