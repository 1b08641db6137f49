import { runContract } from "../memory/run-contract.js";
import { sqliteHarness } from "./contract-harness.js";

runContract(sqliteHarness);
