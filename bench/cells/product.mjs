import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The checkout, or another build of Fairlead that is measured beside it: a folder with package.json, proto/ and dist/. */
const PRODUCT_DIRECTORY = resolve(process.env.FAIRLEAD_PRODUCT ?? fileURLToPath(new URL("../..", import.meta.url)));

const require = createRequire(`${PRODUCT_DIRECTORY}/package.json`);

/**
 * Imports a public part of Fairlead, as its package.json exports it: `product()`, `product("adapters/memory")`.
 * @param {string} [part]
 */
export async function product(part) {
  return import(pathToFileURL(require.resolve(part === undefined ? "fairlead" : `fairlead/${part}`)).href);
}

/** The path of a file that the package exports, such as `proto/queue.proto`. */
export function productFile(/** @type {string} */ file) {
  return require.resolve(`fairlead/${file}`);
}
