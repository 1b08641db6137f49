// Holds the write lock of a SQLite file, and prints `holds`. SIGTERM: gives it back and ends.
import { sqliteFaults } from "../../../adapters/sqlite/index.js";

const release = await sqliteFaults(process.argv[2] ?? "").holdWriteLock();
console.log("holds");
const staying = setInterval(() => {}, 60_000);
process.once("SIGTERM", () => {
  release();
  clearInterval(staying);
});
