import { afterAll } from "vitest";
import {
  BROKER_ALONE_VARIABLE,
  BROKER_TURNS_VARIABLE,
  RABBITMQ_STATE_VARIABLE,
  RABBITMQ_URL_VARIABLE,
} from "./broker-project.js";
import { takeBrokerTurn } from "./broker-turns.js";

// Before the file is loaded, so that no test and no hook waits, whose time is bounded.
const isAlone = process.env[BROKER_ALONE_VARIABLE] !== undefined;
const { node, end } = await takeBrokerTurn(Number(process.env[BROKER_TURNS_VARIABLE]), isAlone);
process.env[RABBITMQ_URL_VARIABLE] = node.url;
process.env[RABBITMQ_STATE_VARIABLE] = node.stateFile;
// The first to be registered runs last.
afterAll(end);
