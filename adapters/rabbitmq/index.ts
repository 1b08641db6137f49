export { rabbitmqDriver } from "./driver.js";
export { rabbitmqModule } from "./module.js";
export {
  type RabbitmqOptions,
  type RabbitmqTlsOptions,
  type ResolvedRabbitmqOptions,
  resolveRabbitmqOptions,
} from "./options.js";
