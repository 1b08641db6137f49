import { REST, runContract } from "./run-contract.js";

await runContract("quorum", REST);
