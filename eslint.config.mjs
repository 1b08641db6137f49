// Only the two promise rules, which need types; everything else is biome's.
import tseslint from "typescript-eslint";

export default tseslint.config({
  files: ["src/**/*.ts", "adapters/**/*.ts", "test/**/*.ts", "tools/**/*.ts"],
  ignores: ["**/gen/**"],
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: { project: ["tsconfig.json"], tsconfigRootDir: import.meta.dirname },
  },
  plugins: { "@typescript-eslint": tseslint.plugin },
  rules: {
    "@typescript-eslint/no-floating-promises": "error",
    "@typescript-eslint/no-misused-promises": "error",
  },
});
