import { REQUESTS, runContract } from "./run-contract.js";

await runContract("quorum", REQUESTS);
