import { REQUESTS, runContract } from "./run-contract.js";

await runContract("classic", REQUESTS);
