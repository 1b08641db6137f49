export type { RabbitmqCredentials, RabbitmqCredentialsSource } from "./credentials.js";
export { rabbitmqDriver } from "./driver.js";
export { rabbitmqModule } from "./module.js";
export {
  type RabbitmqOptions,
  type ResolvedRabbitmqOptions,
  resolveRabbitmqOptions,
} from "./options.js";
export type { RabbitmqTlsOptions } from "./tls-options.js";
