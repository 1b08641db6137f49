import { product } from "../cells/product.mjs";

export async function createDriver({ directory }) {
  const { sqliteDriver } = await product("adapters/sqlite");
  return sqliteDriver({ file: `${directory}/${process.pid}.db` });
}
