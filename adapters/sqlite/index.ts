export { sqliteDriver } from "./driver.js";
export { type SqliteFaults, sqliteFaults } from "./faults.js";
export { sqliteModule } from "./module.js";
export type { SqliteOptions } from "./options.js";
export { resolveSqliteOptions } from "./options.js";
